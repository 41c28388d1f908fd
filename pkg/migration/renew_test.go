package migration_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// renewing: a server that was replaced long ago begins anew.
func (s *scene) renewing(id ensemble.ID) *migration.Flight {
	s.lost(id)
	f := s.flight(migration.Replace, id)
	f.Served, f.Renewing = true, ago(10*time.Second)
	return f
}

// lostAndProven: renewing, and the others hold everything.
func (s *scene) lostAndProven(id ensemble.ID) *migration.Flight {
	f := s.renewing(id)
	f.After = s.proof(epoch, counter-5, 5*time.Second, true)
	s.view(id).Cluster.Pod.UID = "pod-1-new"
	return f
}

func renewRules() []rule {
	pod := func(s *scene) *migration.PodView { return &s.view(1).Cluster.Pod }
	shut := func(s *scene, id ensemble.ID) {
		s.replaced(id)
		s.server(id).Release = &migration.Release{Generation: 1, Start: "empty:pod-2"}
		s.view(id).Cluster.Gate.Released = false
	}
	anew := func(s *scene) *migration.EndpointsView {
		s.replaced(1)
		s.host(1, vantage.PortClosed)
		v := &s.view(1).Cluster
		v.Service.Selector, v.Endpoints = "", migration.EndpointsView{}
		return &v.Endpoints
	}
	return []rule{
		{name: "a replaced server has lost its volume", set: func(s *scene) { s.lost(1) }, want: do, step: migration.StepBeginRenewal, says: "why it refuses"},
		{
			name: "its pod does not run", set: func(s *scene) {
				s.lost(1)
				*pod(s) = migration.PodView{UID: "u", Name: "demo-pod-0", Problem: "no node takes the pod"}
			},
			want: stop, code: migration.CodePodAway, says: "kubectl delete pod demo-pod-0 -n zk",
		},
		{
			name: "the pod has not read the newest gate", set: func(s *scene) { s.lost(1); pod(s).Report.Generation = 1 },
			want: stop, code: migration.CodePodAway,
		},
		{
			name: "its Service was made again, with nothing behind it", set: func(s *scene) { anew(s) },
			want: do, step: migration.StepFlip, says: "server 1 runs in pod demo-pod-0",
		},
		{
			name: "and the address is the pod's", set: func(s *scene) {
				ep := anew(s)
				ep.BridgeFound, ep.Bridge, ep.BridgePodUID, ep.Union = true, []string{pod(s).IP}, pod(s).UID, []string{pod(s).IP}
			},
			want: do, step: migration.StepAdopt,
		},
		{
			name: "and the controller has it", set: func(s *scene) {
				s.replaced(1)
				s.view(1).Cluster.Endpoints.BridgeFound = true
			},
			want: do, step: migration.StepDropBridge,
		},
		{
			name: "the gates of two are gone: one after the other", set: func(s *scene) {
				s.replaced(1)
				s.replaced(2)
				for _, id := range []ensemble.ID{1, 2} {
					s.host(id, vantage.PortClosed)
					s.view(id).Cluster.Gate = migration.GateView{Found: true, Generation: 9}
					s.server(id).Release = &migration.Release{Generation: 2, Start: "empty:a"}
				}
			},
			want: do, step: migration.StepRestoreGate,
		},
		{
			name: "the journal was put back in the middle of its revert, and its pod is another one by now", set: func(s *scene) {
				anew(s)
				s.view(1).Cluster.Endpoints = migration.EndpointsView{Controller: []string{"10.244.0.77"}, Union: []string{"10.244.0.77"}, Leftovers: []string{"demo-1-x"}}
			},
			want: do, step: migration.StepDeleteLeftovers, says: "demo-1-x",
		},
		{
			name: "the same, and its pod is the same", set: func(s *scene) {
				anew(s)
				s.view(1).Cluster.Endpoints = migration.EndpointsView{Controller: []string{"10.244.0.1"}, Union: []string{"10.244.0.1"}, Leftovers: []string{"demo-1-x"}}
			},
			want: do, step: migration.StepFlip,
		},
		{
			name: "the Services of two were made again: one after the other", set: func(s *scene) {
				anew(s)
				s.replaced(2)
				s.host(2, vantage.PortClosed)
				s.view(2).Cluster.Service.Selector, s.view(2).Cluster.Endpoints = "", migration.EndpointsView{}
			},
			want: do, step: migration.StepFlip,
		},
		{
			name: "a gate that was closed in the middle of another one's move", set: func(s *scene) {
				s.replaced(1)
				s.host(1, vantage.PortClosed)
				s.started(2)
				s.view(1).Cluster.Gate = migration.GateView{Found: true, Generation: 9}
				s.server(1).Release = &migration.Release{Generation: 2, Start: "empty:a"}
			},
			want: do, step: migration.StepRestoreGate,
		},
		{
			name: "the whole gate, too", set: func(s *scene) {
				s.replaced(1)
				s.host(1, vantage.PortClosed)
				s.started(2)
				s.view(1).Cluster.Gate = migration.GateView{}
			},
			want: do, step: migration.StepPark,
		},
		{
			name: "and then the other one's move goes on", set: func(s *scene) {
				s.replaced(1)
				s.host(1, vantage.PortClosed)
				s.started(2)
			},
			want: stop, code: migration.CodeOneAtATime, says: "replace demo --id=2",
		},
		{
			name: "the endpoints of one on its host, in the middle of another one's move", kind: migration.Revert, set: func(s *scene) {
				s.started(2)
				s.view(1).Cluster.Endpoints = migration.EndpointsView{}
			},
			want: do, step: migration.StepFlipBack,
		},
		{
			name: "a revert of one on its host, and nothing is wrong with it", kind: migration.Revert, set: func(s *scene) { s.started(2) },
			want: stop, code: migration.CodeOneAtATime, says: "replace demo --id=2",
		},
		{
			name: "the other one's old host answers", set: func(s *scene) {
				anew(s)
				s.replaced(2)
				s.host(2, vantage.PortOpen)
			},
			want: stop, code: migration.CodeGhostHost,
		},
		{
			name: "nothing new begins meanwhile", id: 3, set: func(s *scene) {
				anew(s)
			},
			want: stop, code: migration.CodeJournalDisagrees, says: "replace demo --id=1",
		},
		{
			name: "it was on its way back, and the journal of before was put back",
			set:  func(s *scene) { s.flippedBack(1); s.o.Record.Flight = nil; s.host(1, vantage.PortOpen) },
			want: stop, code: migration.CodeJournalDisagrees, says: "revert demo --id=1",
		},
		{
			name: "and its host was stopped since",
			set: func(s *scene) {
				s.flippedBack(1)
				s.o.Record.Flight = nil
				s.server(1).Release = &migration.Release{Generation: 2, Start: "empty:a"}
			},
			want: stop, code: migration.CodeJournalDisagrees, says: "revert demo --id=1",
		},
		{
			name: "a restart that takes a while", set: func(s *scene) { s.replaced(1); s.host(1, vantage.PortClosed); s.down(1) },
			want: wait, code: migration.CodePodStarting, says: "kubectl logs demo-pod-0 -n zk",
		},
		{
			name: "its gate refuses for another reason", set: func(s *scene) {
				s.replaced(1)
				s.host(1, vantage.PortClosed)
				s.down(1)
				pod(s).Report.State, pod(s).Report.Detail = migration.GateRefused, "the gate's released list is garbled"
			},
			want: stop, code: migration.CodePodAway, says: "kubectl logs demo-pod-0 -c gate -n zk",
		},
		{
			name: "its pod is being made", set: func(s *scene) {
				s.replaced(1)
				s.host(1, vantage.PortClosed)
				s.down(1)
				*pod(s) = migration.PodView{UID: "u", Name: "demo-pod-0", Container: migration.ContainerPreparing, Problem: "no node was chosen for the pod yet"}
			},
			want: wait, code: migration.CodePodStarting, says: "no node was chosen",
		},
		{
			name: "the pod has not seen its line yet", set: func(s *scene) {
				s.replaced(1)
				s.host(1, vantage.PortClosed)
				s.down(1)
				pod(s).Report.State = migration.GateParked
			},
			want: wait, code: migration.CodePodStarting,
		},
		{
			name: "and its old host answers", set: func(s *scene) { anew(s); s.host(1, vantage.PortOpen) },
			want: stop, code: migration.CodeGhostHost,
		},
		{
			name: "and the pod is away, too", set: func(s *scene) { anew(s); *pod(s) = migration.PodView{}; s.down(1) },
			want: wait, code: migration.CodePodStarting,
		},
		{
			name: "another one's gate is closed: it comes first", set: func(s *scene) { shut(s, 2); s.lost(1) },
			want: stop, code: migration.CodeDegraded, says: "kubectl zkmigrate replace demo --id=2 -n zk",
		},
		{
			name: "another one's gate was closed meanwhile: so it does", set: func(s *scene) { shut(s, 2); s.renewing(1); s.down(2) },
			want: wait, code: migration.CodeDegraded, says: "kubectl zkmigrate replace demo --id=2 -n zk",
		},
		{name: "the others prove themselves whole", set: func(s *scene) { s.renewing(1) }, want: do, step: migration.StepProveAfter},
		{name: "another one is away", set: func(s *scene) { s.renewing(1); s.down(2) }, want: wait, code: migration.CodeDegraded},
		{
			name: "the proof before the first start does not count",
			set:  func(s *scene) { s.refused(1, migration.CauseInterrupted) }, want: do, step: migration.StepBeginRenewal,
		},
		{
			name: "an election meanwhile is no dead end", set: func(s *scene) { s.renewing(1).After = s.proof(epoch-1, 5, time.Minute, true) },
			want: do, step: migration.StepProveAfter,
		},
		{
			name: "the disks of the others get their time", ids: []ensemble.ID{1, 2, 3, 4, 5}, set: func(s *scene) { s.lostAndProven(1).After.At = t0() },
			want: wait, code: migration.CodeHold,
		},
		{
			name: "of three voters both others have it on theirs", set: func(s *scene) { s.lostAndProven(1).After.At = t0() },
			want: do, step: migration.StepRenew,
		},
		{name: "proven: renew", set: func(s *scene) { s.lostAndProven(1) }, want: do, step: migration.StepRenew},
		{
			name: "the leader still counts an older process", set: func(s *scene) { s.lostAndProven(1); s.view(3).Live.SyncedFollowers = 2 },
			want: wait, code: migration.CodePodStopping, says: "prove that machine dead",
		},
		{name: "the host answers again", set: func(s *scene) { s.lostAndProven(1); s.host(1, vantage.PortOpen) }, want: wait, code: migration.CodePodVetoed},
		{name: "the report is old", set: func(s *scene) { s.lostAndProven(1); pod(s).Report.Fresh = false }, want: wait, code: migration.CodeRenewal},
		{
			name: "it fails again and again", set: func(s *scene) { s.lostAndProven(1).Renewals = 3 },
			want: stop, code: migration.CodeKeepsFailing, says: "kubectl logs --previous",
		},
		{
			name: "renewed, and the pod has not read it", set: func(s *scene) {
				s.lostAndProven(1).Renewing = nil
				s.view(1).Cluster.Gate.Generation = 3
			},
			want: do, step: migration.StepKick,
		},
		{
			name: "a garbled gate is not for renewing", set: func(s *scene) { s.refused(1, migration.CauseNone) },
			want: wait, code: migration.CodePodRefused,
		},
		{
			name: "two of five have lost their data: the first begins on the three that hold it", ids: []ensemble.ID{1, 2, 3, 4, 5},
			set: func(s *scene) { s.renewing(1); s.lostBeside(2) }, want: do, step: migration.StepProveAfter,
		},
		{
			name: "two of three are a quorum without a holder", set: func(s *scene) { s.renewing(1); s.lostBeside(2) },
			want: wait, code: migration.CodeDegraded,
		},
		{
			name: "the watchdog does not take the second lost one for a drop", version: "3.4.13", ids: []ensemble.ID{1, 2, 3, 4, 5},
			set: func(s *scene) {
				s.lostAndProven(1).Renewing = nil
				s.view(1).Cluster.Pod.Report.State = migration.GateStarted
				s.lostBeside(2)
			},
			want: wait, code: migration.CodeJoining,
		},
		{
			name: "a drop it does", version: "3.4.13",
			set: func(s *scene) {
				s.lostAndProven(1).Renewing = nil
				s.view(1).Cluster.Pod.Report.State = migration.GateStarted
				s.down(2)
			},
			want: do, step: migration.StepAbort,
		},
		{
			name: "given up and parked again: from the beginning",
			set: func(s *scene) {
				s.lostAndProven(1).Aborted = "why"
				c := &s.view(1).Cluster
				c.Gate.Released, c.Pod.Report.State, c.Pod.Report.Cause = false, migration.GateParked, migration.CauseNone
			},
			want: do, step: migration.StepCancelRenewal,
		},
		{
			name: "another server waits until it is back", id: 2, set: func(s *scene) { s.lost(1) },
			want: stop, code: migration.CodeDegraded, says: "replace demo --id=1",
		},
		{
			name: "a flight that has stopped nothing gives way", id: 2,
			set: func(s *scene) { s.flight(migration.Replace, 2); s.lostBeside(1) }, want: stop, code: migration.CodeDegraded, says: "revert demo --id=2",
		},
		{
			name: "a revert gives way, too", id: 2, kind: migration.Revert, set: func(s *scene) { s.lost(1); s.replaced(2); s.host(2, vantage.PortClosed) },
			want: stop, code: migration.CodeDegraded, says: "replace demo --id=1",
		},
		{
			name: "a revert that was begun gives way", id: 2, kind: migration.Revert,
			set: func(s *scene) { s.reverting(2); s.host(2, vantage.PortClosed); s.lostBeside(1) }, want: do, step: migration.StepCancelRevert,
		},
	}
}

func TestGateTakenAway(t *testing.T) {
	closed := func(s *scene) *migration.GateView {
		s.replaced(1)
		s.host(1, vantage.PortClosed)
		g := &s.view(1).Cluster.Gate
		*g = migration.GateView{Found: true, Generation: 9}
		return g
	}
	for _, r := range []rule{
		{
			name: "its line is written again",
			set:  func(s *scene) { closed(s); s.server(1).Release = &migration.Release{Generation: 7, Start: "empty:x"} },
			want: do, step: migration.StepRestoreGate, says: "generation 7",
		},
		{name: "a line that nobody noted", set: func(s *scene) { closed(s) }, want: stop, code: migration.CodeJournalDisagrees, says: "revert demo --id=1"},
		{name: "the whole gate is gone", set: func(s *scene) { closed(s).Found = false }, want: do, step: migration.StepPark},
		{name: "another server says so", id: 2, set: func(s *scene) { closed(s) }, want: stop, code: migration.CodeJournalDisagrees, says: "replace demo --id=1"},
		{name: "gone in the middle", set: func(s *scene) { s.dead(1); s.view(1).Cluster.Gate.Found = false }, want: do, step: migration.StepPark},
		{name: "gone in the middle of a revert", kind: migration.Revert, set: func(s *scene) { s.closed(1); s.view(1).Cluster.Gate.Found = false }, want: do, step: migration.StepPark},
		{
			name: "closed while the pod was joining", set: func(s *scene) { s.serving(1); s.view(1).Cluster.Gate.Released = false },
			want: do, step: migration.StepAbort,
		},
		{name: "the line is noted at the end", set: func(s *scene) { s.joined(1, time.Minute) }, want: do, step: migration.StepFinish},
	} {
		t.Run(r.name, func(t *testing.T) { check(t, r) })
	}
}

// lostBeside: lost, while another one is in flight.
func (s *scene) lostBeside(id ensemble.ID) {
	f := s.o.Record.Flight
	s.lost(id)
	s.o.Record.Flight = f
}

func TestRenew(t *testing.T) {
	for _, r := range renewRules() {
		t.Run(r.name, func(t *testing.T) { check(t, r) })
	}
}

func TestRevertOfAPodThatNeverSynced(t *testing.T) {
	never := func(s *scene) *migration.Flight {
		f := s.reclaimed(1)
		s.server(1).Replaced = nil
		s.view(1).Cluster.Pod.Report.Volume.State = migration.VolumeUnsynced
		return f
	}
	older := func(s *scene, since, data int) {
		never(s).Line = &migration.Release{Generation: 5, Start: "empty:gone"}
		pod := &s.view(1).Cluster.Pod
		pod.Report.Volume = migration.Volume{Since: &since, Generation: data}
		s.down(2)
	}
	for _, r := range []rule{
		{name: "its host starts while another one is away", set: func(s *scene) { never(s); s.down(2); s.down(3) }, want: do, step: migration.StepUnmaskHost},
		{name: "not when it was replaced before", set: func(s *scene) { never(s); s.server(1).Replaced = ago(0); s.down(2) }, want: wait, code: migration.CodeDegraded},
		{name: "not after a renewal", set: func(s *scene) { never(s).Renewals = 1; s.down(2) }, want: wait, code: migration.CodeDegraded},
		{name: "its volume was there before, and holds older data", set: func(s *scene) { older(s, 2, 3) }, want: do, step: migration.StepUnmaskHost},
		{name: "its volume was there before, and holds none", set: func(s *scene) { older(s, 2, 0) }, want: do, step: migration.StepUnmaskHost},
		{name: "not with that release's data", set: func(s *scene) { older(s, 2, 5) }, want: wait, code: migration.CodeDegraded},
		{name: "not on another volume", set: func(s *scene) { older(s, 5, 0) }, want: wait, code: migration.CodeDegraded},
		{name: "not on who knows what volume", set: func(s *scene) { older(s, 2, 3); s.view(1).Cluster.Pod.Report.Volume.Since = nil }, want: wait, code: migration.CodeDegraded},
		{name: "not when nothing says which release", set: func(s *scene) { older(s, 2, 3); s.o.Record.Flight.Line = nil }, want: wait, code: migration.CodeDegraded},
		{name: "not on an old report", set: func(s *scene) { never(s); s.view(1).Cluster.Pod.Report.Fresh = false; s.down(2) }, want: wait, code: migration.CodeDegraded},
	} {
		r.kind = migration.Revert
		t.Run(r.name, func(t *testing.T) { check(t, r) })
	}
}

func TestStatusTellsOfALostVolume(t *testing.T) {
	s := healthy("3.4.13", 1, 2, 3)
	s.lost(1)
	st := migration.Summarize(s.o)
	if st.Healthy || st.Next != "kubectl zkmigrate replace demo --id=1 -n zk" {
		t.Errorf("healthy %v, next %q, %v", st.Healthy, st.Next, st.Problems)
	}
}

// TestReplacedBesideSomethingElse: what listens at a replaced server's old host
// costs no volume, and another server at its Service is no success.
func TestReplacedBesideSomethingElse(t *testing.T) {
	vetoed := func(s *scene) {
		s.replaced(1)
		s.view(1).Cluster.Pod.Report.State, s.view(1).Cluster.Pod.Container = migration.GateVetoed, migration.ContainerRunning
		s.view(1).Live = vantage.Sighting{Reach: vantage.Refused, SyncedFollowers: -1, Learners: -1}
	}
	for _, r := range []rule{
		{name: "another program got its address", set: func(s *scene) { vetoed(s); s.swallowed(1) }, want: wait, code: migration.CodePodVetoed, says: "see what listens"},
		{name: "and that is told", set: func(s *scene) { vetoed(s); s.swallowed(1) }, want: wait, code: migration.CodePodVetoed, says: "retire demo --id=1 --host-gone=10.0.0.1"},
		{name: "its server was started there", set: func(s *scene) { vetoed(s); s.host(1, vantage.PortOpen) }, want: stop, code: migration.CodeGhostHost, says: "two processes with one id"},
		{name: "another server answers at its Service", set: func(s *scene) { s.replaced(1); s.view(1).Live.ServerID = ensemble.ID(2).Known() }, want: stop, code: migration.CodeWrongServer, says: "answered by server 2"},
	} {
		t.Run(r.name, func(t *testing.T) {
			check(t, r)
			s := healthy("3.8.0", 1, 2, 3)
			r.set(s)
			d := migration.Decide(migration.Intent{Kind: migration.Replace, ID: 1, By: "bob"}, s.o)
			if text := fmt.Sprint(d.Evidence, d.Next); strings.Contains(text, "delete pvc") {
				t.Errorf("it costs the data: %s", text)
			}
		})
	}
}

// TestTheOneThatServesStays: the host's server came back beside the pod, which is
// one half of the only quorum.
func TestTheOneThatServesStays(t *testing.T) {
	given := func(s *scene) {
		f := s.serving(1)
		f.Aborted = "the server on host 10.0.0.1 came back"
		s.host(1, vantage.PortOpen)
	}
	for _, r := range []rule{
		{name: "while another voter is away", set: func(s *scene) { given(s); s.down(2) }, want: wait, code: migration.CodeDegraded, says: "on host 10.0.0.1: stop the server"},
		{name: "while another voter is not seen", set: func(s *scene) { given(s); s.view(2).Live.Reach = vantage.Timeout }, want: wait, code: migration.CodeUnseen, says: "on host 10.0.0.1: stop the server"},
		{name: "the host's was stopped", set: func(s *scene) { given(s); s.down(2); s.host(1, vantage.PortClosed) }, want: wait, code: migration.CodeDegraded},
		{name: "the others are whole: it goes", set: given, want: do, step: migration.StepCloseGate},
	} {
		t.Run(r.name, func(t *testing.T) { check(t, r) })
	}
}
