package migration_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// lists has every server show its list, as 3.5 and later do.
func (s *scene) lists() {
	for i := range s.o.Servers {
		s.o.Servers[i].Live.Members = listing(s.o.Record, nil)
	}
}

// relist changes the list that one server shows.
func (s *scene) relist(by ensemble.ID, change func([]ensemble.Server) []ensemble.Server) {
	s.view(by).Live.Members = change(listing(s.o.Record, nil))
}

// removed is what a reconfig -remove by hand leaves on the servers given.
func (s *scene) removed(id ensemble.ID, by ...ensemble.ID) {
	for _, b := range by {
		s.relist(b, func(l []ensemble.Server) []ensemble.Server {
			return slices.DeleteFunc(l, func(m ensemble.Server) bool { return m.ID == id })
		})
	}
}

// listMoments are the moments before something is stopped, begun, released or
// counted as done; right is what comes while the lists are the record's.
func listMoments() map[string]struct {
	kind  migration.FlightKind
	id    ensemble.ID
	set   func(*scene)
	right migration.StepID
} {
	type moment = struct {
		kind  migration.FlightKind
		id    ensemble.ID
		set   func(*scene)
		right migration.StepID
	}
	return map[string]moment{
		"a replacement begins": {migration.Replace, 1, func(*scene) {}, migration.StepBegin},
		"a host is stopped": {migration.Replace, 1, func(s *scene) {
			f := s.flight(migration.Replace, 1)
			f.Fenced, f.Before = yes(), s.proof(epoch, counter-10, 3*time.Second, true)
		}, migration.StepStopHost},
		"a host is asked to stop again": {migration.Replace, 1, func(s *scene) {
			s.stopAsked(1).StopAsked = ago(time.Minute)
		}, migration.StepStopHost},
		"a pod is released": {migration.Replace, 1, func(s *scene) { s.unbridged(1) }, migration.StepRelease},
		"a replacement is done": {migration.Replace, 1, func(s *scene) {
			s.joined(1, time.Minute)
			s.view(1).Cluster.Pod.Container = migration.ContainerReady
		}, migration.StepFinish},
		"a restart begins": {migration.Reconfigure, 1, func(s *scene) { s.server(1).Reconfigured = nil }, migration.StepBeginRestart},
		"a restart is asked for": {migration.Reconfigure, 1, func(s *scene) {
			s.server(1).Reconfigured = nil
			f := s.flight(migration.Reconfigure, 1)
			f.Patched, f.Before = yes(), s.proof(epoch, counter, 0, true)
		}, migration.StepStopHost},
		"a serving pod is stopped": {migration.Revert, 1, func(s *scene) {
			f := s.reverting(1)
			f.Before = s.proof(epoch, counter, 0, true)
		}, migration.StepCloseGate},
	}
}

// TestNothingIsDoneOnAnotherList: somebody changes the list by hand (reconfig, or
// a restart with another file) right before each of these moments.
func TestNothingIsDoneOnAnotherList(t *testing.T) {
	faults := map[string]struct {
		set  func(*scene)
		says string
	}{
		"one was removed": {func(s *scene) { s.removed(2, 2, 3) }, "server.2 is missing"},
		"one was added": {func(s *scene) {
			s.relist(3, func(l []ensemble.Server) []ensemble.Server { return append(l, ensemble.Server{ID: 9}) })
		}, "server.9 is none"},
		"the old address": {func(s *scene) {
			s.relist(3, func(l []ensemble.Server) []ensemble.Server { l[1].Host = "10.0.0.2"; return l })
		}, "server.2 is 10.0.0.2, not 10.96.0.2"},
		"another address": {func(s *scene) {
			s.relist(3, func(l []ensemble.Server) []ensemble.Server { l[1].Host = "10.96.0.9"; return l })
		}, "neither 10.96.0.2"},
		"another port": {func(s *scene) {
			s.relist(3, func(l []ensemble.Server) []ensemble.Server { l[1].ElectionPort = 3889; return l })
		}, "3889"},
		"another role": {func(s *scene) {
			s.relist(3, func(l []ensemble.Server) []ensemble.Server { l[1].Role = ensemble.Observer; return l })
		}, "observer"},
		"more addresses": {func(s *scene) {
			s.relist(3, func(l []ensemble.Server) []ensemble.Server { l[1].More = []ensemble.PeerAddress{{Host: "h"}}; return l })
		}, "further addresses"},
		"a name of elsewhere": {func(s *scene) {
			s.relist(3, func(l []ensemble.Server) []ensemble.Server { l[1].Host = "demo-2.evil.example"; return l })
		}, "demo-2.evil.example"},
		"the right one": {func(*scene) {}, ""},
		"the right one, named": {func(s *scene) {
			s.relist(3, func(l []ensemble.Server) []ensemble.Server { l[1].Host = "demo-2.zk.svc.cluster.local"; return l })
		}, ""},
		"not shown": {func(s *scene) { s.view(3).Live.Members = nil }, ""},
	}
	for when, m := range listMoments() {
		for what, f := range faults {
			t.Run(strings.ReplaceAll(when+", "+what, " ", "_"), func(t *testing.T) {
				s := healthy("3.8.0", 1, 2, 3)
				m.set(s)
				s.lists()
				f.set(s)
				d := migration.Decide(migration.Intent{Kind: m.kind, ID: m.id, By: "bob"}, s.o)
				if f.says == "" {
					if d.Step != m.right {
						t.Fatalf("got %s %s step %q: %s %q, want step %s", d.Kind, d.Code, d.Step, d.Reason, d.Evidence, m.right)
					}
					return
				}
				if d.Kind == migration.Do || d.Code != migration.CodeListDiffers {
					t.Fatalf("got %s %s step %q: %s", d.Kind, d.Code, d.Step, d.Reason)
				}
				if text := strings.Join(d.Evidence, "\n"); !strings.Contains(text, f.says) || !strings.Contains(text, "server 3") {
					t.Errorf("it does not say %q of server 3: %s", f.says, text)
				}
				if d.Next == "" {
					t.Error("no way out is printed")
				}
			})
		}
	}
}

// TestNothingIsDoneOnAListThatWasNotRead: a server answers srvr, and its conf does
// not come. Which list it runs with is unknown then, and who it is, on 3.4 too. The
// one that is being stopped, or is down, is not asked who it is.
func TestNothingIsDoneOnAListThatWasNotRead(t *testing.T) {
	for when, m := range listMoments() {
		for _, version := range []string{"3.4.13", "3.8.0"} {
			for _, id := range []ensemble.ID{1, 2, 3} {
				if id == m.id && slices.Contains([]migration.StepID{migration.StepStopHost, migration.StepRelease, migration.StepCloseGate}, m.right) {
					continue
				}
				t.Run(strings.ReplaceAll(when+" "+version+" "+id.String(), " ", "_"), func(t *testing.T) {
					s := healthy(version, 1, 2, 3)
					m.set(s)
					if version != "3.4.13" {
						s.lists()
					}
					s.view(id).Live.Members, s.view(id).Live.ServerID, s.view(id).Live.ConfUnread = nil, ensemble.MaybeID{}, true
					d := migration.Decide(migration.Intent{Kind: m.kind, ID: m.id, By: "bob"}, s.o)
					if d.Kind == migration.Do {
						t.Fatalf("got step %q: %s", d.Step, d.Reason)
					}
					if text := d.Reason + strings.Join(d.Evidence, "\n"); !strings.Contains(text, "conf, which") {
						t.Errorf("it does not say what was not read: %s %s", d.Code, text)
					}
				})
			}
		}
	}
}

// TestTheWayOutOfAnotherList: status is not healthy and prints what sets the list
// again; the server's restart is verified again; revert is not refused.
func TestTheWayOutOfAnotherList(t *testing.T) {
	s := healthy("3.8.0", 1, 2, 3)
	s.lists()
	if st := migration.Summarize(s.o); !st.Healthy || len(migration.Relisted(s.o)) > 0 {
		t.Fatalf("the right lists: %+v, %v", st.Problems, migration.Relisted(s.o))
	}
	s.removed(2, 1, 3)
	st := migration.Summarize(s.o)
	if st.Healthy || len(st.Problems) != 1 || st.Problems[0].Code != migration.CodeListDiffers || len(st.Problems[0].Evidence) < 2 ||
		!strings.Contains(st.Problems[0].Evidence[0], "live list of server 1") || st.Next != "kubectl zkmigrate reconfigure demo --verify -n zk" {
		t.Errorf("a static list: %+v, next %q", st.Problems, st.Next)
	}
	if got := migration.Relisted(s.o); !slices.Equal(got, []ensemble.ID{1, 3}) {
		t.Errorf("to be verified again: %v", got)
	}
	s.o.Record.Pods.DynamicName = "zoo.cfg.dynamic"
	want := "zkCli.sh -server 10.96.0.3:2181 reconfig -members 'server.1=10.96.0.1:2888:3888:participant;2181,server.2=10.96.0.2:2888:3888:participant;2181,server.3=10.96.0.3:2888:3888:participant;2181'"
	if st = migration.Summarize(s.o); st.Next != want {
		t.Errorf("a dynamic list: next %q\nwant %q", st.Next, want)
	}
	for _, p := range migration.Plan(s.o).Phases {
		if p.Name == migration.PlanReplace && p.Servers[0].Code != migration.CodeListDiffers {
			t.Errorf("the plan: %+v", p.Servers[0])
		}
	}
	s = healthy("3.8.0", 1, 2, 3)
	s.proven(3)
	s.lists()
	s.removed(2, 1)
	if d := migration.Decide(migration.Intent{Kind: migration.Revert, ID: 3, By: "bob"}, s.o); d.Kind != migration.Do {
		t.Errorf("the way back of a host that was stopped: %s %s: %s", d.Kind, d.Code, d.Reason)
	}
}
