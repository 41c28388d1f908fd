package cluster

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	utilexec "k8s.io/client-go/util/exec"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkdata"
)

// sparse is a tar of some KiB that stands for a log of a terabyte.
func sparse(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	log := filepath.Join(dir, "version-2/log.100000001")
	if err := errors.Join(os.MkdirAll(filepath.Dir(log), 0o755), os.WriteFile(log, nil, 0o600), os.Truncate(log, 1<<40)); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "tar", "-C", dir, "-chSPf", "-", "version-2").Output()
	if err != nil || len(out) > 64<<10 {
		t.Fatalf("%d bytes, %v", len(out), err)
	}
	return out
}

// TestReceiveNoRoom: what the volume cannot hold is refused before any of it is
// written, for good, and with what to do.
func TestReceiveNoRoom(t *testing.T) {
	// The real script, on a volume with as much room as df is made to say.
	small := func(ctx context.Context, ns, pod string, program []string, stdin io.Reader, stdout, stderr io.Writer) error {
		bin := t.TempDir()
		df := "#!/bin/sh\necho Filesystem 1024-blocks Used Available Capacity Mounted on\necho /dev/x 100 60 40 60% /data\n"
		if err := os.WriteFile(filepath.Join(bin, "df"), []byte(df), 0o755); err != nil {
			return err
		}
		program[2] = "PATH=" + bin + ":$PATH\n" + program[2]
		return here(ctx, ns, pod, program, stdin, stdout, stderr)
	}
	full := func(_ context.Context, _, _ string, _ []string, stdin io.Reader, stdout, stderr io.Writer) error {
		_, _ = io.WriteString(stdout, "room 1000000\n")
		_, _ = io.CopyN(io.Discard, stdin, 512)
		_, _ = io.WriteString(stderr, "tar: data/version-2/log.100000001: Cannot write: No space left on device\ntar could not write the copy\n")
		return utilexec.CodeExitError{Err: errors.New("exit status 1"), Code: 1}
	}
	for name, tc := range map[string]struct {
		exec execFunc
		in   []byte
	}{
		"a sparse terabyte":    {here, sparse(t)},
		"larger than the room": {small, copyOf(t, "5")},
		"full on the way":      {full, copyOf(t, "5")},
	} {
		t.Run(name, func(t *testing.T) {
			volume := t.TempDir()
			c := &Client{exec: tc.exec}
			_, err := c.receive(t.Context(), "zk", "main-pod-1", volume, copyWanted(), bytes.NewReader(tc.in))
			var refused *zkdata.RefusedError
			if !errors.As(err, &refused) || refused.Reason != zkdata.NoRoom || !refused.Permanent() || !strings.Contains(refused.Next, "PersistentVolumeClaim") {
				t.Errorf("got %v", err)
			}
			if left := tree(t, volume); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// TestReceiveSaysWhyThePodFailed: a pod's end that fails before it has said how much room
// there is says why, however fast the judge at ours takes that for no room.
func TestReceiveSaysWhyThePodFailed(t *testing.T) {
	c := &Client{exec: func(_ context.Context, _, _ string, _ []string, _ io.Reader, _, stderr io.Writer) error {
		othersRun()
		_, _ = io.WriteString(stderr, "there is no /zookeeper\n")
		return slowError{}
	}}
	if _, err := c.receive(t.Context(), "zk", "main-pod-1", "/zookeeper", copyWanted(), bytes.NewReader(copyOf(t, "5"))); err == nil || !strings.Contains(err.Error(), "there is no /zookeeper") {
		t.Fatalf("got %v", err)
	}
}

// slowError lets others run before it says what it is.
type slowError struct{}

func (slowError) Error() string { return "exit status 1" }
func (slowError) As(any) bool   { othersRun(); return false }

func othersRun() {
	for range 10_000 {
		runtime.Gosched()
	}
}
