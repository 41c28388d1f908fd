package migration_test

import (
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// hidden: no answer from a server at any of its addresses.
func (s *scene) hidden(ids ...ensemble.ID) {
	for _, id := range ids {
		v := s.view(id)
		v.Live = vantage.Sighting{Reach: vantage.Timeout, SyncedFollowers: -1, Learners: -1}
		v.Host = migration.HostView{Client: vantage.PortSilent, Election: vantage.PortSilent}
	}
}

// rejecting: every connection to a server is refused, in its name.
func (s *scene) rejecting(ids ...ensemble.ID) {
	for _, id := range ids {
		v := s.view(id)
		v.Live = vantage.Sighting{Reach: vantage.Refused, SyncedFollowers: -1, Learners: -1}
		s.host(id, vantage.PortClosed)
	}
}

// idle: a server says that it takes part in no quorum.
func (s *scene) idle(ids ...ensemble.ID) {
	for _, id := range ids {
		s.view(id).Live = vantage.Sighting{Reach: vantage.NotServing, SyncedFollowers: -1, Learners: -1}
	}
}

func TestNothingIsDoneOnWhatWasNotSeen(t *testing.T) {
	back := func(set func(*scene)) func(*scene) {
		return func(s *scene) { s.replaced(1); s.replaced(2); s.replaced(3); set(s) }
	}
	checkAll(t, []rule{
		{
			name: "a replacement asks again for a while", set: func(s *scene) { s.hidden(2) }, unseen: time.Second,
			want: wait, code: migration.CodeUnseen, says: "server 2: not seen",
		},
		{
			name: "and then refuses", set: func(s *scene) { s.hidden(2) }, unseen: migration.UnseenPatience,
			want: stop, code: migration.CodeUnseen, says: "nothing was changed",
		},
		{
			name: "somebody who was seen not to serve is said at once", set: func(s *scene) { s.hidden(2); s.idle(3) }, unseen: time.Second,
			want: stop, code: migration.CodeDegraded,
		},
		{
			name: "a replaced server that is not seen is neither done nor away", set: func(s *scene) { s.replaced(1); s.hidden(1) }, unseen: time.Second,
			want: wait, code: migration.CodeUnseen, says: "which runs in pod demo-pod-0, is not seen from here",
		},
		{
			name: "nor later", set: func(s *scene) { s.replaced(1); s.hidden(1) }, unseen: migration.UnseenPatience,
			want: stop, code: migration.CodeUnseen, says: "it may serve",
		},
		{
			name: "nor is one that is seen by half", set: func(s *scene) { s.replaced(1); s.view(1).Live.ConfUnread = true }, unseen: time.Second,
			want: wait, code: migration.CodeUnseen, says: "did not come whole",
		},
		{
			name: "begun, and nobody is seen: nothing is stopped", set: func(s *scene) { s.flight(migration.Replace, 1); s.hidden(1, 2, 3) },
			want: wait, code: migration.CodeUnseen, says: "nothing has been stopped",
		},
		{
			name: "begun, and something refuses our connections to all of them",
			set: func(s *scene) {
				f := s.flight(migration.Replace, 1)
				f.Fenced = yes()
				s.rejecting(1)
				s.hidden(2, 3)
				s.serve(1)
			},
			want: wait, code: migration.CodeUnseen,
		},
		{
			name: "revert of the leader by a machine that sees nobody", kind: migration.Revert, id: 3,
			set: back(func(s *scene) {
				f := s.flight(migration.Revert, 3)
				f.Served, f.Fenced = true, yes()
				s.hidden(1, 2, 3)
			}),
			want: wait, code: migration.CodeUnseen, says: "the pod goes on",
		},
		{
			name: "revert through something that refuses everything", kind: migration.Revert, id: 3,
			set: back(func(s *scene) {
				f := s.flight(migration.Revert, 3)
				f.Served, f.Fenced = true, yes()
				s.rejecting(1, 2, 3)
			}),
			want: wait, code: migration.CodeDegraded, says: "the pod goes on",
		},
		{
			name: "its address is the host's, and nobody is seen: its pod is not deleted", kind: migration.Revert,
			set:  func(s *scene) { s.flippedBack(1); s.hidden(1, 2, 3) },
			want: wait, code: migration.CodeUnseen,
		},
		{
			name: "a quorum has not been there for long: the pod may go", kind: migration.Revert, noQuorum: migration.NoQuorumFor,
			set: func(s *scene) {
				s.flippedBack(1)
				s.view(1).AtPod = vantage.Sighting{Reach: vantage.NotServing}
				s.rejecting(1, 2)
				s.idle(3)
			},
			want: do, step: migration.StepDeletePod,
		},
		{
			name: "a quorum that only we do not see", kind: migration.Revert, noQuorum: migration.NoQuorumFor,
			set:  func(s *scene) { s.flippedBack(1); s.rejecting(1, 2, 3) },
			want: wait, code: migration.CodeDegraded,
		},
		{
			name: "something refuses in the name of another voter: the watchdog does not bark", version: "3.4.13",
			set: func(s *scene) { s.started(1); s.rejecting(2) }, want: wait, code: migration.CodeJoining,
		},
		{
			name: "the pod itself is not seen: it may have synced", version: "3.4.13",
			set: func(s *scene) { s.started(1); s.down(2); s.hidden(1) }, want: wait, code: migration.CodeJoining,
		},
		{
			name: "something accepts every connection: no ghost", set: func(s *scene) { s.started(1); s.swallowed(1) },
			want: wait, code: migration.CodeJoining,
		},
		{
			name: "the same, of another server's old host", id: 2, set: func(s *scene) { s.replaced(1); s.swallowed(1) },
			want: do, step: migration.StepBegin,
		},
		{
			name: "the same, seen dead before: not taken for its return",
			set:  func(s *scene) { s.proven(1); s.swallowed(1) },
			want: wait, code: migration.CodeUnseen, says: "no ZooKeeper answers",
		},
		{
			name: "a given-up start goes on while the others cannot be seen",
			set: func(s *scene) {
				f := s.started(1)
				f.Aborted = "somebody closed the gate"
				s.hidden(2)
			},
			want: wait, code: migration.CodeUnseen, says: "the pod goes on",
		},
		{
			name: "nor is it ended while its pod serves, and says by half only who it is",
			set: func(s *scene) {
				f := s.started(1)
				f.Aborted, f.Line = "another voter dropped", &migration.Release{Generation: 3}
				s.view(1).Live = s.view(2).Live
				s.view(1).Live.ServerID, s.view(1).Live.ConfUnread = ensemble.MaybeID{}, true
			},
			want: wait, code: migration.CodeUnseen, says: "only partly seen",
		},
	})
}

// TestSomethingAcceptsAtAnOldHost: a proxy that accepts every connection is no
// second process, and is told all the same.
func TestSomethingAcceptsAtAnOldHost(t *testing.T) {
	s := healthy("3.8.0", 1, 2, 3)
	s.replaced(1)
	s.swallowed(1)
	problems := migration.Problems(s.o)
	if len(problems) != 1 || problems[0].Code != migration.CodeUnseen || problems[0].Class != migration.ClassNote || len(migration.Hindrances(problems)) != 0 {
		t.Errorf("got %+v", problems)
	}
}

func TestNoQuorum(t *testing.T) {
	for name, row := range map[string]struct {
		set  func(*scene)
		want bool
	}{
		"all serve":                      {func(*scene) {}, false},
		"nobody is seen":                 {func(s *scene) { s.hidden(1, 2, 3) }, false},
		"everybody refuses":              {func(s *scene) { s.rejecting(1, 2, 3) }, false},
		"two say so, one is not seen":    {func(s *scene) { s.idle(1, 2); s.hidden(3) }, true},
		"one says so, two refuse":        {func(s *scene) { s.idle(1); s.rejecting(2, 3) }, false},
		"two say so, one says it leads":  {func(s *scene) { s.idle(1, 2) }, true},
		"one is not seen in its own pod": {func(s *scene) { s.idle(1, 2, 3); s.view(1).AtPod.Reach = vantage.Timeout }, true},
		"two are not seen in their own pod": {func(s *scene) {
			s.idle(1, 2, 3)
			s.view(1).AtPod.Reach, s.view(2).AtPod.Reach = vantage.Timeout, vantage.Timeout
		}, false},
	} {
		s := healthy("3.8.0", 1, 2, 3)
		row.set(s)
		if got := s.o.NoQuorum(); got != row.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
