package zkdata

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"hash"
	"hash/adler32"
	"io"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// snapshot is one snapshot file of the copy.
type snapshot struct {
	name  string
	zxid  ensemble.Zxid
	state snapshotState
}

// snapshotState is what a snapshot turned out to be.
type snapshotState int

const (
	// whole: from the magic number to the seal, with the right checksum.
	whole snapshotState = iota
	// partial: ZooKeeper passes over it when it starts, as after a server that
	// ended while it wrote one.
	partial
	// unreadable: packed in a way we cannot read.
	unreadable
	// damaged: sealed, and the checksum is wrong.
	damaged
)

// packing is how a snapshot is compressed (snapshot.compression.method, 3.6).
type packing string

const (
	plain   packing = ""
	gzipped packing = "gz"
	snappy  packing = "snappy"
)

// snapshotName reads names as Util.makeSnapshotName writes them.
func snapshotName(base string) (ensemble.Zxid, packing, bool) {
	p := plain
	for _, ending := range []packing{gzipped, snappy} {
		if cut, ok := strings.CutSuffix(base, "."+string(ending)); ok {
			base, p = cut, ending
		}
	}
	zxid, ok := zxidAfter(base, "snapshot.")
	return zxid, p, ok
}

// sealSize is that of a seal: a checksum of eight bytes and the string "/".
const sealSize = 8 + 4 + 1

// readSnapshot judges a snapshot. ZooKeeper asks for the magic number and the
// last five bytes (FileSnap, Util and SnapStream.isValidSnapshot); every version
// ends its snapshots with the Adler-32 of all that comes before (3.6 and later
// have further seals inside), so it is checked here, too.
func readSnapshot(r io.Reader, p packing) (snapshotState, error) {
	switch p {
	case snappy:
		return unreadable, nil
	case gzipped:
		z, err := gzip.NewReader(r)
		if err != nil {
			return partial, nil //nolint:nilerr // a verdict on the file; the stream keeps its own errors
		}
		r = z
	case plain:
	}
	s := &seal{sum: adler32.New()}
	_, err := io.Copy(s, r)
	if err != nil && p == gzipped {
		return partial, nil
	}
	if err != nil {
		return partial, err
	}
	return s.state(), nil
}

// seal sums what is written to it, but for the last bytes, which it keeps.
type seal struct {
	head, tail []byte
	sum        hash.Hash32
}

func (s *seal) Write(p []byte) (int, error) {
	if missing := 4 - len(s.head); missing > 0 {
		s.head = append(s.head, p[:min(missing, len(p))]...)
	}
	if len(p) >= sealSize {
		_, err := s.sum.Write(s.tail)
		_, err2 := s.sum.Write(p[:len(p)-sealSize])
		s.tail = append(s.tail[:0], p[len(p)-sealSize:]...)
		return len(p), errors.Join(err, err2)
	}
	s.tail = append(s.tail, p...)
	over := max(0, len(s.tail)-sealSize)
	_, err := s.sum.Write(s.tail[:over])
	s.tail = append(s.tail[:0], s.tail[over:]...)
	return len(p), err
}

func (s *seal) state() snapshotState {
	switch {
	case !bytes.Equal(s.head, []byte("ZKSN")) || len(s.tail) < sealSize || !bytes.Equal(s.tail[8:], []byte{0, 0, 0, 1, '/'}):
		return partial
	case binary.BigEndian.Uint64(s.tail) != uint64(s.sum.Sum32()):
		return damaged
	}
	return whole
}
