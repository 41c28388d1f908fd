package cluster

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/adler32"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/fake"
	utilexec "k8s.io/client-go/util/exec"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkdata"
)

// copyOf is a host's copy as the printed command makes it: one snapshot and one
// transaction after it.
func copyOf(t *testing.T, id string) []byte {
	t.Helper()
	snapshot := append([]byte("ZKSN"), "a tree"...)
	snapshot = binary.BigEndian.AppendUint64(snapshot, uint64(adler32.Checksum(snapshot)))
	snapshot = append(snapshot, 0, 0, 0, 1, '/')
	txn := binary.BigEndian.AppendUint64(make([]byte, 12), 0x100000002)
	txn = append(txn, make([]byte, 12)...)
	log := binary.BigEndian.AppendUint64([]byte("ZKLG\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00"), uint64(adler32.Checksum(txn)))
	log = binary.BigEndian.AppendUint32(log, uint32(len(txn)))
	log = append(append(log, txn...), 'B')
	log = append(log, make([]byte, 100000)...)

	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range []struct {
		name string
		data []byte
	}{
		{"myid", []byte(id + "\n")},
		{"version-2/currentEpoch", []byte("1")}, {"version-2/acceptedEpoch", []byte("1")},
		{"version-2/snapshot.100000001", snapshot}, {"version-2/log.100000001", log},
		{"zkmigrate-seed", []byte("tok1\n")},
	} {
		if f.name == "zkmigrate-seed" {
			// In a tar of its own.
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			w = tar.NewWriter(&b)
		}
		h := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Size: int64(len(f.data)), ModTime: time.Unix(1700000000, 0)}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(f.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func copyWanted() zkdata.Want {
	return zkdata.Want{ID: 5, Token: "tok1", Zxid: 0x100000002, DataLogDir: true}
}

// here runs the program on this machine, as the pod would. Like the real
// stream it does not wait for its standard input to end.
func here(ctx context.Context, _, _ string, program []string, stdin io.Reader, stdout, stderr io.Writer) error {
	cmd := exec.CommandContext(ctx, program[0], program[1:]...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(in, stdin)
		_ = in.Close()
	}()
	err = cmd.Run()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return utilexec.CodeExitError{Err: err, Code: exit.ExitCode()}
	}
	return err
}

// tree lists the files of a folder.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(dir, path)
			out = append(out, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	sort.Strings(out)
	return out
}

func received() []string {
	return []string{
		"seed-tok1/data/myid", "seed-tok1/data/version-2/acceptedEpoch", "seed-tok1/data/version-2/currentEpoch",
		"seed-tok1/data/version-2/snapshot.100000001", "seed-tok1/datalog/version-2/log.100000001",
	}
}

func write(t *testing.T, path string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("x"), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// TestReceive: what an earlier try and other stops have left goes, everything
// else stays.
func TestReceive(t *testing.T) {
	volume := t.TempDir()
	write(t, filepath.Join(volume, "seed-tok1.partial/data/version-2/snapshot.7"))
	write(t, filepath.Join(volume, "seed-tok0/data/myid"))
	write(t, filepath.Join(volume, "data.stale-5/myid"))
	c := &Client{exec: here}
	rep, err := c.receive(t.Context(), "zk", "main-pod-1", volume, copyWanted(), bytes.NewReader(copyOf(t, "5")))
	if err != nil || rep.Files != 5 || rep.Last != 0x100000002 {
		t.Fatalf("%+v, %v", rep, err)
	}
	if diff := cmp.Diff(append([]string{"data.stale-5/myid"}, received()...), tree(t, volume)); diff != "" {
		t.Errorf("volume (-want +got):\n%s", diff)
	}
	_, err = c.receive(t.Context(), "zk", "main-pod-1", volume, copyWanted(), bytes.NewReader(copyOf(t, "5")))
	if !errors.Is(err, ErrSeeded) {
		t.Errorf("a second copy over a complete one: %v", err)
	}
}

// TestReceiveKeepsNothingElse: whatever goes wrong, no copy shows up, and the
// next try succeeds.
func TestReceiveKeepsNothingElse(t *testing.T) {
	whole := copyOf(t, "5")
	lost := errors.New("connection lost")
	no := errors.New("the host's server is up again")
	refused := func(r zkdata.Reason) func(error) bool {
		return func(err error) bool {
			var is *zkdata.RefusedError
			return errors.As(err, &is) && is.Reason == r
		}
	}
	is := func(want error) func(error) bool { return func(err error) bool { return errors.Is(err, want) } }
	for name, tc := range map[string]struct {
		in      io.Reader
		confirm error
		exec    execFunc
		want    func(error) bool
	}{
		"another server's":  {in: bytes.NewReader(copyOf(t, "2")), want: refused(zkdata.WrongID)},
		"cut short":         {in: bytes.NewReader(whole[:len(whole)/2]), want: refused(zkdata.CutShort)},
		"the source breaks": {in: io.MultiReader(bytes.NewReader(whole), iotest.ErrReader(lost)), want: is(lost)},
		"not confirmed":     {in: bytes.NewReader(whole), confirm: no, want: is(no)},
		"the stream breaks": {in: bytes.NewReader(whole), want: is(lost),
			exec: func(ctx context.Context, ns, pod string, program []string, stdin io.Reader, stdout, stderr io.Writer) error {
				err := here(ctx, ns, pod, program, io.LimitReader(stdin, 50000), stdout, io.Discard)
				return errors.Join(lost, err)
			}},
	} {
		t.Run(name, func(t *testing.T) {
			volume := t.TempDir()
			c := &Client{exec: here}
			if tc.exec != nil {
				c.exec = tc.exec
			}
			want := copyWanted()
			want.Confirm = func(zkdata.Report) error { return tc.confirm }
			_, err := c.receive(t.Context(), "zk", "main-pod-1", volume, want, tc.in)
			if !tc.want(err) {
				t.Errorf("got %v", err)
			}
			if left := tree(t, volume); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			c.exec = here
			if _, err := c.receive(t.Context(), "zk", "main-pod-1", volume, copyWanted(), bytes.NewReader(whole)); err != nil {
				t.Fatalf("the next try: %v", err)
			}
			if diff := cmp.Diff(received(), tree(t, volume)); diff != "" {
				t.Errorf("volume (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTwoCopiesAtOnce: the one that began last wins, the other one is told.
func TestTwoCopiesAtOnce(t *testing.T) {
	volume := t.TempDir()
	c := &Client{exec: here}
	whole := copyOf(t, "5")
	first := make(chan error, 1)
	out, in := io.Pipe()
	go func() {
		_, err := c.receive(t.Context(), "zk", "main-pod-1", volume, copyWanted(), out)
		first <- err
	}()
	if _, err := in.Write(whole[:60000]); err != nil {
		t.Fatal(err)
	}
	for len(tree(t, volume)) < 4 {
		// The first one's files show up on the disk.
		if _, err := os.Stat(volume); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.receive(t.Context(), "zk", "main-pod-1", volume, copyWanted(), bytes.NewReader(whole)); err != nil {
		t.Fatalf("the second one: %v", err)
	}
	go func() {
		_, _ = in.Write(whole[60000:])
		_ = in.Close()
	}()
	if err := <-first; err == nil {
		t.Error("the first one says that it succeeded, too")
	}
	if diff := cmp.Diff(received(), tree(t, volume)); diff != "" {
		t.Errorf("volume (-want +got):\n%s", diff)
	}
}

func TestSeedOnlyWhenAskedForAndParked(t *testing.T) {
	flight := &migration.Flight{Kind: migration.Replace, ID: 5, Starting: migration.Starting{Data: migration.DataCopy, Seed: "tok1"},
		Proofs: migration.Proofs{Before: &migration.Proof{Zxid: 0x100000002, Complete: true}}}
	parked := `zkmigrate-gate pod=u1 at=0 state=parked ordinal=1 id=5 generation=7 host-client=closed host-election=closed closed=0 cause=- seed=- synced=- data=0 since=- version=- listens=- detail="waits"`
	for name, tc := range map[string]struct {
		flight   *migration.Flight
		log      string
		released bool
		says     string
	}{
		"good":            {flight: flight, log: parked},
		"no flight":       {log: parked, says: "no copy is asked for"},
		"no token":        {flight: &migration.Flight{Kind: migration.Replace, ID: 5, Starting: migration.Starting{Data: migration.DataCopy}, Proofs: flight.Proofs}, log: parked, says: "no copy is asked for"},
		"other data":      {flight: &migration.Flight{Kind: migration.Replace, ID: 5, Starting: migration.Starting{Seed: "tok1"}, Proofs: flight.Proofs}, log: parked, says: "no copy is asked for"},
		"another server":  {flight: &migration.Flight{Kind: migration.Replace, ID: 2, Starting: flight.Starting, Proofs: flight.Proofs}, log: parked, says: "no copy is asked for"},
		"gate is open":    {flight: flight, log: parked, released: true, says: "not closed"},
		"pod has started": {flight: flight, log: strings.Replace(parked, "parked", "started", 1), says: "does not wait at its gate"},
	} {
		t.Run(name, func(t *testing.T) {
			rec := record()
			rec.Flight = tc.flight
			g := render.GateData{Generation: 7}
			if tc.released {
				g.Open(1, 5, migration.SeededStart("tok1"))
			}
			c := New(fake.NewClientset(podObject(), render.Gate(rec, g)))
			c.logs = func(context.Context, string, string, *corev1.PodLogOptions) ([]byte, error) {
				return []byte(reportAt(3, tc.log)), nil
			}
			ran := false
			c.exec = func(context.Context, string, string, []string, io.Reader, io.Writer, io.Writer) error {
				ran = true
				return errors.New("far enough")
			}
			err := c.Seed(t.Context(), rec, 5, bytes.NewReader(nil))
			if ran != (tc.says == "") || tc.says != "" && (err == nil || !strings.Contains(err.Error(), tc.says)) {
				t.Errorf("ran %v, error %v, want %q", ran, err, tc.says)
			}
		})
	}
}
