package rollout

import (
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestDoubts: what hinders the last word is told with its code and a command.
func TestDoubts(t *testing.T) {
	d, found := Doubts(led(three(), 3, 4)) // not all of the cluster was seen
	if !found || d.Code != migration.CodeAPIIncomplete || len(d.Evidence) == 0 || !strings.Contains(d.Next, "status demo -n zk") {
		t.Errorf("%+v, %t", d, found)
	}
}
