package migration_test

import (
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// TestWithoutWeight: a server of weight 0 has no vote, and the leader counts it
// among its followers all the same (mntr's zk_synced_followers, seen on 3.4.13 and
// 3.8.0).
func TestWithoutWeight(t *testing.T) {
	// Servers 1 to 3 vote, 3 leads, 4 has no weight.
	weightless := func(s *scene) { s.server(4).Weight = 0; s.leader(3) }
	forwards := func(s *scene, n int) { s.view(3).Live.SyncedFollowers = n }
	back := func(s *scene) {
		weightless(s)
		f := s.backAtHost(1)
		f.Unfenced, f.Released, f.Joined = yes(), ago(time.Minute), s.proof(epoch, counter, time.Minute, true)
		s.host(1, vantage.PortOpen)
		s.serve(1)
	}
	rules := []rule{
		{
			name: "it has lost its data, and waits for the end of this", id: 1,
			set: func(s *scene) {
				weightless(s)
				f := s.joined(1, time.Minute)
				s.lost(4)
				s.o.Record.Flight = f
				forwards(s, 2)
			},
			want: do, step: migration.StepFinish,
		},
		{
			name: "it has dropped, and a replacement waits for it", id: 1,
			set:  func(s *scene) { weightless(s); s.joined(1, time.Minute); s.down(4) },
			want: wait, code: migration.CodeNotSynced,
		},
		{
			name: "it has dropped, and the way back does not wait for it", kind: migration.Revert, id: 1,
			set: func(s *scene) { back(s); s.down(4) }, want: do, step: migration.StepFinishRevert,
		},
		{
			name: "it is up, and the way back waits for the leader to count it", kind: migration.Revert, id: 1,
			set: func(s *scene) { back(s); forwards(s, 2) }, want: wait, code: migration.CodeNotSynced,
		},
		{
			name: "it follows, and is not taken for the pod", kind: migration.Revert, id: 1,
			set: func(s *scene) {
				weightless(s)
				s.flippedBack(1)
				s.down(1)
				s.down(2)
				forwards(s, 1)
			},
			want: wait, code: migration.CodeDegraded,
		},
		{
			name: "it follows, and so does the pod, which the others need", kind: migration.Revert, id: 1,
			set: func(s *scene) {
				weightless(s)
				s.flippedBack(1)
				s.down(1)
				s.down(2)
				forwards(s, 2)
			},
			want: wait, code: migration.CodeDegraded, says: "the pod goes on",
		},
	}
	for i := range rules {
		rules[i].ids = []ensemble.ID{1, 2, 3, 4}
	}
	checkAll(t, rules)
}
