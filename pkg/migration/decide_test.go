package migration_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/sessions"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// rule is one fact about Decide: in this scene, for this intent, that is what
// it says.
type rule struct {
	name    string
	version string
	ids     []ensemble.ID
	kind    migration.FlightKind
	id      ensemble.ID
	data    migration.DataMode
	// all: replace --all; refused: see Intent.Refused.
	all     bool
	refused string
	// loss is what --accept-client-loss says.
	loss string
	set  func(*scene)
	// unseen and noQuorum are how long that has lasted at every look.
	unseen, noQuorum time.Duration
	// want is the decision's kind and code, or the step for Do.
	want migration.Kind
	code migration.Code
	step migration.StepID
	// says must occur in reason, evidence or next.
	says string
}

func (r rule) decide() migration.Decision {
	version, ids, kind, id := r.version, r.ids, r.kind, r.id
	if version == "" {
		version = "3.8.0"
	}
	if ids == nil {
		ids = []ensemble.ID{1, 2, 3}
	}
	if kind == "" {
		kind = migration.Replace
	}
	if id == 0 {
		id = ids[0]
	}
	s := healthy(version, ids...)
	if r.set != nil {
		r.set(s)
	}
	in := migration.Intent{Kind: kind, ID: id, By: "bob", Data: r.data, All: r.all, Refused: r.refused}
	in.AcceptLoss, _ = sessions.ParseConsent(r.loss) // what it reads is tested there
	if r.unseen > 0 {
		in.UnseenSince = *ago(r.unseen)
	}
	if r.noQuorum > 0 {
		in.NoQuorumSince = *ago(r.noQuorum)
	}
	return migration.Decide(in, s.o)
}

func check(t *testing.T, r rule) {
	t.Helper()
	d := r.decide()
	code := r.code
	if r.want == migration.Do {
		code = migration.CodeStep
	}
	if d.Kind != r.want || d.Code != code || d.Step != r.step {
		t.Fatalf("got %s %s step %q (%s %q), want %s %s step %q", d.Kind, d.Code, d.Step, d.Reason, d.Evidence, r.want, code, r.step)
	}
	if d.Reason == "" {
		t.Error("a decision without a reason")
	}
	if d.Kind == migration.Stop && d.Next == "" {
		t.Errorf("stopped without a next command: %s", d.Reason)
	}
	text := d.Reason + " " + strings.Join(d.Evidence, " ") + " " + d.Next
	if !strings.Contains(text, r.says) {
		t.Errorf("%q says nothing of %q", text, r.says)
	}
}

func checkAll(t *testing.T, rules []rule) {
	t.Helper()
	for _, r := range rules {
		t.Run(strings.ReplaceAll(r.name, " ", "_"), func(t *testing.T) { check(t, r) })
	}
}

const (
	do   = migration.Do
	wait = migration.Wait
	stop = migration.Stop
	done = migration.Done
)

// TestGuard holds what is refused whatever the intent: half a view, I1, I2, I5,
// and a journal that the world contradicts.
func TestGuard(t *testing.T) {
	checkAll(t, []rule{
		{name: "half a view decides nothing", set: func(s *scene) { s.o.ClusterComplete = false }, want: wait, code: migration.CodeAPIIncomplete},
		{name: "an unknown server", id: 4, want: stop, code: migration.CodeUnknownServer, says: "1, 2, 3"},
		{name: "an unknown intent", kind: "polish", want: stop, code: migration.CodeUnknownServer},
		{
			name: "the Service is gone, its address is named", set: func(s *scene) { s.view(2).Cluster.Service = migration.ServiceView{} },
			want: stop, code: migration.CodeServiceGone, says: "10.96.0.2",
		},
		{
			name: "the Service has another address", set: func(s *scene) { s.view(2).Cluster.Service.ClusterIP = "10.96.9.9" },
			want: stop, code: migration.CodeAddressChanged, says: "kubectl delete service demo-2 -n zk (an administrator), then kubectl zkmigrate wrap demo -n zk",
		},
		{
			name: "the Service was created anew", set: func(s *scene) { s.view(3).Cluster.Service.UID = "other" },
			want: stop, code: migration.CodeAddressChanged, says: "wrap",
		},
		{
			name: "a Service that was changed by hand", set: func(s *scene) {
				svc := &s.view(1).Cluster.Service
				svc.Changed, svc.Patch = []string{"publishNotReadyAddresses is false"}, `{"spec":{"publishNotReadyAddresses":true}}`
			},
			want: stop, code: migration.CodeServiceChanged, says: `kubectl patch service demo-1 --type=merge -p '{"spec":{"publishNotReadyAddresses":true}}' -n zk`,
		},
		{
			name: "endpoints of somebody's own", set: func(s *scene) { s.view(3).Cluster.Endpoints.Foreign = []string{"EndpointSlice/mine"} },
			want: stop, code: migration.CodeForeignEndpoints, says: "kubectl delete EndpointSlice/mine -n zk",
		},
		{
			name: "another server is in flight, named with who began it", id: 2, set: func(s *scene) { s.flight(migration.Replace, 1) },
			want: stop, code: migration.CodeOneAtATime, says: "alice",
		},
		{
			name: "another server is on its way back", id: 2, set: func(s *scene) { s.flight(migration.Revert, 1) },
			want: stop, code: migration.CodeOneAtATime, says: "revert demo --id=1",
		},
		{
			name: "a gate is open that should be closed", id: 2, set: func(s *scene) { s.view(1).Cluster.Gate.Released = true },
			want: stop, code: migration.CodeJournalDisagrees, says: "revert demo --id=1",
		},
		{
			name: "ZooKeeper runs in a pod that should be parked", id: 2, set: func(s *scene) { s.view(1).Cluster.Pod.Report.State = migration.GateStarted },
			want: stop, code: migration.CodeJournalDisagrees, says: "revert demo --id=1",
		},
		{
			name: "an address points elsewhere", id: 2, set: func(s *scene) { s.view(1).Cluster.Endpoints.Union = []string{"10.244.0.1"} },
			want: stop, code: migration.CodeJournalDisagrees, says: "10.244.0.1",
		},
		{
			name: "an address points to two places", id: 2, set: func(s *scene) { s.view(1).Cluster.Endpoints.Union = []string{"10.0.0.1", "10.244.0.1"} },
			want: stop, code: migration.CodeJournalDisagrees,
		},
		{
			name: "a replaced server's gate was closed by hand", id: 2,
			set:  func(s *scene) { s.replaced(1); s.view(1).Cluster.Gate.Released = false },
			want: stop, code: migration.CodeJournalDisagrees,
		},
		{
			name: "a replaced server's selector was taken away", id: 2,
			set:  func(s *scene) { s.replaced(1); s.view(1).Cluster.Service.Selector = "" },
			want: stop, code: migration.CodeJournalDisagrees, says: "replace demo --id=1",
		},
		{
			name: "a ghost at an old host blocks every later step", id: 2,
			set:  func(s *scene) { s.replaced(1); s.host(1, vantage.PortOpen) },
			want: stop, code: migration.CodeGhostHost, says: "10.0.0.1",
		},
		{
			name: "a ghost that shows its election port only", id: 2,
			set:  func(s *scene) { s.replaced(1); s.view(1).Host.Election = vantage.PortOpen },
			want: stop, code: migration.CodeGhostHost,
		},
	})
}

// TestSeveralHaveMovedSince: a journal of an earlier time may be wrong about more
// than one server. They go back one after the other.
func TestSeveralHaveMovedSince(t *testing.T) {
	inPods := func(s *scene, ids ...ensemble.ID) {
		for _, id := range ids {
			s.replaced(id)
			s.host(id, vantage.PortClosed)
			s.server(id).Replaced = nil
		}
	}
	halfway := func(s *scene) {
		s.unbridged(2)
		s.host(2, vantage.PortClosed)
		s.flight(migration.Replace, 1)
	}
	checkAll(t, []rule{
		{
			name: "nothing else happens before", set: func(s *scene) { inPods(s, 1, 2) },
			want: stop, code: migration.CodeJournalDisagrees, says: "revert demo --id=1",
		},
		{name: "one goes", kind: migration.Revert, set: func(s *scene) { inPods(s, 1, 2) }, want: do, step: migration.StepBeginRevert, says: "stale"},
		{name: "or the other", kind: migration.Revert, id: 2, set: func(s *scene) { inPods(s, 1, 2) }, want: do, step: migration.StepBeginRevert, says: "stale"},
		{
			name: "with an operation in the journal, its server goes first", set: func(s *scene) { inPods(s, 1, 2); s.flight(migration.Replace, 1) },
			want: stop, code: migration.CodeJournalDisagrees, says: "revert demo --id=1",
		},
		{
			name: "and the other one waits for it", kind: migration.Revert, id: 2, set: func(s *scene) { inPods(s, 1, 2); s.flight(migration.Replace, 1) },
			want: stop, code: migration.CodeOneAtATime, says: "replace demo --id=1",
		},
		{
			name: "one that is half way goes first of all", set: halfway,
			want: stop, code: migration.CodeJournalDisagrees, says: "revert demo --id=2",
		},
		{
			name: "so the operation is dropped", kind: migration.Revert, id: 2, set: halfway,
			want: do, step: migration.StepForget, says: "a journal of an earlier time",
		},
	})
}

// TestOneThatIsAwayElsewhereComesFirst: a backup has the revert of server 1 in it, and
// server 2 has got as far as its host since, where it does not run. The revert of 1
// needs it, so it goes first, whatever is asked for.
func TestOneThatIsAwayElsewhereComesFirst(t *testing.T) {
	s := healthy("3.8.0", 1, 2, 3)
	s.backAtHost(2)
	s.down(2)
	at := *ago(time.Hour)
	s.server(2).Replaced = &at
	s.reverting(1)
	s.host(1, vantage.PortClosed)
	want := "kubectl zkmigrate revert demo --id=2 -n zk"
	if next := migration.Next(s.o); next != want {
		t.Errorf("status says %q, want %q", next, want)
	}
	for _, kind := range []migration.FlightKind{migration.Replace, migration.Revert} {
		if d := migration.Decide(migration.Intent{Kind: kind, ID: 1}, s.o); d.Kind != stop || d.Next != want {
			t.Errorf("%s of server 1: %s %s: %s; %q", kind, d.Kind, d.Code, d.Reason, d.Next)
		}
	}
	if d := migration.Decide(migration.Intent{Kind: migration.Revert, ID: 2}, s.o); d.Step != migration.StepForget {
		t.Errorf("revert of server 2: %s %s: %s", d.Kind, d.Code, d.Reason)
	}
}

// TestStatusSendsToWhoeverCanGo: of several that have moved since, status names the
// one whose revert does not stop on another one.
func TestStatusSendsToWhoeverCanGo(t *testing.T) {
	s := healthy("3.8.0", 1, 2, 3)
	s.replaced(1)
	s.host(1, vantage.PortClosed)
	s.server(1).Replaced = nil
	s.unbridged(2)
	s.host(2, vantage.PortClosed)
	s.o.Record.Flight = nil
	if next, want := migration.Next(s.o), "kubectl zkmigrate revert demo --id=2 -n zk"; next != want {
		t.Errorf("status says %q, want %q", next, want)
	}
	for id, want := range map[ensemble.ID]migration.Kind{1: migration.Stop, 2: migration.Do} {
		if d := migration.Decide(migration.Intent{Kind: migration.Revert, ID: id}, s.o); d.Kind != want {
			t.Errorf("revert of server %d: %s %s: %s", id, d.Kind, d.Code, d.Reason)
		}
	}
}

// TestJournalDisagreesHasAWayOut: what stops everything else is what revert is
// for; it must not be refused for the same reason.
func TestJournalDisagreesHasAWayOut(t *testing.T) {
	checkAll(t, []rule{
		{
			name: "two Services were swapped: one after the other", kind: migration.Revert,
			set: func(s *scene) {
				s.view(1).Cluster.Endpoints.Union, s.view(3).Cluster.Endpoints.Union = []string{"10.0.0.3"}, []string{"10.0.0.1"}
			},
			want: do, step: migration.StepBeginRevert,
		},
		{
			name: "swapped while one is stopped", kind: migration.Revert,
			set: func(s *scene) {
				s.dead(1)
				s.view(2).Cluster.Endpoints.Union, s.view(3).Cluster.Endpoints.Union = []string{"10.0.0.3"}, []string{"10.0.0.2"}
			},
			want: do, step: migration.StepBeginRevert,
		},
		{
			name: "a pod that serves is not taken away while they are", kind: migration.Revert,
			set: func(s *scene) {
				s.replaced(1)
				s.host(1, vantage.PortClosed)
				s.view(2).Cluster.Endpoints.Union, s.view(3).Cluster.Endpoints.Union = []string{"10.0.0.3"}, []string{"10.0.0.2"}
			},
			want: stop, code: migration.CodeJournalDisagrees,
		},
		{
			name: "revert of a gate found open", kind: migration.Revert,
			set:  func(s *scene) { s.host(1, vantage.PortClosed); s.view(1).Cluster.Gate.Released = true },
			want: do, step: migration.StepBeginRevert,
		},
		{
			name: "revert of a pod found running", kind: migration.Revert,
			set: func(s *scene) {
				s.host(1, vantage.PortClosed)
				s.view(1).Cluster.Pod.Report.State = migration.GateStarted
			},
			want: do, step: migration.StepBeginRevert,
		},
		{
			name: "revert of a replaced server whose gate was closed by hand", kind: migration.Revert,
			set:  func(s *scene) { s.replaced(1); s.view(1).Cluster.Gate.Released = false },
			want: do, step: migration.StepBeginRevert,
		},
		{
			name: "revert of an address that points elsewhere", kind: migration.Revert,
			set:  func(s *scene) { s.view(1).Cluster.Endpoints.Union = []string{"10.244.0.1"} },
			want: do, step: migration.StepBeginRevert,
		},
	})
}

// TestEveryCodeIsReached asks that each code is given by at least one rule of
// these tables.
func TestEveryCodeIsReached(t *testing.T) {
	seen := map[migration.Code]bool{}
	for _, rules := range [][]rule{startRules(), stopRules(), flipRules(), joinRules(), revertRules(), restartRules()} {
		for _, r := range rules {
			seen[r.decide().Code] = true
		}
	}
	for _, code := range []migration.Code{
		migration.CodeStep, migration.CodeDone, migration.CodeOneAtATime, migration.CodeVersionRefused, migration.CodeNotReconfigured,
		migration.CodeDegraded, migration.CodeNoLeader, migration.CodeWrongServer, migration.CodeNotSynced, migration.CodeLeaderLast,
		migration.CodeUnplannedElection, migration.CodeZxidOverflowNear, migration.CodeQuorumAtRisk, migration.CodePodNotParked,
		migration.CodePodCannotReachHost, migration.CodeProofPending, migration.CodeHostStillUp, migration.CodeHostSilent,
		migration.CodeHostReturned, migration.CodeGhostHost, migration.CodeStoppedTooEarly, migration.CodeSecondVantage,
		migration.CodeElectionSinceProof, migration.CodeAdoptPending, migration.CodeHold, migration.CodePodStarting,
		migration.CodePodVetoed, migration.CodePodRefused, migration.CodeJoining, migration.CodeAborted, migration.CodePodStopping,
		migration.CodeHostStarting, migration.CodeElecting,
	} {
		if !seen[code] && code != migration.CodeUnplannedElection {
			t.Errorf("no rule gives %s", code)
		}
	}
}

func TestUnplannedElectionStopsBeforeTheNextServer(t *testing.T) {
	s := healthy("3.8.0", 1, 2, 3)
	in := migration.Intent{Kind: migration.Replace, ID: 1, EpochAtStart: epoch - 1}
	if d := migration.Decide(in, s.o); d.Code != migration.CodeUnplannedElection {
		t.Errorf("got %s: %s", d.Code, d.Reason)
	}
	in.EpochAtStart = epoch
	if d := migration.Decide(in, s.o); d.Step != migration.StepBegin {
		t.Errorf("got %s: %s", d.Code, d.Reason)
	}
}

func TestDecisionsAreFacts(t *testing.T) {
	// Decide must not change what it was given: the caller keeps it as the
	// basis of its write.
	s := healthy("3.8.0", 1, 2, 3)
	f := s.proven(1)
	before := *f
	d := migration.Decide(migration.Intent{Kind: migration.Replace, ID: 1}, s.o)
	if d.Step != migration.StepFlip || *f != before {
		t.Errorf("%s changed the flight it was given", d.Step)
	}
}

// TestAnothersZxidProvesNothing: what answers at a server's Service may be
// another one, where kube-proxy is late or two addresses were swapped.
func TestAnothersZxidProvesNothing(t *testing.T) {
	s := healthy("3.4.13", 1, 2, 3)
	s.proven(1).After.Complete = false
	s.view(2).Live.ServerID = ensemble.ID(3).Known()
	d := migration.Decide(migration.Intent{Kind: migration.Replace, ID: 1}, s.o)
	if d.Kind != migration.Wait || d.Code != migration.CodeProofPending {
		t.Errorf("%s %s %s: %s", d.Kind, d.Code, d.Step, d.Reason)
	}
}

// TestStatusCountsFollowers: one more than there can be is an id that runs twice.
func TestStatusCountsFollowers(t *testing.T) {
	s := healthy("3.4.13", 1, 2, 3)
	if st := migration.Summarize(s.o); !st.Healthy {
		t.Fatalf("healthy: %v", st.Problems)
	}
	s.view(3).Live.SyncedFollowers = 3
	if st := migration.Summarize(s.o); st.Healthy {
		t.Error("three followers of two are healthy")
	}
}

// TestStatusTellsOfAHostThatRunsBehindItsAddress: somebody has started it by
// hand; its Service cannot show that.
func TestStatusTellsOfAHostThatRunsBehindItsAddress(t *testing.T) {
	s := healthy("3.4.13", 1, 2, 3)
	s.flipped(1)
	s.host(1, vantage.PortOpen)
	if all := fmt.Sprint(migration.Summarize(s.o).Problems); !strings.Contains(all, "the server on host 10.0.0.1 of server 1 answers") {
		t.Errorf("problems: %s", all)
	}
}
