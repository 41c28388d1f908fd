package migration_test

import (
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

func restartRules() []rule {
	fresh := func(s *scene) {
		for i := range s.o.Record.Servers {
			s.o.Record.Servers[i].Reconfigured = nil
		}
	}
	members := func(s *scene, host string) {
		for i := range s.o.Servers {
			for _, sr := range s.o.Record.Servers {
				m := sr.Server
				m.Host = sr.ClusterIP
				if host != "" {
					m.Host = host
				}
				s.o.Servers[i].Live.Members = append(s.o.Servers[i].Live.Members, m)
			}
		}
	}
	restarted := func(s *scene) *migration.Flight {
		fresh(s)
		f := s.flight(migration.Reconfigure, 1)
		f.Patched, f.Before, f.StopAsked = yes(), s.proof(epoch, counter-9, time.Minute, true), ago(time.Minute)
		f.DeadSince, f.Released = ago(time.Minute), ago(time.Second)
		return f
	}
	rules := []rule{
		{name: "done before", want: done, code: migration.CodeDone},
		{name: "begin", set: fresh, want: do, step: migration.StepBeginRestart},
		{name: "the leader last", id: 3, set: fresh, want: stop, code: migration.CodeLeaderLast, says: "reconfigure"},
		{name: "a replacement is under way", set: func(s *scene) { fresh(s); s.flight(migration.Replace, 1) }, want: stop, code: migration.CodeOneAtATime},
		{name: "patch first", set: func(s *scene) { fresh(s); s.flight(migration.Reconfigure, 1) }, want: do, step: migration.StepApplyPatch},
		{
			name: "then prove", set: func(s *scene) { fresh(s); s.flight(migration.Reconfigure, 1).Patched = yes() },
			want: do, step: migration.StepProveBefore,
		},
		{
			name: "then stop",
			set: func(s *scene) {
				fresh(s)
				f := s.flight(migration.Reconfigure, 1)
				f.Patched, f.Before = yes(), s.proof(epoch, counter, 0, true)
			},
			want: do, step: migration.StepStopHost,
		},
		{
			name: "put back: its gate was made since", set: func(s *scene) { restarted(s).Gate = 0 },
			want: do, step: migration.StepForget, says: "a journal of an earlier time",
		},
		{
			name: "put back: its Service points to its pod", set: func(s *scene) {
				restarted(s)
				s.view(1).Cluster.Service.Selector = "demo-0"
			},
			want: do, step: migration.StepForget, says: "has left its host",
		},
		{
			name: "there are no pods yet", set: func(s *scene) {
				restarted(s).Gate = 0
				s.view(1).Cluster.Gate = migration.GateView{}
				members(s, "")
			},
			want: do, step: migration.StepProveJoined,
		},
		{
			name: "it became the leader meanwhile: the others go first",
			set: func(s *scene) {
				fresh(s)
				f := s.flight(migration.Reconfigure, 1)
				s.leader(1)
				f.Patched, f.Before = yes(), s.proof(epoch, counter, 0, true)
			},
			want: do, step: migration.StepCancelRestart,
		},
		{
			name: "stopped before the proof",
			set: func(s *scene) {
				fresh(s)
				s.flight(migration.Reconfigure, 1).Patched = yes()
				s.host(1, vantage.PortClosed)
				s.down(1)
			},
			want: wait, code: migration.CodeStoppedTooEarly, says: "start the server again",
		},
		{
			// The observer goes after the leader: it is nobody the leader waits for,
			// neither when its restart begins nor when it is to be stopped.
			name: "the leader is stopped while only an observer is left", id: 3,
			set: func(s *scene) {
				fresh(s)
				s.observer(1, 3)
				s.server(2).Reconfigured = yes()
				f := s.flight(migration.Reconfigure, 3)
				f.Patched, f.Before = yes(), s.proof(epoch, counter, 0, true)
			},
			want: do, step: migration.StepStopHost,
		},
		{
			name: "another server is down",
			set: func(s *scene) {
				fresh(s)
				s.flight(migration.Reconfigure, 1).Patched = yes()
				s.down(2)
			},
			want: wait, code: migration.CodeDegraded,
		},
		{
			name: "asked, still up",
			set:  func(s *scene) { f := restarted(s); f.DeadSince, f.Released, f.StopAsked = nil, nil, ago(time.Second) },
			want: wait, code: migration.CodeHostStillUp,
		},
		{
			name: "asked, and its ports are not seen any more: neither up nor down",
			set: func(s *scene) {
				f := restarted(s)
				f.DeadSince, f.Released, f.StopAsked = nil, nil, ago(time.Minute)
				s.down(1)
				s.view(1).Host = migration.HostView{Client: vantage.PortClosed, Election: vantage.PortSilent}
			},
			want: wait, code: migration.CodeHostSilent, says: "whether its server has stopped cannot be seen",
		},
		{
			name: "a port is not seen before the stop",
			set: func(s *scene) {
				fresh(s)
				f := s.flight(migration.Reconfigure, 1)
				f.Patched, f.Before = yes(), s.proof(epoch, counter, 0, true)
				s.view(1).Host.Election = vantage.PortSilent
			},
			want: wait, code: migration.CodeUnseen, says: "nothing has been stopped",
		},
		{
			name: "dead: noted",
			set: func(s *scene) {
				f := restarted(s)
				f.DeadSince, f.Released = nil, nil
				s.host(1, vantage.PortClosed)
				s.down(1)
			},
			want: do, step: migration.StepNoteDead,
		},
		{
			name: "dead: start",
			set:  func(s *scene) { restarted(s).Released = nil; s.host(1, vantage.PortClosed); s.down(1) },
			want: do, step: migration.StepStartHost,
		},
		{
			name: "starting", set: func(s *scene) { restarted(s); s.host(1, vantage.PortClosed); s.down(1) },
			want: wait, code: migration.CodeHostStarting, says: "apply the undo patch that lies beside the patch",
		},
		{
			name: "restarted without the file",
			set:  func(s *scene) { restarted(s); members(s, "zk1.example.com") },
			want: stop, code: migration.CodeNotReconfigured, says: "10.0.0.1",
		},
		{
			name: "it does not listen on all addresses",
			set:  func(s *scene) { restarted(s); members(s, ""); s.view(1).Host.Election = vantage.PortClosed },
			want: wait, code: migration.CodeHostStarting, says: "quorumListenOnAllIPs",
		},
		{name: "runs with the list: prove", set: func(s *scene) { restarted(s); members(s, "") }, want: do, step: migration.StepProveJoined},
		{
			name: "finish", set: func(s *scene) { restarted(s).Joined = s.proof(epoch, counter, 0, true); members(s, "") },
			want: do, step: migration.StepFinishRestart,
		},
	}
	for i := range rules {
		rules[i].kind = migration.Reconfigure
	}
	return rules
}

func TestRestart(t *testing.T) { checkAll(t, restartRules()) }
