package migration_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// upTo are the ids 1 to n.
func upTo(n int) []ensemble.ID {
	var ids []ensemble.ID
	for id := range n {
		ids = append(ids, ensemble.ID(id+1))
	}
	return ids
}

// TestAnyNumberOfServers: from three to nine servers, guarded or not, with an
// observer or without, the stop and the release wait for each single one of the
// other voters, whoever it is and whatever ails it.
func TestAnyNumberOfServers(t *testing.T) {
	ails := map[string]func(s *scene, id ensemble.ID){
		"down":            func(s *scene, id ensemble.ID) { s.down(id) },
		"behind":          func(s *scene, id ensemble.ID) { s.view(id).Live.Zxid = zxid(epoch, counter-50) },
		"in an old epoch": func(s *scene, id ensemble.ID) { s.view(id).Live.Zxid = zxid(epoch-1, counter+50) },
		"looking":         func(s *scene, id ensemble.ID) { s.view(id).Live.Reach = vantage.NotServing },
		"somebody else":   func(s *scene, id ensemble.ID) { s.view(id).Live.ServerID = ensemble.ID(1).Known() },
	}
	stages := map[migration.StepID]func(s *scene){
		migration.StepStopHost: func(s *scene) {
			f := s.stopAsked(1)
			f.StopAsked, f.Before.Complete = nil, false
		},
		migration.StepRelease: func(s *scene) { s.unbridged(1).After.Complete = false },
		migration.StepRenew:   func(s *scene) { s.lostAndProven(1).After.Complete = false },
	}
	for n := 3; n <= 9; n++ {
		for _, version := range []string{"3.4.13", "3.8.0"} {
			for _, observer := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d servers, %s, observer %t", n, version, observer), func(t *testing.T) {
					for step, stage := range stages {
						fresh := func() *scene {
							s := healthy(version, upTo(n)...)
							if observer {
								s = healthy(version, upTo(n+1)...)
								s.observer(ensemble.ID(n+1), ensemble.ID(n))
							}
							stage(s)
							return s
						}
						if got := fresh().comesTo(step); !got {
							t.Errorf("healthy, and no %s", step)
						}
						for id := ensemble.ID(2); id <= ensemble.ID(n); id++ {
							for name, ail := range ails {
								s := fresh()
								ail(s, id)
								if s.comesTo(step) {
									t.Errorf("%s although server %d is %s", step, id, name)
								}
							}
						}
					}
				})
			}
		}
	}
}

// comesTo carries a proof on: it notes what is held, lets the disks have their
// time, and reports whether the step is what Decide comes to.
func (s *scene) comesTo(step migration.StepID) bool {
	for range 3 {
		d := migration.Decide(migration.Intent{Kind: migration.Replace, ID: 1, By: "bob"}, s.o)
		switch {
		case d.Step == step:
			return true
		case d.Step == migration.StepNoteBefore || d.Step == migration.StepNoteAfter:
			s.o.Record.Flight = d.Flight
		case d.Code == migration.CodeHold:
			s.o.At = s.o.At.Add(migration.DurabilityHold)
			for i := range s.o.Servers {
				s.o.Servers[i].Cluster.Pod.Report.At = s.o.At.Add(-time.Second)
			}
		default:
			return false
		}
	}
	return false
}

// TestQuorumOfEveryKind: who may be taken away follows from the quorum that is
// left, of weights and groups as of heads.
func TestQuorumOfEveryKind(t *testing.T) {
	groups := func(groups, weights []int) func(s *scene) {
		return func(s *scene) {
			for i := range groups {
				sr := s.server(ensemble.ID(i + 1))
				sr.Group, sr.Weight = groups[i], weights[i]
			}
		}
	}
	checkAll(t, []rule{
		{name: "three groups of three", ids: upTo(9), set: groups([]int{1, 1, 1, 2, 2, 2, 3, 3, 3}, []int{1, 1, 1, 1, 1, 1, 1, 1, 1}), want: do, step: migration.StepBegin},
		{
			name: "it carries its group, and the group the quorum", ids: upTo(4), set: groups([]int{1, 1, 2, 2}, []int{3, 1, 1, 3}),
			want: stop, code: migration.CodeQuorumAtRisk,
		},
		{
			name: "its weight is more than half", ids: upTo(5), set: groups([]int{1, 1, 1, 1, 1}, []int{5, 1, 1, 1, 1}),
			want: stop, code: migration.CodeQuorumAtRisk,
		},
		{name: "its weight is not", ids: upTo(5), set: groups([]int{1, 1, 1, 1, 1}, []int{2, 1, 1, 1, 1}), want: do, step: migration.StepBegin},
		{name: "two servers cannot spare one", ids: upTo(2), want: stop, code: migration.CodeQuorumAtRisk},
		{name: "nor can one", ids: upTo(1), want: stop, code: migration.CodeQuorumAtRisk},
	})
}
