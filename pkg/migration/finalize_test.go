package migration_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// inPods has servers run in pods with gates, made as recorded.
func inPods(s *scene, ids ...ensemble.ID) {
	for _, id := range ids {
		s.replaced(id)
		s.host(id, vantage.PortClosed)
		s.view(id).Cluster.Pod.Container = migration.ContainerReady
	}
}

// ungated has pods recorded without a gate, and those of some servers made so.
func ungated(s *scene, ids ...ensemble.ID) {
	inPods(s, 1, 2, 3)
	s.o.Record.Pods.Plain = true
	for i := range s.o.Servers {
		source := &s.o.Servers[i].Cluster.Pod.Source
		source.Set.Plain = true
		source.Pod.Plain = slices.Contains(ids, s.o.Servers[i].ID)
		source.Pod.Outdated = !source.Pod.Plain
	}
}

// crashes has a pod without a gate end again and again.
func crashes(s *scene, id ensemble.ID) {
	s.down(id)
	pod := &s.view(id).Cluster.Pod
	pod.Container, pod.Problem, pod.Report = migration.ContainerDown, "it ended with exit code 1", migration.Report{}
}

// TestFinalize: pods lose their gates only when nothing needs one, for somebody who names the
// ensemble; nothing that needs a gate begins meanwhile.
func TestFinalize(t *testing.T) {
	asked := migration.Intent{Kind: migration.Apply, ID: 1, By: "bob", Plain: true, GiveUp: "demo"}
	with := func(change func(*migration.Intent)) migration.Intent {
		in := asked
		change(&in)
		return in
	}
	unnamed := with(func(in *migration.Intent) { in.GiveUp = "" })
	back := migration.Intent{Kind: migration.Apply, ID: 1, By: "bob", Regate: true}
	finalized := func(s *scene) {
		ungated(s, 1, 2, 3)
		s.o.Record.Finalized = &migration.Confirmation{At: t0(), By: "bob"}
	}
	for _, c := range []struct {
		name string
		in   migration.Intent
		set  func(*scene)
		kind migration.Kind
		code migration.Code
		step migration.StepID
	}{
		{"all are in their pods", asked, func(s *scene) { inPods(s, 1, 2, 3) }, do, migration.CodeStep, migration.StepUngate},
		{"without the name", unnamed, func(s *scene) { inPods(s, 1, 2, 3) }, stop, migration.CodeWayBack, ""},
		{"with another name", with(func(in *migration.Intent) { in.GiveUp = "other" }), func(s *scene) { inPods(s, 1, 2, 3) }, stop, migration.CodeWayBack, ""},
		{"one is on its host", asked, func(s *scene) { inPods(s, 1, 2) }, stop, migration.CodeNotReplaced, ""},
		{"one has another memory", asked, func(s *scene) { inPods(s, 2, 3); outdated(s, 1) }, stop, migration.CodePodOutdated, ""},
		{"one is away", asked, func(s *scene) { inPods(s, 1, 2, 3); s.down(2) }, stop, migration.CodeDegraded, ""},
		{"something is under way", asked, func(s *scene) { inPods(s, 1, 2, 3); s.flight(migration.Revert, 1) }, stop, migration.CodeOneAtATime, ""},
		{"then one after the other", asked, func(s *scene) { ungated(s) }, do, migration.CodeStep, migration.StepBeginApply},
		{"the name every time", unnamed, func(s *scene) { ungated(s) }, stop, migration.CodeWayBack, ""},
		{"and the end", asked, func(s *scene) { ungated(s, 1, 2, 3) }, do, migration.CodeStep, migration.StepFinalize},
		{"not while one is away", asked, func(s *scene) { ungated(s, 1, 2, 3); s.down(2) }, wait, migration.CodeDegraded, ""},
		{"not while a pod is not ready", asked, func(s *scene) { ungated(s, 1, 2, 3); s.view(2).Cluster.Pod.Container = migration.ContainerRunning }, wait, migration.CodeJoining, ""},
		{"once only", asked, finalized, done, migration.CodeDone, ""},
		{"the gates come back", back, func(s *scene) { ungated(s, 1) }, do, migration.CodeStep, migration.StepRestorePods},
		{"not after the end", back, finalized, stop, migration.CodeFinalized, ""},
		{"a revert waits for the gates", migration.Intent{Kind: migration.Revert, ID: 1}, func(s *scene) { ungated(s, 1) }, stop, migration.CodeUngated, ""},
		{"also of a pod whose successor has none", migration.Intent{Kind: migration.Revert, ID: 2}, func(s *scene) { ungated(s, 1) }, stop, migration.CodeUngated, ""},
		{"no revert after the end", migration.Intent{Kind: migration.Revert, ID: 1}, finalized, stop, migration.CodeFinalized, ""},
		{"no apply after the end", migration.Intent{Kind: migration.Apply, ID: 1}, finalized, stop, migration.CodeFinalized, ""},
		{"replace finds nothing to do", migration.Intent{Kind: migration.Replace, ID: 1}, func(s *scene) { ungated(s, 1) }, done, migration.CodeDone, ""},
		{"or sends to the gates", migration.Intent{Kind: migration.Replace, ID: 1}, func(s *scene) { ungated(s, 1); crashes(s, 1) }, stop, migration.CodePodAway, ""},
		{"files of another are made again before the next pod goes", asked, func(s *scene) {
			ungated(s, 2)
			s.filesGone(2)
			s.flight(migration.Apply, 1)
			f := s.o.Record.Flight
			f.Served, f.Gate, f.Before = true, s.view(1).Cluster.Gate.Generation, s.proof(epoch, counter, time.Second, true)
		}, do, migration.CodeStep, migration.StepPark},
		{"another one that crashes comes first", asked, func(s *scene) {
			ungated(s, 2)
			crashes(s, 2)
			s.flight(migration.Apply, 1)
			f := s.o.Record.Flight
			f.Served, f.Gate = true, s.view(1).Cluster.Gate.Generation
		}, do, migration.CodeStep, migration.StepCancelApply},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := healthy("3.4.13", 1, 2, 3)
			c.set(s)
			d := migration.Decide(c.in, s.o)
			if d.Kind != c.kind || d.Code != c.code || d.Step != c.step {
				t.Errorf("got %s %s %s: %s %q", d.Kind, d.Code, d.Step, d.Reason, d.Evidence)
			}
			if d.Kind == stop && d.Next == "" {
				t.Error("stopped without a next command")
			}
		})
	}
}

// TestFinalizeOrder: the leader goes last, and nobody twice; the way back has an order as well.
func TestFinalizeOrder(t *testing.T) {
	s := healthy("3.8.0", 1, 2, 3)
	ungated(s, 2)
	if got := migration.FinalizeOrder(s.o); !slices.Equal(got, []ensemble.ID{1, 3}) {
		t.Errorf("left: %v", got)
	}
	if got := migration.RegateOrder(s.o); !slices.Equal(got, []ensemble.ID{2}) {
		t.Errorf("to give back: %v", got)
	}
	ungated(s, 1, 3)
	crashes(s, 3)
	if got := migration.RegateOrder(s.o); !slices.Equal(got, []ensemble.ID{3, 1}) {
		t.Errorf("the one that crashes goes first: %v", got)
	}
	if rec := s.o.Record.RestorePods(); rec.Pods.Plain {
		t.Error("the gates do not come back")
	}
	s.o.Record.Finalized = &migration.Confirmation{}
	s.o.Servers[0].Cluster.Pod.Source.Pod.Outdated = true
	if got := migration.FinalizeOrder(s.o); got != nil {
		t.Errorf("after the end, with a pod that its owner has changed: %v", got)
	}
}

// TestReleasesAfterTheEnd: a finalized ensemble that its owner has moved to another release, or is
// moving, has no problem by that, and nobody is told to wrap it.
func TestReleasesAfterTheEnd(t *testing.T) {
	s := healthy("3.8.0", 1, 2, 3)
	ungated(s, 1, 2, 3)
	for i := range s.o.Servers {
		s.o.Servers[i].Live.Version = ensemble.Version{Major: 3, Minor: 9, Patch: i}
	}
	problems := func() (texts []string) {
		for _, p := range migration.Problems(s.o) {
			if p.Code == migration.CodeVersionDiffers {
				texts = append(texts, p.Text)
			}
		}
		return texts
	}
	if len(problems()) == 0 {
		t.Error("before the end it is none")
	}
	s.o.Record.Finalized = &migration.Confirmation{At: t0(), By: "bob"}
	if got := problems(); len(got) > 0 {
		t.Errorf("after it: %q", got)
	}
}

// TestPlainPodsWithoutFiles: what a pod without a gate was made from is gone; status says which
// command makes it again, or where it can be had from.
func TestPlainPodsWithoutFiles(t *testing.T) {
	for name, c := range map[string]struct {
		finalized, ours bool
		next            string
	}{
		"on the way":             {false, true, "finalize demo --give-up-way-back=demo"},
		"finalized":              {true, true, "finalize demo --output-dir=DIR -n zk, then kubectl apply -f DIR/configmap-*.yaml"},
		"finalized, its owner's": {true, false, "exec demo-pod-1 -- cat /conf/zoo.cfg"},
	} {
		s := healthy("3.8.0", 1, 2, 3)
		ungated(s, 1, 2, 3)
		s.filesGone(2)
		s.view(2).Cluster.Pod.Source.Missing = c.ours
		if c.finalized {
			s.o.Record.Finalized = &migration.Confirmation{At: t0(), By: "bob"}
		}
		got := migration.Problems(s.o)
		if len(got) != 1 || got[0].Code != migration.CodePodFiles || !strings.Contains(got[0].Next, c.next) {
			t.Errorf("%s: %+v", name, got)
		}
		// Of the Secret it is not known whether it is there.
		s.o.Record.Pods.PlainFiles = &migration.PlainFiles{Secret: "demo-conf-x"}
		s.down(1)
		pod := &s.view(1).Cluster.Pod
		pod.Container, pod.Problem, pod.Report = migration.ContainerPreparing, "node n1 prepares the pod", migration.Report{}
		next, evidence := "finalize demo --give-up-way-back=demo", "this recreates it"
		if c.finalized {
			next, evidence = "describe pod demo-pod-0", "restore it from a backup"
		}
		got = slices.DeleteFunc(migration.Problems(s.o), func(p migration.Problem) bool { return !p.Server.Is(1) })
		if len(got) != 1 || !strings.Contains(got[0].Next, next) || !strings.Contains(strings.Join(got[0].Evidence, "\n"), "get secret demo-conf-x") ||
			!strings.Contains(strings.Join(got[0].Evidence, "\n"), evidence) {
			t.Errorf("%s, a pod that does not start: %+v", name, got)
		}
	}
}

// TestUngatedIsRecorded: that pods have no gate is recorded together with what they mount instead.
func TestUngatedIsRecorded(t *testing.T) {
	files := &migration.PlainFiles{Secret: "demo-conf-x"}
	rec, changed := healthy("3.8.0", 1, 2, 3).o.Record.After("bob", migration.Decision{Server: 1, Step: migration.StepUngate}, migration.Outcome{PlainFiles: files}, ensemble.MaybeID{})
	if !changed || !rec.Pods.Plain || rec.Pods.PlainFiles != files {
		t.Errorf("%v, %+v", changed, rec.Pods)
	}
}
