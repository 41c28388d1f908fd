package zkdata_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkdata"
)

func TestCopyWritesTheServersFilesAndNothingElse(t *testing.T) {
	files := with(good(), file{name: "zookeeper_server.pid", data: []byte("42")})
	files = with(files, file{name: "initialize", data: []byte("x")})
	files = with(files, file{name: "version-2/notes.txt", data: []byte("x")})
	var out bytes.Buffer
	rep, err := zkdata.Copy(&out, bytes.NewReader(pack(t, files)), want())
	if err != nil {
		t.Fatal(err)
	}
	names, got := unpack(t, out.Bytes())
	wantNames := []string{
		"data/myid", "data/version-2/currentEpoch", "data/version-2/acceptedEpoch", "data/version-2/snapshot.100000002",
		"datalog/version-2/log.200000001", "datalog/version-2/log.100000001", "complete",
	}
	if diff := cmp.Diff(wantNames, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	for name, data := range got {
		if name == "complete" {
			continue
		}
		i := slices.IndexFunc(files, func(f file) bool {
			return f.name[strings.LastIndex(f.name, "/")+1:] == name[strings.LastIndex(name, "/")+1:]
		})
		if !bytes.Equal(files[i].data, data) {
			t.Errorf("%s: content differs", name)
		}
	}
	wantReport := zkdata.Report{
		Files: 6, Snapshot: zx(0x100000002), Last: zx(0x200000005), CurrentEpoch: 2, AcceptedEpoch: 2, Bytes: rep.Bytes,
		Dropped: []string{"zookeeper_server.pid", "initialize", "version-2/notes.txt"},
	}
	if diff := cmp.Diff(wantReport, rep); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

func TestCopyIntoOneDirectory(t *testing.T) {
	w := want()
	w.DataLogDir = false
	var out bytes.Buffer
	if _, err := zkdata.Copy(&out, bytes.NewReader(pack(t, good())), w); err != nil {
		t.Fatal(err)
	}
	if names, _ := unpack(t, out.Bytes()); !slices.Contains(names, "data/version-2/log.200000001") {
		t.Errorf("logs are not in the data directory: %v", names)
	}
}

func TestCopyReadsAnyTar(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write(pack(t, good())); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	prefixed := good()
	for i := range prefixed {
		prefixed[i].name = "./srv/zk3/" + strings.TrimPrefix(prefixed[i].name, "/")
	}
	for name, in := range map[string]io.Reader{
		"gzip":        bytes.NewReader(zipped.Bytes()),
		"prefixed":    bytes.NewReader(pack(t, prefixed)),
		"byte a time": iotest.OneByteReader(bytes.NewReader(pack(t, good()))),
		"padded":      bytes.NewReader(append(pack(t, good()), make([]byte, 9216)...)),
	} {
		if rep, err := zkdata.Copy(io.Discard, in, want()); err != nil || rep.Files != 6 {
			t.Errorf("%s: %+v, %v", name, rep, err)
		}
	}
}

// TestGoodCopies are odd and still what an ordinary restart finds.
func TestGoodCopies(t *testing.T) {
	torn := madeLog(span(0x200000001, 5)...)
	copy(torn[16+5*recordSize:], madeRecord(0x200000006)[:30])
	cutShort := madeLog(span(0x200000001, 5)...)[:16+5*recordSize-1]
	oldBroken := madeLog(0x1)
	oldBroken[40] ^= 0xff
	for _, tc := range []struct {
		name  string
		files []file
		last  uint64
		note  string
	}{
		{"last record torn by kill -9", with(good(), file{name: "/logs/version-2/log.200000001", data: torn}), 0x200000005, "incomplete"},
		{"log ends in a record", with(good(), file{name: "/logs/version-2/log.200000001", data: cutShort}), 0x200000004, "no end mark"},
		{"empty newest log", with(good(), file{name: "/logs/version-2/log.200000006"}), 0x200000005, ""},
		{"newest snapshot torn", with(good(), file{name: "version-2/snapshot.200000003", data: madeSnapshot("tree")[:20]}), 0x200000005, "not whole"},
		{"snapshot of the leader's first moment", with(good(), file{name: "version-2/snapshot.200000000", data: madeSnapshot("tree")}), 0x200000005, ""},
		{"a log older than the snapshot is broken", with(good(), file{name: "/logs/version-2/log.1", data: oldBroken}), 0x200000005, "older than the snapshot"},
		{"a transaction logged twice", with(good(), file{name: "/logs/version-2/log.200000003", data: madeLog(0x200000003, 0x200000004, 0x200000005, 0x200000006)}), 0x200000006, ""},
		{"no snapshot, logs from the very beginning (3.4)", without(good(), "version-2/snapshot.100000002"), 0x200000005, ""},
		{"snappy beside a plain one", with(good(), file{name: "version-2/snapshot.100000003.snappy", data: []byte("x")}), 0x200000005, "snappy"},
		{"written in the token's second", with(good(), file{name: "version-2/currentEpoch", data: []byte("2"), at: tokenAt}), 0x200000005, ""},
	} {
		rep, err := zkdata.Copy(io.Discard, bytes.NewReader(pack(t, tc.files)), want())
		if err != nil || rep.Last != zx(tc.last) {
			t.Errorf("%s: last %s, %v", tc.name, rep.Last, err)
		}
		if got := strings.Join(rep.Notes, "\n"); tc.note == "" && got != "" || !strings.Contains(got, tc.note) {
			t.Errorf("%s: notes %q", tc.name, got)
		}
	}
}

func TestPackedSnapshots(t *testing.T) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := w.Write(madeSnapshot("a tree")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	files := with(without(good(), "version-2/snapshot.100000002"), file{name: "version-2/snapshot.100000002.gz", data: z.Bytes()})
	if rep, err := zkdata.Copy(io.Discard, bytes.NewReader(pack(t, files)), want()); err != nil || rep.Snapshot != zx(0x100000002) {
		t.Errorf("gzip: %+v, %v", rep, err)
	}
	files = with(files, file{name: "version-2/snapshot.100000002.gz", data: z.Bytes()[:z.Len()-12]})
	expectRefusal(t, "gzip, cut", files, want(), zkdata.NoSnapshot, "not whole")
}

func TestRefusals(t *testing.T) {
	garbled := madeLog(span(0x200000001, 5)...)
	garbled[16+2*recordSize+30] ^= 1
	behind := madeLog(span(0x200000001, 5)...)
	behind[len(behind)-1] = 7
	negative := madeLog(span(0x200000001, 5)...)
	negative[16+5*recordSize+8] = 0x80
	badSum := madeSnapshot("a tree")
	badSum[20] ^= 1
	late := tokenAt.Add(time.Second)
	for _, tc := range []struct {
		name   string
		files  []file
		reason zkdata.Reason
		says   string
	}{
		{"no token", without(good(), "zkmigrate-seed"), zkdata.NoToken, "zkmigrate-seed"},
		{"another stop's token", with(good(), file{name: "zkmigrate-seed", data: []byte("tok0"), at: tokenAt}), zkdata.OtherToken, `"tok0"`},
		{"hot copy: a log", with(good(), file{name: "/logs/version-2/log.200000001", data: madeLog(span(0x200000001, 5)...), at: late}), zkdata.HotCopy, "1s after"},
		{"hot copy: a snapshot", with(good(), file{name: "version-2/snapshot.200000003", data: madeSnapshot("x"), at: late}), zkdata.HotCopy, "snapshot.200000003"},
		{"hot copy: an epoch", with(good(), file{name: "version-2/acceptedEpoch", data: []byte("2"), at: late}), zkdata.HotCopy, "acceptedEpoch"},
		{"no myid", without(good(), "myid"), zkdata.WrongID, "myid"},
		{"another server", with(good(), file{name: "myid", data: []byte("1\n")}), zkdata.WrongID, `"1"`},
		{"myid is no number", with(good(), file{name: "myid", data: bytes.Repeat([]byte("3"), 300)}), zkdata.WrongID, "expected 3"},
		{"no currentEpoch", without(good(), "version-2/currentEpoch"), zkdata.NoEpochs, "currentEpoch"},
		{"no acceptedEpoch", without(good(), "version-2/acceptedEpoch"), zkdata.NoEpochs, "acceptedEpoch"},
		{"epoch garbled", with(good(), file{name: "version-2/currentEpoch", data: []byte("two")}), zkdata.NoEpochs, `"two"`},
		{"currentEpoch too old", with(good(), file{name: "version-2/currentEpoch", data: []byte("1")}), zkdata.EpochsDisagree, "epoch 2"},
		{"acceptedEpoch below currentEpoch", with(good(), file{name: "version-2/acceptedEpoch", data: []byte("1")}), zkdata.EpochsDisagree, "below"},
		{"updatingEpoch", with(good(), file{name: "version-2/updatingEpoch"}), zkdata.Leftover, "updatingEpoch"},
		{"a .tmp", with(good(), file{name: "version-2/currentEpoch.tmp", data: []byte("3")}), zkdata.Leftover, "currentEpoch.tmp"},
		{"no snapshot, logs from later on", without(good(), "version-2/snapshot.100000002", "/logs/version-2/log.100000001"), zkdata.NoSnapshot, "no snapshot in a folder version-2, and its logs begin with 0x200000001"},
		{"no snapshot, no logs", without(good(), "version-2/snapshot.100000002", "/logs/version-2/log.100000001", "/logs/version-2/log.200000001"), zkdata.NoSnapshot, "no snapshot"},
		{"the only snapshot is cut", with(good(), file{name: "version-2/snapshot.100000002", data: madeSnapshot("a tree")[:22]}), zkdata.NoSnapshot, "snapshot.100000002 is not whole"},
		{"the only snapshot is no snapshot", with(good(), file{name: "version-2/snapshot.100000002", data: []byte("hello\x00\x00\x00\x01/")}), zkdata.NoSnapshot, "not whole"},
		{"the only snapshot is snappy", with(without(good(), "version-2/snapshot.100000002"), file{name: "version-2/snapshot.100000002.snappy"}), zkdata.NoSnapshot, "snappy"},
		{"a snapshot's checksum", with(good(), file{name: "version-2/snapshot.100000002", data: badSum}), zkdata.DamagedSnapshot, "snapshot.100000002"},
		{"the newest log is missing", without(good(), "/logs/version-2/log.200000001"), zkdata.MissingLog, "0x100000004"},
		{"a log in the middle is missing", without(with(good(), file{name: "/logs/version-2/log.200000004", data: madeLog(span(0x200000004, 3)...)}), "/logs/version-2/log.200000001"), zkdata.MissingLog, "between 0x100000004 and 0x200000004"},
		{"no logs", without(good(), "/logs/version-2/log.200000001", "/logs/version-2/log.100000001"), zkdata.MissingLog, "dataLogDir"},
		{"a log is something else", with(good(), file{name: "/logs/version-2/log.200000001", data: []byte("something else entirely")}), zkdata.DamagedLog, "ZKLG"},
		{"a record's checksum", with(good(), file{name: "/logs/version-2/log.200000001", data: garbled}), zkdata.DamagedLog, "wrong checksum"},
		{"something behind the end", with(good(), file{name: "/logs/version-2/log.200000001", data: behind}), zkdata.DamagedLog, "more behind"},
		{"a negative length", with(good(), file{name: "/logs/version-2/log.200000001", data: negative}), zkdata.DamagedLog, "length"},
		{"two data directories", with(good(), file{name: "old/version-2/currentEpoch", data: []byte("2")}), zkdata.Mixed, "old/version-2/currentEpoch"},
		{"logs of two directories", with(good(), file{name: "version-2/log.1", data: madeLog(1)}), zkdata.Mixed, "version-2/log.1"},
		{"snapshots of two directories", with(good(), file{name: "b/version-2/snapshot.1", data: madeSnapshot("x")}), zkdata.Mixed, "b/version-2/snapshot.1"},
		{"version-2 is a link", []file{{name: "zkmigrate-seed", data: []byte("tok1"), at: tokenAt}, {name: "version-2", kind: tar.TypeSymlink}}, zkdata.NotAFile, "-h"},
		{"a snapshot is a link", with(good(), file{name: "version-2/snapshot.5", kind: tar.TypeSymlink}), zkdata.NotAFile, "snapshot.5"},
		{"a log is a hard link", with(good(), file{name: "/logs/version-2/log.9", kind: tar.TypeLink}), zkdata.NotAFile, "log.9"},
	} {
		expectRefusal(t, tc.name, tc.files, want(), tc.reason, tc.says)
	}
}

func expectRefusal(t *testing.T, name string, files []file, w zkdata.Want, reason zkdata.Reason, says string) {
	t.Helper()
	var out bytes.Buffer
	_, err := zkdata.Copy(&out, bytes.NewReader(pack(t, files)), w)
	var r *zkdata.RefusedError
	if !errors.As(err, &r) || r.Reason != reason || !strings.Contains(err.Error(), says) {
		t.Errorf("%s: got %v, want a refusal (%s) that says %q", name, err, reason, says)
		return
	}
	if r.Next == "" {
		t.Errorf("%s: nothing says what to do next", name)
	}
	if bytes.Contains(out.Bytes(), []byte("complete\x00")) {
		t.Errorf("%s: the clean tar says that it is complete", name)
	}
}

// TestTheTokenComesLast: it says that tar could read all that is before it.
func TestTheTokenComesLast(t *testing.T) {
	one := packOne(t, good())
	second := append(packOne(t, good()[:1]), packOne(t, good()[1:])...)
	behind := append(pack(t, good()), packOne(t, []file{{name: "version-2/log.300000001", data: madeLog(0x300000001), at: stoppedAt}})...)
	for name, data := range map[string][]byte{"in the data's tar": one, "first": second, "followed by more": behind} {
		_, err := zkdata.Copy(io.Discard, bytes.NewReader(data), want())
		var r *zkdata.RefusedError
		if !errors.As(err, &r) || r.Reason != zkdata.NoToken {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCutAnywhere: no beginning of a good copy passes for one.
func TestCutAnywhere(t *testing.T) {
	data := pack(t, good())
	for n := 0; n < len(data); n += 256 {
		_, err := zkdata.Copy(io.Discard, bytes.NewReader(data[:n]), want())
		var r *zkdata.RefusedError
		if !errors.As(err, &r) || r.Reason != zkdata.CutShort && (r.Reason != zkdata.NoToken || n < len(data)/2) {
			t.Fatalf("cut after %d of %d bytes: got %v", n, len(data), err)
		}
	}
}

// TestErrorsOfBothSidesAreTheirs: what the producer says at the very end counts.
func TestErrorsOfBothSidesAreTheirs(t *testing.T) {
	broke := errors.New("exit status 2")
	data := pack(t, good())
	for _, n := range []int{100, 5000, len(data)} {
		in := io.MultiReader(bytes.NewReader(data[:n]), iotest.ErrReader(broke))
		if _, err := zkdata.Copy(io.Discard, in, want()); !errors.Is(err, broke) {
			t.Errorf("producer fails after %d bytes: got %v", n, err)
		}
	}
	for _, n := range []int{0, 3000, 6000} {
		_, err := zkdata.Copy(&brokenWriter{left: n, err: broke}, bytes.NewReader(data), want())
		var r *zkdata.RefusedError
		if !errors.Is(err, broke) || errors.As(err, &r) {
			t.Errorf("receiver fails after %d bytes: got %v", n, err)
		}
	}
}

type brokenWriter struct {
	left int
	err  error
}

func (w *brokenWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, w.err
	}
	return len(p), nil
}

// FuzzCopy: no input makes it fail otherwise than by an error, and what it
// takes is a clean tar.
func FuzzCopy(f *testing.F) {
	f.Add(pack(f, good()))
	f.Add(pack(f, without(good(), "myid")))
	f.Add([]byte{0x1f, 0x8b, 8})
	f.Fuzz(func(t *testing.T, data []byte) {
		var out bytes.Buffer
		rep, err := zkdata.Copy(&out, bytes.NewReader(data), want())
		if err != nil {
			return
		}
		names, files := unpack(t, out.Bytes())
		if len(names) != rep.Files+1 || names[len(names)-1] != zkdata.DoneFile {
			t.Fatalf("%d files reported, the clean tar holds %v", rep.Files, names)
		}
		for _, n := range names {
			if n != zkdata.DoneFile && !strings.HasPrefix(n, "data/") && !strings.HasPrefix(n, "datalog/version-2/log.") {
				t.Errorf("name %q", n)
			}
		}
		if rep.Last < want().Zxid || string(files["data/myid"]) != "3\n" {
			t.Errorf("taken: %+v", rep)
		}
	})
}
