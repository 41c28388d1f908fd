package migration_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// turnable: reclaimed, with the line of the gate as the revert found it.
func (s *scene) turnable() *migration.Flight {
	f := s.reclaimed(1)
	f.Line = &migration.Release{Generation: 2, Start: "empty:pod-1-a"}
	s.host(1, vantage.PortClosed)
	return f
}

// returning: turned back, the address still the host's.
func (s *scene) returning() *migration.Flight {
	line := s.turnable().Line
	f := s.flight(migration.Replace, 1)
	f.Line, f.Returning, f.Served, f.Fenced = line, ago(time.Second), true, yes()
	return f
}

// atPod: returning, and the Service selects the pod alone.
func (s *scene) atPod() *migration.Flight {
	f := s.returning()
	c := &s.view(1).Cluster
	c.Service.Selector = c.Pod.Name
	c.Endpoints = migration.EndpointsView{Controller: []string{c.Pod.IP}, Union: []string{c.Pod.IP}}
	return f
}

func goBackRules() []rule {
	pod := func(s *scene) *migration.PodView { return &s.view(1).Cluster.Pod }
	return []rule{
		{name: "the pod has stopped, nothing runs on the host", set: func(s *scene) { s.turnable() }, want: do, step: migration.StepTurnBack, says: "data is complete"},
		{
			name: "also while another voter is gone: that may be why", set: func(s *scene) { s.turnable(); s.down(2) },
			want: do, step: migration.StepTurnBack,
		},
		{
			name: "nothing was stopped yet", set: func(s *scene) {
				s.reverting(1).Line = &migration.Release{Generation: 2, Start: "empty:pod-1-a"}
				s.host(1, vantage.PortClosed)
			},
			want: do, step: migration.StepCancelRevert,
		},
		{
			name: "the pod had stopped before: its host may have run since", set: func(s *scene) { s.turnable().PodUID = "" },
			want: stop, code: migration.CodeHostUnwatched, says: "revert demo --id=1",
		},
		{
			name: "put back from the beginning of a revert: the gate is closed already", set: func(s *scene) {
				f := s.turnable()
				f.StopAsked, f.DeadSince, f.PodUID = nil, nil, ""
			},
			want: stop, code: migration.CodeHostUnwatched,
		},
		{
			name: "the host was unmasked", set: func(s *scene) { s.turnable().Unfenced = yes() },
			want: stop, code: migration.CodeOneAtATime, says: "revert demo --id=1",
		},
		{
			name: "the host is being unmasked", set: func(s *scene) { s.turnable().Unmasking = ago(time.Second) },
			want: stop, code: migration.CodeOneAtATime,
		},
		{
			name: "the host was asked to start", set: func(s *scene) { s.turnable().Released = ago(time.Second) },
			want: stop, code: migration.CodeOneAtATime, says: "what its pod holds is old",
		},
		{
			name: "the host runs", set: func(s *scene) { s.turnable(); s.host(1, vantage.PortOpen) },
			want: stop, code: migration.CodeOneAtATime,
		},
		{
			name: "the pod was given up because its host came back", set: func(s *scene) { s.turnable().Line = nil },
			want: stop, code: migration.CodeOneAtATime, says: "given up",
		},
		{
			name: "the gate had only been about to open", set: func(s *scene) { s.turnable().Line.Generation = 0 },
			want: stop, code: migration.CodeOneAtATime,
		},
		{
			name: "nothing ever ran in the pod", set: func(s *scene) { s.turnable().Served = false },
			want: stop, code: migration.CodeOneAtATime, says: "nothing ever ran",
		},
		{
			name: "a rolling restart is no revert", set: func(s *scene) { s.flight(migration.Reconfigure, 1) },
			want: stop, code: migration.CodeOneAtATime, says: "reconfigure demo",
		},
		{name: "on the way: mask the host first", set: func(s *scene) { s.returning().Fenced = nil }, want: do, step: migration.StepMaskHost},
		{
			name: "on the way: the host comes up", set: func(s *scene) { s.returning(); s.host(1, vantage.PortOpen) },
			want: do, step: migration.StepBeginRevert, says: "stays there",
		},
		{
			name: "on the way: the pod is being made", set: func(s *scene) { s.returning(); *pod(s) = migration.PodView{} },
			want: wait, code: migration.CodePodStopping,
		},
		{
			name: "on the way: the pod is being deleted", set: func(s *scene) { s.returning(); pod(s).Terminating = true },
			want: wait, code: migration.CodePodStopping,
		},
		{
			name: "on the way: controllers' leftovers go first", set: func(s *scene) {
				s.returning()
				s.view(1).Cluster.Endpoints.Leftovers = []string{"EndpointSlice/demo-1-abcde"}
			},
			want: do, step: migration.StepDeleteLeftovers,
		},
		{name: "on the way: the address", set: func(s *scene) { s.returning() }, want: do, step: migration.StepFlip},
		{name: "then the very line", set: func(s *scene) { s.atPod() }, want: do, step: migration.StepRestoreGate, says: "generation 2"},
		{
			name: "the pod starts from its own data: no watchdog", version: "3.4.13", set: func(s *scene) {
				f := s.atPod()
				f.Released, f.Kicked = ago(time.Second), ago(time.Second)
				c := &s.view(1).Cluster
				c.Gate = migration.GateView{Found: true, Generation: 4, Released: true, ReleasedGeneration: 2, Start: f.Line.Start}
				c.Pod.Report.State, c.Pod.Report.Generation = migration.GateStarted, 4
				s.down(2)
			},
			want: wait, code: migration.CodeJoining,
		},
		{
			name: "its volume is another one: a new proof", set: func(s *scene) {
				f := s.atPod()
				f.Released, f.Kicked = ago(time.Second), ago(time.Second)
				c := &s.view(1).Cluster
				c.Gate = migration.GateView{Found: true, Generation: 4, Released: true, ReleasedGeneration: 2, Start: f.Line.Start}
				c.Pod.Report.State, c.Pod.Report.Cause, c.Pod.Report.Generation = migration.GateRefused, migration.CauseLost, 4
			},
			want: do, step: migration.StepBeginRenewal,
		},
		{
			name: "a revert that waits for others prints this way out", kind: migration.Revert, set: func(s *scene) { s.turnable(); s.down(2) },
			want: wait, code: migration.CodeDegraded, says: "replace demo --id=1",
		},
		{
			name: "another server needs a new start: the pod goes on joining", kind: migration.Revert, set: func(s *scene) {
				s.serving(1)
				f := s.flight(migration.Revert, 1)
				f.Served, f.Line = true, &migration.Release{Generation: 2, Start: "empty:pod-1-a"}
				s.host(1, vantage.PortClosed)
				s.lostBeside(2)
			},
			want: do, step: migration.StepTurnBack,
		},
		{
			name: "nor does a revert begin then", kind: migration.Revert, set: func(s *scene) {
				f := s.serving(1)
				s.host(1, vantage.PortClosed)
				s.lostBeside(2)
				s.o.Record.Flight = f
			},
			want: stop, code: migration.CodeDegraded, says: "replace demo --id=1",
		},
		{
			name: "once the host may start, an election asks for no new proof", kind: migration.Revert, set: func(s *scene) {
				f := s.turnable()
				f.Unfenced, f.After = yes(), s.proof(epoch-1, counter, time.Minute, true)
				s.down(2)
			},
			want: do, step: migration.StepStartHost,
		},
		{
			name: "a pod that waited all the time leaves its host up to date", kind: migration.Revert, set: func(s *scene) {
				s.turnable()
				s.server(1).Replaced = nil
				pod(s).UID, pod(s).Report.Volume.State = "pod-1-a", migration.VolumeUnused
				s.down(2)
			},
			want: do, step: migration.StepUnmaskHost,
		},
		{
			name: "not so one whose container has restarted", kind: migration.Revert, set: func(s *scene) {
				s.turnable()
				s.server(1).Replaced = nil
				pod(s).UID, pod(s).Report.Volume.State, pod(s).Restarts = "pod-1-a", migration.VolumeUnused, 1
				s.down(2)
			},
			want: wait, code: migration.CodeDegraded,
		},
		{
			name: "its successor on an empty volume does not", kind: migration.Revert, set: func(s *scene) {
				s.turnable()
				s.server(1).Replaced = nil
				pod(s).Report.Volume.State = migration.VolumeUnused
				s.down(2)
			},
			want: wait, code: migration.CodeDegraded,
		},
		{
			name: "a released pod that reads the closed gate first need not go", kind: migration.Revert, set: func(s *scene) {
				s.flippedBack(1)
				pod(s).Report.State, pod(s).Report.Generation = migration.GateParked, 3
				s.host(1, vantage.PortClosed)
			},
			want: do, step: migration.StepNoteDead,
		},
	}
}

// TestGoBackOnlyWatched: a host that nobody watched may have run and voted; what
// the pod holds may be old then.
func TestGoBackOnlyWatched(t *testing.T) {
	minute := t0().Add(-time.Minute)
	old := func(s *scene) *migration.PodView {
		f := s.turnable()
		f.StopAsked, f.DeadSince = ago(time.Hour), ago(time.Hour)
		return &s.view(1).Cluster.Pod
	}
	for name, c := range map[string]struct {
		set  func(s *scene)
		step migration.StepID
		code migration.Code
	}{
		"by this command":   {func(s *scene) { s.turnable() }, migration.StepTurnBack, migration.CodeStep},
		"by an earlier one": {func(s *scene) { old(s) }, "", migration.CodeHostUnwatched},
		"by the parked pod": {func(s *scene) { old(s).Report.HostClosedFor = closedFor(time.Hour) }, migration.StepTurnBack, migration.CodeStep},
		"by a younger pod":  {func(s *scene) { old(s).Report.HostClosedFor = closedFor(40 * time.Minute) }, "", migration.CodeHostUnwatched},
		"the pod has never stopped": {func(s *scene) {
			pod := old(s)
			pod.Report.State, pod.UID = migration.GateStarted, s.o.Record.Flight.PodUID
		}, migration.StepTurnBack, migration.CodeStep},
		"its successor has started, by an old gate": {func(s *scene) { old(s).Report.State = migration.GateStarted }, "", migration.CodePodStopping},
		"a successor that is to go": {func(s *scene) {
			pod := old(s)
			f := s.o.Record.Flight
			pod.Report.State, pod.UID, f.Reclaimed = migration.GateStarted, f.PodUID, ago(time.Hour)
		}, "", migration.CodePodStopping},
		"its successor is being made": {func(s *scene) { *old(s) = migration.PodView{} }, "", migration.CodePodStopping},
		"on the way, then nobody":     {func(s *scene) { s.returning().Returning = ago(time.Hour) }, migration.StepBeginRevert, migration.CodeStep},
		"on the way, and by the pod": {func(s *scene) {
			s.returning().Returning = ago(time.Hour)
			s.view(1).Cluster.Pod.Report.HostClosedFor = closedFor(time.Hour)
		}, migration.StepFlip, migration.CodeStep},
	} {
		t.Run(name, func(t *testing.T) {
			s := healthy("3.4.13", 1, 2, 3)
			c.set(s)
			if d := s.decideSince(minute); d.Step != c.step || d.Code != c.code {
				t.Errorf("%s %s %q: %s", d.Kind, d.Code, d.Step, d.Reason)
			}
		})
	}
}

func TestGoBack(t *testing.T) { checkAll(t, goBackRules()) }

// TestRevertKeepsTheLine: what a revert takes out of the gate can be written
// again, and only that.
func TestRevertKeepsTheLine(t *testing.T) {
	line := &migration.Release{Generation: 2, Start: "empty:pod-1-a"}
	for name, c := range map[string]struct {
		set  func(s *scene)
		want *migration.Release
	}{
		"from the gate": {func(s *scene) {
			s.replaced(1)
			s.view(1).Cluster.Gate.Start = line.Start
		}, line},
		"from the journal, when somebody closed the gate": {func(s *scene) {
			s.replaced(1)
			s.view(1).Cluster.Gate = migration.GateView{Found: true, Generation: 3}
			s.server(1).Release = line
		}, line},
		"none after the host came back while the pod was joining": {func(s *scene) {
			s.started(1).Aborted = "the host came back"
		}, nil},
		"the flight's after the watchdog": {func(s *scene) {
			f := s.started(1)
			f.Aborted, f.Line = "another voter dropped", line
		}, line},
	} {
		t.Run(name, func(t *testing.T) {
			s := healthy("3.4.13", 1, 2, 3)
			c.set(s)
			s.host(1, vantage.PortClosed)
			d := migration.Decide(migration.Intent{Kind: migration.Revert, ID: 1, By: "bob"}, s.o)
			if d.Step != migration.StepBeginRevert {
				t.Fatalf("%s %s %s", d.Kind, d.Code, d.Reason)
			}
			if diff := cmp.Diff(c.want, d.Flight.Line); diff != "" {
				t.Error(diff)
			}
		})
	}
	ghost := healthy("3.4.13", 1, 2, 3)
	ghost.started(1).Line = line
	ghost.host(1, vantage.PortOpen)
	if d := migration.Decide(migration.Intent{Kind: migration.Replace, ID: 1, By: "bob"}, ghost.o); d.Step != migration.StepAbort || d.Flight.Line != nil {
		t.Errorf("the host came back: %s %s, line %v", d.Step, d.Reason, d.Flight)
	}
}
