package cli

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// TestEnded: a process id means something on its own machine only; a host's name
// is no proof of that.
func TestEnded(t *testing.T) {
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	here := me() + "#" + machine()
	for holder, want := range map[string]bool{
		holder(): false,
		fmt.Sprintf("%s/%d/aa", here, gone.Process.Pid):             true,
		fmt.Sprintf("%s/%d/aa", here, os.Getpid()):                  false,
		fmt.Sprintf("%s/%d/aa", me(), gone.Process.Pid):             false,
		fmt.Sprintf("%s#0badcafe/%d/aa", me(), gone.Process.Pid):    false,
		fmt.Sprintf("x@elsewhere#%s/%d/aa", machine(), os.Getpid()): false,
		"garbled": false,
	} {
		if got := ended(holder); got != want {
			t.Errorf("%s has ended: %t", holder, got)
		}
	}
}
