package migration_test

import (
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// TestAJoinThatLastsNamesItsCause: initLimit and --data=copy are spoken of only
// where the rest is well and the server was seen not to serve.
func TestAJoinThatLastsNamesItsCause(t *testing.T) {
	for name, c := range map[string]struct {
		set       func(*scene)
		says      string
		initLimit bool
	}{
		"nothing else is wrong": {func(*scene) {}, "Getting a snapshot", true},
		"a stray reconfig":      {func(s *scene) { s.removed(1, 2, 3) }, "server.1 is missing", false},
		"no quorum among the others": {func(s *scene) {
			for _, id := range []ensemble.ID{2, 3} {
				s.view(id).Live = vantage.Sighting{Reach: vantage.NotServing, SyncedFollowers: -1, Learners: -1}
			}
		}, "no leader is seen", false},
		"no path from here": {func(s *scene) {
			s.view(1).Live.Reach = vantage.Timeout
			s.view(1).Cluster.Pod.Container = migration.ContainerReady
		}, "was not seen from here", false},
		"out of memory": {func(s *scene) { s.view(1).Cluster.Pod.OutOfMemory = true }, "more memory than its limit", false},
		"its log names a file": {func(s *scene) {
			s.view(1).Cluster.Pod.Log.Says = []string{"FileNotFoundException: /keys.p12"}
		}, "its log (which anyone who can reach the server can write to) says: FileNotFoundException: /keys.p12", false},
		"it gets snapshots again and again": {func(s *scene) {
			s.view(1).Cluster.Pod.Log.Says, s.view(1).Cluster.Pod.Log.Snapshots = []string{"SocketException: Broken pipe"}, 3
		}, "\"Getting a snapshot from leader\" 3 times, so that is too short", true},
		"it ends and is started": {func(s *scene) { s.view(1).Cluster.Pod.Restarts = 3 }, "--previous", true},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			s := healthy("3.8.0", 1, 2, 3)
			s.started(1).Released = ago(5 * time.Minute)
			s.view(1).Live = vantage.Sighting{Reach: vantage.NotServing, SyncedFollowers: -1, Learners: -1}
			c.set(s)
			d := migration.Decide(migration.Intent{Kind: migration.Replace, ID: 1, By: "bob"}, s.o)
			text := strings.Join(d.Evidence, "\n")
			if d.Code != migration.CodeJoining || !strings.Contains(text, c.says) || d.Next == "" {
				t.Errorf("%s %s: %s does not say %q", d.Code, d.Reason, text, c.says)
			}
			if strings.Contains(text, "initLimit gives") != c.initLimit || strings.Contains(text, "--data=copy") != c.initLimit {
				t.Errorf("it speaks of initLimit: %t\n%s", !c.initLimit, text)
			}
		})
	}
}
