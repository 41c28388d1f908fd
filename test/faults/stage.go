package faults

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// patience bounds every wait; what is waited for takes seconds.
const patience = 5 * time.Minute

// Stage is where one fault is played: an ensemble, the operator's command, and
// who is who.
type Stage struct {
	*scene.Scene
	// ID is the server in question, Leader leads, Other is a voter that does
	// neither.
	ID, Other, Leader int

	fault Fault
	hook  string
	tool  *labkit.Process
	// first is another operator's command.
	first *labkit.Process
	runs  int
	// machine is where the operator works.
	machine string
	// still wants what Untouched noted; goOn ends what StandsStill began.
	still, goOn func()
	// off is the node without power.
	off string
	// cordoned are the nodes that take no pods.
	cordoned []string
	// disks are those of the hosts that lose their power.
	disks []*disk
	// masqueraded is what nodes masquerade; nil for nothing.
	masqueraded []string
	// outage is the API server's, under way.
	outage *outage
	// said is what the command had printed at its verdict.
	said string
}

// Play plays one fault: whatever happens, the client loses nothing, and the
// Service has one address.
func Play(s *scene.Scene, f Fault) {
	began := time.Now()
	g, t := &Stage{Scene: s, fault: f, machine: labkit.Client}, s.T
	if f.Sight {
		g.machine = labkit.Operator
	}
	g.hook = g.Lab.HookCommand()
	if f.Hook != "" {
		g.hook = g.File("hook.sh")
		text := "#!/bin/sh\n" + strings.ReplaceAll(f.Hook, "{zklab}", g.Lab.HookCommand()) + "\n"
		if err := os.WriteFile(g.hook, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	g.bring(f.From)
	t.Cleanup(g.end)
	g.StartMovedLoad()
	// A server that ends in its pod has moved; one that stays may not have.
	moves := 0
	if f.From.inPod() != f.After.inPod() {
		moves = 1
	}
	verdict := g.LogGaps(g.ID)
	if f.NoAddress == "" {
		verdict = g.WatchSlicesAtLeast(moves)
	}
	if f.Prepare != nil {
		f.Prepare(g)
	}
	if f.When == "" {
		f.Trigger(g)
	}
	if g.tool == nil {
		g.Begin(g.command()...)
	}
	if f.When != "" {
		g.hold(f.When)
		f.Trigger(g)
		g.resume()
	}
	g.expect(f.Verdict)
	t.Logf("words: command %q, status %q", lastWay(g.said), g.next())
	f.Recover(g)
	g.stands(f.After)
	if f.After == InPod {
		g.fenced()
	}
	verdict()
	g.NothingLost()
	t.Logf("%s: %.0f s", f.Name, time.Since(began).Seconds())
}

// end leaves nothing running behind a failure.
func (g *Stage) end() {
	for _, p := range []*labkit.Process{g.tool, g.first} {
		if p != nil && !p.Ended() {
			p.Kill()
		}
	}
	g.StopLoad()
}

func (g *Stage) command() []string {
	if len(g.fault.Command) > 0 {
		var out []string
		for _, word := range g.fault.Command {
			out = append(out, g.fill(word))
		}
		return out
	}
	return append([]string{"replace", g.Name, fmt.Sprintf("--id=%d", g.ID)}, g.fault.Args...)
}

// Begin starts a command of ours in the background.
func (g *Stage) Begin(args ...string) {
	g.T.Helper()
	switch args[0] {
	case "replace":
		args = append(args, scene.AcceptLoss, "--yes", "--verbose", "--host-hook", g.hook)
	case "revert":
		args = append(args, "--yes", "--verbose", "--host-hook", g.hook)
	case "reconfigure":
		args = append(append(args, g.Files()...), "--verbose", "--host-hook", g.hook)
	}
	if g.machine == labkit.Operator {
		// What it cannot see is the fault, and no pod sees for it.
		args = append(args, "--probe-via=direct")
	}
	g.start(append([]string{"kubectl", "zkmigrate"}, append(args, "-n", g.Name)...)...)
}

func (g *Stage) start(args ...string) {
	g.T.Helper()
	g.runs++
	lab := *g.Lab
	lab.Machine = g.machine
	p, err := lab.Start(context.WithoutCancel(g.T.Context()), fmt.Sprintf("run-%d.log", g.runs), args...)
	if err != nil {
		g.T.Fatal(err)
	}
	g.tool = p
}

// hold waits until a step is done and stops the command right there, before
// its next one.
func (g *Stage) hold(step migration.StepID) {
	g.T.Helper()
	done := "ok    " + migration.StepByID(step).Title
	g.sees(done)
	if err := g.tool.Pause(); err != nil {
		g.T.Fatal(err)
	}
	if _, after, _ := strings.Cut(g.tool.Log(), done); strings.Contains(after, "  ok    ") {
		g.T.Fatalf("the command went on before it could be held after %q:\n%s", step, g.tool.Log())
	}
}

func (g *Stage) resume() {
	g.T.Helper()
	if err := g.tool.Resume(); err != nil {
		g.T.Fatal(err)
	}
}

// GoOn lets a held command do its next steps, up to one.
func (g *Stage) GoOn(step migration.StepID) {
	g.T.Helper()
	g.resume()
	g.hold(step)
}

// Restart kills the held command and begins it again: it decides on nothing it
// saw before. One that is only held may have looked already, and does one step
// more on that look.
func (g *Stage) Restart() {
	g.T.Helper()
	g.tool.Kill()
	g.Begin(g.command()...)
}

// sees waits until the command under way has printed all these.
func (g *Stage) sees(parts ...string) {
	g.T.Helper()
	ctx, cancel := context.WithTimeout(g.T.Context(), patience)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		ended := g.tool.Ended()
		log := unrepeated(g.tool.Log())
		missing := ""
		for _, part := range parts {
			if !strings.Contains(log, part) {
				missing = part
			}
		}
		switch {
		case missing == "":
			return
		case ended:
			g.T.Fatalf("the command ended without %q:\n%s", missing, log)
		}
		select {
		case <-ctx.Done():
			g.T.Fatalf("no %q within %s:\n%s", missing, patience, g.tool.Log())
		case <-tick.C:
		}
	}
}

// unrepeated is a log with printed commands as they are for somebody without a hook.
func unrepeated(log string) string {
	return regexp.MustCompile(` --host-hook=('[^']*'|[^\s,;()]+)`).ReplaceAllString(log, "")
}

// expect is the verdict.
func (g *Stage) expect(v Verdict) {
	g.T.Helper()
	parts := []string{g.fill(v.Says), g.fill(v.Next)}
	if v.Code != "" && v.Exit != Goes {
		parts = append(parts, "["+string(v.Code)+"]")
	}
	switch v.Exit {
	case Waits:
		g.sees(parts...)
	case Goes:
		g.ends(0, parts...)
	default:
		g.ends(v.Exit, parts...)
	}
	g.said = g.tool.Log()
}

// ends waits for the command's end.
func (g *Stage) ends(code int, parts ...string) {
	g.T.Helper()
	got, err := g.tool.Exit(patience)
	log := unrepeated(g.tool.Log())
	if err != nil {
		g.T.Fatal(err)
	}
	if got != code {
		g.T.Fatalf("exit code %d, want %d:\n%s", got, code, log)
	}
	for _, part := range parts {
		if !strings.Contains(log, part) {
			g.T.Errorf("it does not say %q:\n%s", part, log)
		}
	}
}

// Ends waits until the command under way ends well.
func (g *Stage) Ends() { g.T.Helper(); g.ends(0) }

// Stopped waits until the command under way is stopped by a rule, and keeps
// what it says for Follow.
func (g *Stage) Stopped(exit int, code migration.Code) {
	g.T.Helper()
	g.ends(exit, "["+string(code)+"]")
	g.said = g.tool.Log()
}

// Disagrees follows the way out that was printed to its end, begins the same
// command again, which stops because journal and world disagree, and begins what
// helps, as it prints then.
func (g *Stage) Disagrees() {
	g.T.Helper()
	g.Follow()
	g.Ends()
	g.Begin(g.command()...)
	g.Stopped(3, migration.CodeJournalDisagrees)
	g.Follow()
}

// Again runs the same command again, to its end.
func (g *Stage) Again() {
	g.T.Helper()
	g.Begin(g.command()...)
	g.Ends()
}

// fill puts the scene's names into a text.
func (g *Stage) fill(text string) string {
	return strings.NewReplacer(
		"{name}", g.Name, "{id}", fmt.Sprint(g.ID), "{other}", fmt.Sprint(g.Other), "{leader}", fmt.Sprint(g.Leader),
		"{host}", g.Host(g.ID).Address, "{pod}", g.PodName(),
	).Replace(text)
}
