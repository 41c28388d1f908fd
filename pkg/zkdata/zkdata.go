// Package zkdata reads the copy that was made of a stopped ZooKeeper server's
// directories, as a tar stream, and writes those files of it that make up its
// data as a clean tar stream, judging on the way whether the copy is what an
// ordinary restart would find: complete, of this server, made after its stop.
//
// What it rests on, read in the sources of ZooKeeper 3.4 to 3.9 (package
// org.apache.zookeeper.server.persistence) and tried with files of real 3.4.13,
// 3.8.0 and 3.9.3 servers:
//   - A server starts from the newest snapshot that looks whole and replays the
//     records of every log from the last one that begins at or before it
//     (FileTxnSnapLog.restore, FileTxnLog.getLogFiles).
//   - Within an epoch the leader numbers transactions without a gap, from 1, and
//     a server that takes part logs them all. A hole is a log that is missing.
//   - currentEpoch and acceptedEpoch are what the server has promised to leaders
//     (QuorumPeer.loadDataBase); a server that lost them may help to elect a
//     leader it must not (ZOOKEEPER-335).
package zkdata

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

const (
	// TokenFile is the file in dataDir that the host's command writes after the
	// stop; it holds the flight's token, and comes in a second tar behind the
	// data's.
	TokenFile = "zkmigrate-seed"
	// DoneFile is the last entry of the clean tar. It is written when everything
	// was judged good and not before: a receiver keeps nothing without it.
	DoneFile = "complete"
	// DataFolder and DataLogFolder head the names in the clean tar, after the
	// folders of the pod's volume.
	DataFolder    = "data"
	DataLogFolder = "datalog"

	version2 = "version-2"
	// maxSmall bounds the files that hold one number or word.
	maxSmall = 256
	// maxListed bounds the lists of a report.
	maxListed  = 20
	bufferSize = 256 << 10
)

// Want is what a copy must show.
type Want struct {
	ID    ensemble.ID
	Token string
	// Zxid is a transaction that the server held right before its stop.
	Zxid ensemble.Zxid
	// DataLogDir: the pods keep transaction logs apart from snapshots.
	DataLogDir bool
	// Room, when set, says how many bytes the receiver can hold. It is asked once,
	// before anything is sent, and holds against what the tar announces: a sparse
	// file of some bytes may stand for terabytes.
	Room func() int64
	// Confirm, when set, is asked after the copy was judged good and before
	// DoneFile is written; its error ends Copy.
	Confirm func(Report) error
}

// Report says what a copy holds.
type Report struct {
	// Files and Bytes were written to the clean tar.
	Files int
	Bytes int64
	// Snapshot is the newest whole snapshot, Last the last transaction.
	Snapshot, Last ensemble.Zxid
	// CurrentEpoch and AcceptedEpoch are the server's promises.
	CurrentEpoch, AcceptedEpoch uint32
	// Dropped lists what was left out, Notes what is odd and harmless; both end
	// with "..." where there was more.
	Dropped, Notes []string
}

// Copy reads a tar stream, gzip'ed or not, with any path in front of the names,
// and writes the server's files to w while it reads them: only when it returns
// no error is what was written good, and only then does it hold DoneFile. A copy
// that is not what is wanted is a *RefusedError. r is read to its very end, so that an
// error of its producer counts.
func Copy(w io.Writer, r io.Reader, want Want) (Report, error) {
	raw, err := unpacked(r)
	if err != nil {
		return Report{}, err
	}
	in := &counter{r: raw}
	c := &copier{
		room: math.MaxInt64,
		want: want, out: tar.NewWriter(w),
		buf: bufio.NewReaderSize(nil, bufferSize), seen: map[string]string{},
	}
	if want.Room != nil {
		c.room = want.Room()
	}
	if err := c.archives(in); err != nil {
		return Report{}, err
	}
	if err := c.judge(); err != nil {
		return Report{}, err
	}
	rep := c.report
	if want.Confirm != nil {
		if err := want.Confirm(rep); err != nil {
			return Report{}, err
		}
	}
	if err := c.file(DoneFile, []byte(want.Token+"\n"), c.tokenTime); err != nil {
		return Report{}, err
	}
	if err := c.out.Close(); err != nil {
		return Report{}, fmt.Errorf("sending the copy: %w", err)
	}
	return rep, nil
}

// unpacked looks for gzip's magic number.
func unpacked(r io.Reader) (io.Reader, error) {
	b := bufio.NewReaderSize(r, bufferSize)
	head, err := b.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, broken(err)
	}
	if len(head) == 0 {
		return nil, refuse(CutShort, "", "the input is empty", "look at what the command on the host printed; it must write a tar to its standard output")
	}
	if !bytes.Equal(head, []byte{0x1f, 0x8b}) {
		return b, nil
	}
	z, err := gzip.NewReader(b)
	if err != nil {
		return nil, broken(err)
	}
	return z, nil
}

// counter counts what was read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// copier is one run of Copy.
type copier struct {
	want Want
	in   *tar.Reader
	// archive counts the tars before this one.
	archive int
	out     *tar.Writer
	buf     *bufio.Reader
	// seen maps the base names that were accepted to their full ones.
	seen   map[string]string
	report Report
	// room is what the receiver can hold.
	room int64

	token       bool
	tokenTime   time.Time
	newest      time.Time
	newestName  string
	snapshotDir string
	logDir      string
	myid        bool
	current     *uint32
	accepted    *uint32
	snapshots   []snapshot
	logs        []txnLog
}

// archives goes through one tar after the other: the token comes in a tar of
// its own, behind the data's. A shell writes it only if the first tar has ended
// well (tar && tar), which is all that the end of a pipe can know of that: a file
// that tar could not read is left out with a word on another screen.
func (c *copier) archives(in *counter) error {
	block := make([]byte, tarBlock)
	var next io.Reader = in
	for {
		c.in = tar.NewReader(next)
		if err := c.entries(in); err != nil {
			return err
		}
		// Padding comes behind the end mark, and maybe one more.
		for {
			_, err := io.ReadFull(in, block)
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return broken(err)
			}
			if !bytes.Equal(block, make([]byte, tarBlock)) {
				break
			}
		}
		c.archive++
		next = io.MultiReader(bytes.NewReader(bytes.Clone(block)), in)
	}
}

const (
	tarBlock = 512
	// endMark is how tar ends: two blocks of zeros.
	endMark = 2 * tarBlock
)

// entries goes through one tar.
func (c *copier) entries(in *counter) error {
	for {
		before := in.n
		h, err := c.in.Next()
		if errors.Is(err, io.EOF) {
			if in.n-before < endMark {
				return refuse(CutShort, "", "the tar ends without its end mark", again)
			}
			return nil
		}
		if err != nil {
			return broken(err)
		}
		if err := c.entry(h); err != nil {
			return err
		}
	}
}

// file writes a small file to the clean tar.
func (c *copier) file(name string, content []byte, at time.Time) error {
	if err := c.header(name, int64(len(content)), at); err != nil {
		return err
	}
	if _, err := c.out.Write(content); err != nil {
		return fmt.Errorf("sending the copy: %w", err)
	}
	return nil
}

func (c *copier) header(name string, size int64, at time.Time) error {
	if size < 0 || size > c.room-c.report.Bytes {
		e := NoRoomError(fmt.Sprintf("it is %d bytes, and %d before it; the pod's volume has room for %d", size, c.report.Bytes, c.room))
		e.File = name
		return e
	}
	c.report.Files++
	c.report.Bytes += size
	err := c.out.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o640, ModTime: at.Truncate(time.Second),
	})
	if err != nil {
		return fmt.Errorf("sending the copy: %w", err)
	}
	return nil
}

func listed(list []string, s string) []string {
	switch {
	case len(list) < maxListed:
		return append(list, s)
	case len(list) == maxListed:
		return append(list, "...")
	}
	return list
}
