package migration_test

import (
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

func seedRules() []rule {
	pod := func(s *scene) *migration.PodView { return &s.view(1).Cluster.Pod }
	return []rule{
		{name: "dead: the copy is asked for", set: func(s *scene) { s.dead(1).Data = migration.DataCopy }, want: do, step: migration.StepSeed},
		{name: "not before it is dead", set: func(s *scene) { s.seeding(1).DeadSince = nil }, want: do, step: migration.StepNoteDead},
		{
			name: "it is on its way", set: func(s *scene) { s.seeding(1) },
			want: wait, code: migration.CodeSeedPending, says: "kubectl zkmigrate seed demo --id=1 -n zk",
		},
		{name: "asked again", set: func(s *scene) { s.seeding(1).SeedAsked = ago(time.Minute) }, want: do, step: migration.StepSeed},
		{
			name: "a copy made after another stop does not count",
			set:  func(s *scene) { s.seeding(1); pod(s).Report.Volume.Seed = "1xold" }, want: wait, code: migration.CodeSeedPending,
		},
		{name: "copied: flip", set: func(s *scene) { s.seeding(1); pod(s).Report.Volume.Seed = "1xabc" }, want: do, step: migration.StepFlip},
		{name: "copied: release", set: func(s *scene) { s.seeded(1) }, want: do, step: migration.StepRelease, says: "copied to the pod in full"},
		{
			name: "the others need not be whole: it has forgotten nothing", version: "3.4.13",
			set: func(s *scene) { s.seeded(1); s.down(2); s.down(3) }, want: do, step: migration.StepRelease,
		},
		{
			name: "an election meanwhile does not matter", set: func(s *scene) { s.seeded(1).Before.Zxid = zxid(epoch-1, counter) },
			want: do, step: migration.StepRelease,
		},
		{
			name: "the host comes back: the copy is void", set: func(s *scene) { s.seeding(1); s.host(1, vantage.PortOpen); s.serve(1) },
			want: do, step: migration.StepRestartProof,
		},
		{
			name: "watchdog: not for a pod with all its data", version: "3.4.13",
			set: func(s *scene) { s.started(1).Data = migration.DataCopy; s.down(2) }, want: wait, code: migration.CodeJoining,
		},
		{
			name: "begun empty, asked with a copy", data: migration.DataCopy, set: func(s *scene) { s.dead(1) },
			want: stop, code: migration.CodeDataMode, says: "--data=empty",
		},
		{
			name: "begun with a copy, asked empty", data: migration.DataEmpty, set: func(s *scene) { s.seeding(1) },
			want: stop, code: migration.CodeDataMode, says: "--data=copy",
		},
		{name: "begun with a copy, asked without a word", set: func(s *scene) { s.seeding(1) }, want: wait, code: migration.CodeSeedPending},
	}
}

func TestSeed(t *testing.T) {
	for _, r := range seedRules() {
		t.Run(r.name, func(t *testing.T) { check(t, r) })
	}
}

func TestSeedTokensAndStarts(t *testing.T) {
	s := healthy("3.4.13", 1, 2, 3)
	s.dead(1).Data = migration.DataCopy
	in := migration.Intent{Kind: migration.Replace, ID: 1, By: "bob"}
	first := migration.Decide(in, s.o)
	s.o.At = s.o.At.Add(time.Nanosecond)
	second := migration.Decide(in, s.o)
	if first.Flight.Seed == "" || first.Flight.Seed == second.Flight.Seed {
		t.Errorf("two stops have the tokens %q and %q", first.Flight.Seed, second.Flight.Seed)
	}
	for want, set := range map[migration.GateStart]func(*scene){
		"seed:1xabc":      func(s *scene) { s.seeded(1) },
		"empty:pod-1-a":   func(s *scene) { s.unbridged(1) },
		"empty:pod-1-new": func(s *scene) { s.lostAndProven(1) },
	} {
		s := healthy("3.4.13", 1, 2, 3)
		set(s)
		if d := migration.Decide(in, s.o); d.Start != want {
			t.Errorf("%s %s: the pod may start from %q, want %q", d.Kind, d.Step, d.Start, want)
		}
	}
}
