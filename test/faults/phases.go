package faults

import (
	"fmt"
	"strings"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// irrevocable are the steps that must rest on a look at the servers.
func irrevocable() []migration.StepID {
	return []migration.StepID{
		migration.StepStopHost, migration.StepFlip, migration.StepRelease, migration.StepRenew,
		migration.StepCloseGate, migration.StepFlipBack, migration.StepDeletePod, migration.StepStartHost,
	}
}

// Disturbance happens once in every phase, while the command goes on, and is
// over when it returns; round counts the phases.
type Disturbance func(g *Stage, round int)

// Disturbed runs a command and disturbs it right after each of these steps. It
// must have happened in so many of them at least: a command that gets past a
// step during the disturbance of the one before is not held there.
func (g *Stage) Disturbed(kind migration.FlightKind, atLeast int, disturb Disturbance) {
	g.T.Helper()
	g.Begin(string(kind), g.Name, fmt.Sprintf("--id=%d", g.ID))
	var at []string
	steps := migration.Way(kind)
	for i, step := range steps {
		if !g.holdIfThere(steps, i) {
			continue
		}
		at = append(at, string(step))
		disturb(g, len(at)-1)
	}
	g.T.Logf("disturbed after %s", strings.Join(at, ", "))
	if len(at) < atLeast {
		g.T.Errorf("disturbed in %d phases, want %d at least:\n%s", len(at), atLeast, g.tool.Log())
	}
}

// holdIfThere is hold for the step at i, which may not come, as a later one tells, or
// be over.
func (g *Stage) holdIfThere(steps []migration.StepID, i int) bool {
	g.T.Helper()
	deadline := time.Now().Add(patience)
	for {
		log := g.tool.Log()
		if _, done := afterStep(log, steps, i); done {
			break
		}
		for later := i + 1; later < len(steps); later++ {
			if _, past := afterStep(log, steps, later); past {
				return false
			}
		}
		if g.tool.Ended() {
			return false
		}
		if time.Now().After(deadline) {
			g.T.Fatalf("no %q within %s:\n%s", okay(steps[i]), patience, log)
		}
		g.lasts(2 * time.Millisecond)
	}
	if err := g.tool.Pause(); err != nil {
		return false // it has just ended
	}
	if after, _ := afterStep(g.tool.Log(), steps, i); strings.Contains(after, "  ok    ") {
		g.resume()
		return false
	}
	return true
}

// afterStep is what a log says after the step at i, and whether that was done. Steps
// that keep like things have one title: the second of them is the title's second time.
func afterStep(log string, steps []migration.StepID, i int) (after string, done bool) {
	after, done = log, true
	for j := 0; j <= i && done; j++ {
		if okay(steps[j]) == okay(steps[i]) {
			_, after, done = strings.Cut(after, okay(steps[i])+" (")
		}
	}
	return after, done
}

func okay(step migration.StepID) string { return "ok    " + migration.StepByID(step).Title }

// UnseenFor takes the sight of these servers from the held command for some
// time: a different kind of blindness each round, or just the ones given.
// Nothing irrevocable is done meanwhile but by a step whose look had begun.
func UnseenFor(d time.Duration, kinds []Blindness, who func(*Stage) []int) Disturbance {
	return func(g *Stage, round int) {
		g.T.Helper()
		had := len(g.tool.Log())
		g.Blind(kinds[round%len(kinds)], who(g)...)
		g.resume()
		g.lasts(d)
		log := g.tool.Log()[had:]
		g.See()
		if who(g) != nil {
			return // the others may be enough
		}
		var done []string
		for _, step := range irrevocable() {
			if strings.Contains(log, okay(step)) {
				done = append(done, string(step))
			}
		}
		if len(done) > 1 {
			g.T.Errorf("done without seeing anybody: %s\n%s", strings.Join(done, ", "), log)
		}
	}
}

// StillFor has a server's process stand still for some time: another one each
// round.
func StillFor(d time.Duration, who func(g *Stage, round int) int) Disturbance {
	return func(g *Stage, round int) {
		g.T.Helper()
		goOn := g.StandsStill(who(g, round))
		g.resume()
		if goOn != nil {
			g.lasts(d)
			goOn()
		}
	}
}

// nobody is seen.
func nobody(*Stage) []int { return nil }
