//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// stranger accepts connections at both ports and ends them without a word, as another machine's
// program may.
const stranger = `perl -MIO::Socket::INET -MIO::Select -e '$s = IO::Select->new; for (@ARGV) { $s->add(IO::Socket::INET->new(Listen => 99, LocalPort => $_, ReuseAddr => 1) or die) }
$| = 1; print "listening\n"; while (1) { $_->accept for $s->can_read }' `

// TestRetire gives a moved server's address to another machine: its pod does not start beside that
// until the host is declared gone.
func TestRetire(t *testing.T) {
	t.Parallel()
	s := scene.New(t, "retire", "3.8.0", []int{1, 2, 3})
	s.Ready()
	id := scene.But(s.IDs, s.Status().Leader)[0]
	flag, host := fmt.Sprintf("--id=%d", id), s.Host(id)
	if r := s.Zkmigrate(3, "retire", s.Name, flag); !strings.Contains(r.Stderr, "runs on its host") {
		t.Errorf("on its host:\n%s", r.Stderr)
	}
	s.Replace(0, flag)
	told := s.Zkmigrate(0, "retire", s.Name, flag, "--host-hook", s.Lab.HookCommand())
	for _, want := range []string{"refuses connections at the server's ports", "whether a unit could start the server again (--host-hook): the script ran in a container", "by hand"} {
		if err := scene.Contains(told.Stdout, want); err != nil {
			t.Error(err)
		}
	}

	there := *s.Lab
	there.Machine = fmt.Sprintf("%s/%d", s.Name, id)
	other, err := there.Start(t.Context(), "stranger.log", "bash", "-c", fmt.Sprintf("exec %s %d %d", stranger, host.ClientPort, host.ElectionPort))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Kill()
	scene.Eventually(t, "it listens", func() error { return scene.Contains(other.Log(), "listening") })
	pod := fmt.Sprintf("%s-pod-%d", s.Name, id-1)
	s.Kubectl("delete", "pod", pod, "--wait=true")
	scene.Eventually(t, "the pod is held, and the way out named", func() error {
		r, err := s.Lab.Zkmigrate(t.Context(), "replace", s.Name, flag, "--yes", "--timeout", "20s", "-n", s.Name)
		return errors.Join(err, scene.Contains(r.Stderr, "does not start ZooKeeper while something accepts connections at its old host"),
			scene.Contains(r.Stderr, "retire "+s.Name+" "+flag+" --host-gone="+host.Address))
	})

	s.Zkmigrate(2, "retire", s.Name, flag, "--host-gone=10.9.9.9")
	s.Zkmigrate(0, "retire", s.Name, flag, "--host-gone="+host.Address)
	if r := s.Zkmigrate(3, "revert", s.Name, flag, "--yes"); !strings.Contains(r.Stderr, "[HostRetired]") {
		t.Errorf("revert of a retired host:\n%s", r.Stderr)
	}
	if r := s.Zkmigrate(3, "retire", s.Name, flag, "--undo"); !strings.Contains(r.Stderr, "something accepts connections") {
		t.Errorf("taken back beside a stranger:\n%s", r.Stderr)
	}
	s.Zkmigrate(0, "apply", s.Name, "--yes", "--timeout", "4m")
	if st := s.Status(); !st.Healthy || st.Replaced != 1 {
		t.Errorf("with the host retired: %+v", st)
	}
	// The others go on beside it.
	s.Replace(0, "--all")
	s.Zkmigrate(0, "retire", s.Name, flag) // says that it is
	other.Kill()
	undo := []string{"retire", s.Name, flag, "--undo"}
	killedInTurn(s, 20, 2500*time.Millisecond, undo, []string{"retire", s.Name, flag, "--host-gone=" + host.Address})
	s.Zkmigrate(0, undo...)
	s.Revert(id)
	if st := s.Status(); !st.Healthy || st.Replaced != 2 {
		t.Errorf("taken back: %+v", st)
	}
	s.NothingLost()
}
