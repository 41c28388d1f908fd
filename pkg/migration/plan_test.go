package migration_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// lines is a plan in short: one line a phase, one a server.
func lines(p migration.EnsemblePlan) []string {
	out := []string{fmt.Sprintf("elections %d", p.Elections)}
	for _, phase := range p.Phases {
		out = append(out, fmt.Sprintf("%s: %d", phase.Name, phase.Elections))
		for _, s := range phase.Servers {
			line := fmt.Sprintf("%d %s %s", s.ID, s.Readiness, s.Code)
			if s.Election {
				line += " election"
			}
			out = append(out, line)
		}
	}
	for _, a := range p.Advice {
		out = append(out, "advice: "+a.Command)
	}
	return out
}

func TestPlan(t *testing.T) {
	tests := []struct {
		name string
		make func() *scene
		want []string
	}{
		{"the leader goes last", func() *scene {
			s := healthy("3.8.0", 1, 2, 3)
			s.leader(2)
			return s
		}, []string{"elections 1", "clients: 0", "replace: 1", "1 ready Step", "3 ready Step", "2 ready Step election"}},
		{"copied data on 3.4 with three voters", func() *scene { return healthy("3.4.13", 2, 5, 9) },
			[]string{"elections 1", "clients: 0", "replace: 1", "2 ready Step", "5 ready Step", "9 ready Step election",
				"advice: kubectl zkmigrate replace demo --id=2 --data=copy -n zk"}},
		{"copied data on 3.5 with four voters", func() *scene { return healthy("3.5.9", 1, 2, 3, 4) },
			[]string{"elections 1", "clients: 0", "replace: 1", "1 ready Step", "2 ready Step", "3 ready Step", "4 ready Step election",
				"advice: kubectl zkmigrate replace demo --id=1 --data=copy -n zk"}},
		{"five voters have one to spare", func() *scene { return healthy("3.4.13", 1, 2, 3, 4, 5) },
			[]string{"elections 1", "clients: 0", "replace: 1", "1 ready Step", "2 ready Step", "3 ready Step", "4 ready Step", "5 ready Step election"}},
		{"an observer has nothing to forget", func() *scene {
			s := healthy("3.4.13", 1, 2, 3, 4)
			s.observer(4, 3)
			for _, id := range []ensemble.ID{1, 2, 3} {
				s.replaced(id)
			}
			return s
		}, []string{"elections 0", "replace: 0", "4 ready Step"}},
		{"the restart comes first, its leader last", func() *scene {
			s := healthy("3.8.0", 1, 2, 3)
			for _, id := range []ensemble.ID{1, 3} {
				s.server(id).Reconfigured = nil
			}
			return s
		}, []string{"elections 2", "clients: 0", "reconfigure: 1", "1 ready Step", "3 ready Step election",
			"replace: 1", "1 ready Step", "2 ready Step", "3 ready Step election"}},
		{"the leader has been restarted", func() *scene {
			s := healthy("3.8.0", 1, 2, 3)
			s.server(1).Reconfigured = nil
			return s
		}, []string{"elections 1", "clients: 0", "reconfigure: 0", "1 ready Step", "replace: 1", "1 ready Step", "2 ready Step", "3 ready Step election"}},
		{"right after the wrap, of servers that show their lists", func() *scene {
			s := healthy("3.8.0", 1, 2, 3)
			hosts := map[ensemble.ID]string{}
			for i := range s.o.Record.Servers {
				sr := &s.o.Record.Servers[i]
				sr.Reconfigured, hosts[sr.ID] = nil, sr.HostIP
			}
			for i := range s.o.Servers {
				s.o.Servers[i].Live.Members = listing(s.o.Record, hosts)
			}
			return s
		}, []string{"elections 2", "clients: 0", "reconfigure: 1", "1 ready Step", "2 ready Step", "3 ready Step election",
			"replace: 1", "1 ready Step", "2 ready Step", "3 ready Step election"}},
		{"and one of them lacks a server", func() *scene {
			s := healthy("3.8.0", 1, 2, 3)
			s.lists()
			s.server(1).Reconfigured = nil
			s.removed(3, 1)
			return s
		}, []string{"elections 1", "clients: 0", "reconfigure: 0", "1 ready Step",
			"replace: 1", "1 blocked ListDiffers", "2 blocked ListDiffers", "3 blocked ListDiffers election"}},
		{"pods that do not exist yet", func() *scene {
			s := healthy("3.8.0", 1, 2, 3)
			for i := range s.o.Servers {
				s.o.Servers[i].Cluster.Pod, s.o.Servers[i].Cluster.Gate = migration.PodView{Source: migration.Source{Missing: true}}, migration.GateView{}
			}
			return s
		}, []string{"elections 1", "clients: 0", "replace: 1", "1 ready Step", "2 ready Step", "3 ready Step election"}},
		{"a pod is not parked", func() *scene {
			s := healthy("3.8.0", 1, 2, 3)
			s.view(2).Cluster.Pod.Container = migration.ContainerDown
			return s
		}, []string{"elections 1", "clients: 0", "replace: 1", "1 ready Step", "2 waits PodNotParked", "3 ready Step election"}},
		{"a server is down", func() *scene {
			s := healthy("3.8.0", 1, 2, 3)
			s.down(1)
			return s
		}, []string{"elections 1", "clients: 0", "replace: 1", "1 blocked Degraded", "2 blocked Degraded", "3 blocked Degraded election"}},
		{"one in its pod, and the leader is", func() *scene {
			s := healthy("3.8.0", 1, 2, 3)
			s.replaced(3)
			return s
		}, []string{"elections 0", "replace: 0", "1 ready Step", "2 ready Step"}},
		{"a refused version", func() *scene { return healthy("3.5.7", 1, 2, 3) },
			[]string{"elections 1", "clients: 0", "replace: 1", "1 blocked VersionRefused", "2 blocked VersionRefused", "3 blocked VersionRefused election",
				"advice: kubectl zkmigrate replace demo --id=1 --data=copy -n zk"}},
		{"a ghost blocks everything", func() *scene {
			s := healthy("3.8.0", 1, 2, 3)
			s.replaced(1)
			s.host(1, vantage.PortOpen)
			return s
		}, []string{"elections 1", "replace: 1", "2 blocked GhostHost", "3 blocked GhostHost election"}},
		{"one is under way", func() *scene {
			s := healthy("3.8.0", 1, 2, 3)
			s.proven(1)
			return s
		}, []string{"elections 1", "under-way: 0", "1 ready Step", "replace: 1", "2 blocked OneAtATime", "3 blocked OneAtATime election"}},
		{"the leader is under way and has not been stopped", func() *scene {
			s := healthy("3.8.0", 1, 2, 3)
			s.replaced(1)
			s.replaced(2)
			s.flight(migration.Replace, 3)
			return s
		}, []string{"elections 1", "under-way: 1", "3 ready Step election"}},
		{"the pod that is under way leads already", func() *scene {
			s := healthy("3.8.0", 1, 2, 3)
			s.serving(1)
			s.leader(1)
			return s
		}, []string{"elections 0", "under-way: 0", "1 ready Step", "replace: 0", "2 blocked OneAtATime", "3 blocked OneAtATime"}},
		{"a revert is under way", func() *scene {
			s := healthy("3.8.0", 1, 2, 3)
			s.flippedBack(1)
			return s
		}, []string{"elections 1", "under-way: 0", "1 ready Step", "replace: 1", "2 blocked OneAtATime", "3 blocked OneAtATime election"}},
		{"the end", func() *scene {
			s := healthy("3.8.0", 1, 2, 3)
			for _, id := range []ensemble.ID{1, 2, 3} {
				s.replaced(id)
			}
			return s
		}, []string{"elections 0"}},
		{"half a view", func() *scene {
			s := healthy("3.8.0", 1, 2, 3)
			s.o.ClusterComplete = false
			return s
		}, []string{"elections 1", "clients: 0", "replace: 1", "1 waits APIIncomplete", "2 waits APIIncomplete", "3 waits APIIncomplete election"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := tt.make()
			seen := migration.Summarize(s.o)
			p := migration.Plan(s.o)
			if diff := cmp.Diff(tt.want, lines(p)); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
			for _, phase := range p.Phases {
				for _, sv := range phase.Servers {
					if sv.Reason == "" {
						t.Errorf("server %d: no reason", sv.ID)
					}
				}
			}
			// Imagined worlds are copies.
			if diff := cmp.Diff(seen, migration.Summarize(s.o)); diff != "" {
				t.Errorf("the observation was changed:\n%s", diff)
			}
		})
	}
}

// TestPlanSaysWhyItIsSafe: the reason at a server's turn is Decide's own, also
// where its pod is yet to be made.
func TestPlanSaysWhyItIsSafe(t *testing.T) {
	s := healthy("3.8.0", 1, 2, 3)
	for i := range s.o.Servers {
		s.o.Servers[i].Cluster.Pod = migration.PodView{Source: migration.Source{Missing: true}}
	}
	p := migration.Plan(s.o)
	for _, sv := range p.Phases[1].Servers {
		if !strings.Contains(sv.Reason, "all 3 servers are in sync, 2 of 3 voters stay without server "+sv.ID.String()) {
			t.Errorf("server %d: %s", sv.ID, sv.Reason)
		}
	}
	if len(p.Phases[1].Steps) < 8 || p.Next != "kubectl zkmigrate replace demo --id=1 -n zk" {
		t.Errorf("got %+v", p)
	}
}

// TestPlanOfARestartLeavesTheOrderOpen: nobody can know who leads after it.
func TestPlanOfARestartLeavesTheOrderOpen(t *testing.T) {
	s := healthy("3.8.0", 1, 2, 3)
	s.server(3).Reconfigured = nil
	p := migration.Plan(s.o)
	if last := p.Phases[len(p.Phases)-1]; !strings.Contains(last.Note, "whoever leads then goes last") {
		t.Errorf("got %+v", last)
	}
}
