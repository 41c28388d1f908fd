package migration_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// triedPaths is what came of a path before server 1 is stopped; servers 2 and 3 run on hosts, 3
// leads.
func (s *scene) triedPaths(at time.Duration, paths ...migration.Path) {
	f := s.flight(migration.Replace, 1)
	f.Paths.At, f.Paths.Tried = *ago(at), paths
}

func TestReachable(t *testing.T) {
	path := func(from, to ensemble.ID, state vantage.PortState) migration.Path {
		return migration.Path{From: from, To: to, Port: 3888, State: state}
	}
	checkAll(t, []rule{
		{name: "not tried yet", set: func(s *scene) { s.flight(migration.Replace, 1).Paths = nil }, want: do, step: migration.StepTryPaths},
		{name: "the pod's JVM is starting", set: func(s *scene) {
			f := s.flight(migration.Replace, 1)
			f.Paths, f.Started = nil, *ago(time.Second)
			s.view(1).Cluster.Pod.Report.Listens = migration.ListenUnknown
		}, want: wait, code: migration.CodePodNotParked, says: "listens"},
		{name: "and does not come up", set: func(s *scene) {
			s.flight(migration.Replace, 1).Paths = nil
			s.view(1).Cluster.Pod.Report.Listens = migration.ListenUnknown
		}, want: do, step: migration.StepTryPaths},
		{name: "tried of a pod that was there before", set: func(s *scene) {
			s.triedPaths(time.Second, path(2, 1, vantage.PortOpen))
			s.o.Record.Flight.Paths.PodUID = "another"
		}, want: do, step: migration.StepTryPaths},
		{name: "all there", set: func(s *scene) { s.triedPaths(time.Hour, path(2, 1, vantage.PortOpen), path(1, 3, vantage.PortOpen)) }, want: do, step: migration.StepMaskHost},
		{name: "nobody could be asked", set: func(s *scene) { s.triedPaths(time.Hour, path(2, 1, vantage.PortUnknown)) }, want: do, step: migration.StepMaskHost},
		{name: "silent", set: func(s *scene) { s.triedPaths(time.Second, path(2, 1, vantage.PortSilent)) }, want: wait, code: migration.CodePathMissing, says: "nothing has been stopped"},
		{name: "no route", set: func(s *scene) { s.triedPaths(time.Second, path(1, 3, vantage.PortUnreachable)) }, want: wait, code: migration.CodePathMissing},
		{name: "refused where the pod listens", set: func(s *scene) { s.triedPaths(time.Second, path(2, 1, vantage.PortClosed)) }, want: wait, code: migration.CodePathMissing},
		{name: "refused where nothing listens", set: func(s *scene) {
			s.triedPaths(time.Second, path(2, 1, vantage.PortClosed))
			s.o.Record.Flight.Paths.Listened = false
		}, want: do, step: migration.StepMaskHost},
		{name: "refused by who serves", set: func(s *scene) { s.triedPaths(time.Second, path(1, 3, vantage.PortClosed)) }, want: wait, code: migration.CodePathMissing},
		{name: "missing, and tried again", set: func(s *scene) { s.triedPaths(time.Minute, path(2, 1, vantage.PortSilent)) }, want: do, step: migration.StepTryPaths},
	})
	restart := func(change func(*migration.Flight)) func(*scene) {
		return func(s *scene) {
			s.server(1).Reconfigured = nil
			change(s.flight(migration.Reconfigure, 1))
		}
	}
	checkAll(t, []rule{
		{name: "a restart: not tried yet", kind: migration.Reconfigure, set: restart(func(f *migration.Flight) { f.Paths = nil }), want: do, step: migration.StepTryPaths},
		{name: "a restart: all there", kind: migration.Reconfigure, set: restart(func(*migration.Flight) {}), want: do, step: migration.StepApplyPatch},
		{name: "a restart: a host without kube-proxy", kind: migration.Reconfigure, set: restart(func(f *migration.Flight) {
			f.Paths.At, f.Paths.Tried = *ago(time.Second), []migration.Path{path(1, 2, vantage.PortSilent)}
		}), want: wait, code: migration.CodePathMissing, says: "no file has been changed"},
		{name: "a restart: tried before the stop alone", kind: migration.Reconfigure, set: restart(func(f *migration.Flight) {
			f.Patched, f.Before, f.StopAsked = yes(), &migration.Proof{Zxid: zxid(epoch, counter), At: t0(), Complete: true}, ago(time.Second)
			f.Paths.Tried = []migration.Path{path(1, 2, vantage.PortSilent)}
		}), want: wait, code: migration.CodeHostStillUp},
	})
	s := healthy("3.8.0", 1, 2, 3)
	s.triedPaths(time.Second, path(2, 1, vantage.PortSilent))
	d := migration.Decide(migration.Intent{Kind: migration.Replace, ID: 1, By: "bob"}, s.o)
	want := []string{"from host 10.0.0.2 of server 2 to pod demo-pod-0, port 3888: silent"}
	if diff := cmp.Diff(want, d.Evidence); diff != "" {
		t.Error(diff)
	}
}

// TestNotProvedIsSaid: the stop says which paths nobody tried, and why.
func TestNotProvedIsSaid(t *testing.T) {
	for name, c := range map[string]struct {
		paths    []migration.Path
		listened bool
		says     string
	}{
		"all tried": {[]migration.Path{{From: 2, To: 1, State: vantage.PortOpen}, {From: 1, To: 3, State: vantage.PortOpen}}, true, ""},
		"not asked": {[]migration.Path{{From: 2, To: 1, Why: "no host hook"}, {From: 2, To: 1, Why: "no host hook"}, {From: 1, To: 3, State: vantage.PortOpen}}, true, "not proved: the paths between pod demo-pod-0 and server 2 (no host hook)"},
		"no JVM":    {[]migration.Path{{From: 2, To: 1, State: vantage.PortClosed}, {From: 3, To: 1, State: vantage.PortClosed}}, false, "server 2, 3 (nothing listened in the pod)"},
		"no way in": {[]migration.Path{{From: 1, To: 3, Why: "no exec"}}, true, "server 3 (no exec)"},
	} {
		t.Run(name, func(t *testing.T) {
			s := healthy("3.8.0", 1, 2, 3)
			s.triedPaths(time.Second, c.paths...)
			f := s.o.Record.Flight
			f.Paths.Listened, f.Fenced, f.Before = c.listened, yes(), s.proof(epoch, counter, 0, true)
			d := migration.Decide(migration.Intent{Kind: migration.Replace, ID: 1, By: "bob"}, s.o)
			if d.Step != migration.StepStopHost || !strings.Contains(d.Reason, c.says) || c.says == "" && strings.Contains(d.Reason, "not proved") {
				t.Errorf("got %s %q", d.Step, d.Reason)
			}
		})
	}
}

// TestPathsOf: who speaks to whom, and at which port, once the server is in its pod.
func TestPathsOf(t *testing.T) {
	s := healthy("3.8.0", 1, 2, 3, 4)
	s.observer(4, 3)
	of := func(kind migration.FlightKind, id ensemble.ID) (out []string) {
		for _, p := range migration.PathsOf(s.o.Record, kind, id, ensemble.ID(3).Known()) {
			out = append(out, strings.Join([]string{p.From.String(), p.To.String(), map[int]string{2888: "peer", 3888: "election"}[p.Port]}, " "))
		}
		slices.Sort(out)
		return out
	}
	want := []string{"1 2 election", "1 3 election", "1 3 peer", "2 1 election", "2 1 peer", "3 1 election", "3 1 peer", "4 1 election", "4 1 peer"}
	if diff := cmp.Diff(want, of(migration.Replace, 1)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"1 4 election", "2 4 election", "3 4 election", "4 1 election", "4 2 election", "4 3 election", "4 3 peer"}, of(migration.Replace, 4)); diff != "" {
		t.Errorf("an observer's: %s", diff)
	}
	want = []string{"1 1 election", "1 2 election", "1 3 election", "1 3 peer", "2 1 election", "3 1 election", "4 1 election"}
	if diff := cmp.Diff(want, of(migration.Reconfigure, 1)); diff != "" {
		t.Errorf("in a restart: %s", diff)
	}
}
