//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// TestApply changes the memory of three pods that serve, leader last, with a client that
// writes and a command that is killed at random moments; then an image that does not exist
// is tried with one of them, and taken back.
func TestApply(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, version string }{{"apply380", "3.8.0"}, {"apply3413", "3.4.13"}} {
		t.Run(c.version, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && c.version == "3.4.13" {
				t.Skip("-short: the other release shows the same")
			}
			s := scene.New(t, c.name, c.version, []int{1, 2, 3})
			s.Ready()
			s.Replace(0, "--all")
			before := s.Status()
			verdict := s.WatchRestarts()
			args := []string{"apply", s.Name, "--yes", "--timeout", "4m", "--memory", "640Mi"}
			t.Logf("%d kills", killed(s, 20, 300*time.Millisecond, 3*time.Second, args...))
			memory := s.Kubectl("get", "pods", "-l", "zkmigrate.io/ensemble="+s.Name, "-o", `jsonpath={.items[*].spec.containers[?(@.name=="zookeeper")].resources.limits.memory}`)
			if strings.Join(strings.Fields(memory), " ") != "640Mi 640Mi 640Mi" {
				t.Errorf("the pods' memory is %s", memory)
			}
			after := s.Status()
			if !after.Healthy || after.Replaced != 3 || after.Epoch != before.Epoch+1 {
				t.Errorf("at the end: %+v; want one election (epoch %d before)", after, before.Epoch)
			}
			id := fmt.Sprintf("--id=%d", scene.But(s.IDs, after.Leader)[0])
			r := s.Zkmigrate(124, "apply", s.Name, id, "--yes", "--image", "zklab.local/none:1", "--timeout", "25s")
			if want := "apply " + s.Name + " " + id + " --undo"; !strings.Contains(r.Stderr, want) {
				t.Errorf("%s is not named:\n%s", want, r.Stderr)
			}
			s.Zkmigrate(0, "apply", s.Name, id, "--yes", "--undo", "--timeout", "4m")
			if st := s.Status(); !st.Healthy || st.Replaced != 3 {
				t.Errorf("with the image taken back: %+v", st)
			}
			verdict()
			s.NothingLost()
		})
	}
}
