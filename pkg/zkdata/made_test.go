package zkdata_test

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"errors"
	"hash/adler32"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkdata"
)

// Times of a made copy: the server stopped a minute before the token.
var (
	tokenAt   = time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	stoppedAt = tokenAt.Add(-time.Minute)
)

// file is one entry of a made copy.
type file struct {
	name string
	data []byte
	at   time.Time
	kind byte
}

// madeSnapshot has a true head and seal around arbitrary content.
func madeSnapshot(content string) []byte {
	b := append([]byte("ZKSN\x00\x00\x00\x02\xff\xff\xff\xff\xff\xff\xff\xff"), content...)
	b = binary.BigEndian.AppendUint64(b, uint64(adler32.Checksum(b)))
	return append(b, 0, 0, 0, 1, '/')
}

// madeRecord is one logged transaction.
func madeRecord(zxid uint64) []byte {
	body := make([]byte, 12, 64)
	body = binary.BigEndian.AppendUint64(body, zxid)
	body = append(body, make([]byte, 12)...)
	body = append(body, "payload"...)
	b := binary.BigEndian.AppendUint64(nil, uint64(adler32.Checksum(body)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(body)))
	return append(append(b, body...), 'B')
}

const recordSize = 12 + 39 + 1

// madeLog holds the transactions and zeros behind them.
func madeLog(zxids ...uint64) []byte {
	b := []byte("ZKLG\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00")
	for _, z := range zxids {
		b = append(b, madeRecord(z)...)
	}
	return append(b, make([]byte, 300)...)
}

func span(first uint64, n int) []uint64 {
	var out []uint64
	for i := range n {
		out = append(out, first+uint64(i))
	}
	return out
}

// good is a whole copy of server 3, as the printed command makes it: two
// epochs, a snapshot in the first, dataLogDir apart.
func good() []file {
	return []file{
		{name: "zkmigrate-seed", data: []byte("tok1\n"), at: tokenAt},
		{name: "myid", data: []byte("3\n"), at: stoppedAt},
		{name: "version-2/", kind: tar.TypeDir},
		{name: "version-2/currentEpoch", data: []byte("2"), at: stoppedAt},
		{name: "version-2/acceptedEpoch", data: []byte("2"), at: stoppedAt},
		{name: "version-2/snapshot.100000002", data: madeSnapshot("a tree"), at: stoppedAt},
		{name: "/logs/version-2/log.200000001", data: madeLog(span(0x200000001, 5)...), at: stoppedAt},
		{name: "/logs/version-2/log.100000001", data: madeLog(span(0x100000001, 4)...), at: stoppedAt},
	}
}

func want() zkdata.Want {
	return zkdata.Want{ID: 3, Token: "tok1", Zxid: 0x200000004, DataLogDir: true}
}

// without drops the entries with these names.
func without(files []file, names ...string) []file {
	return slices.DeleteFunc(files, func(f file) bool { return slices.Contains(names, f.name) })
}

// with replaces or adds an entry.
func with(files []file, f file) []file {
	if f.at.IsZero() {
		f.at = stoppedAt
	}
	for i := range files {
		if files[i].name == f.name {
			files[i] = f
			return files
		}
	}
	return append(files, f)
}

// pack makes the tar of the data and, behind it, that of the token.
func pack(t testing.TB, files []file) []byte {
	t.Helper()
	isToken := func(f file) bool { return strings.HasSuffix(f.name, zkdata.TokenFile) }
	data := packOne(t, slices.DeleteFunc(slices.Clone(files), isToken))
	if i := slices.IndexFunc(files, isToken); i >= 0 {
		data = append(append(data, make([]byte, 2048)...), packOne(t, files[i:i+1])...)
	}
	return data
}

func packOne(t testing.TB, files []file) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Size: int64(len(f.data)), Mode: 0o644, ModTime: f.at, Typeflag: f.kind}
		if f.kind == tar.TypeSymlink || f.kind == tar.TypeLink {
			h.Linkname, h.Size = "elsewhere", 0
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := w.Write(f.data); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// unpack lists what was written, name to content.
func unpack(t testing.TB, data []byte) (names []string, files map[string][]byte) {
	t.Helper()
	files = map[string][]byte{}
	r := tar.NewReader(bytes.NewReader(data))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return names, files
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg || h.Mode != 0o640 {
			t.Errorf("%s: type %q, mode %o", h.Name, h.Typeflag, h.Mode)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
		files[h.Name] = b
	}
}

func zx(n uint64) ensemble.Zxid { return ensemble.Zxid(n) }
