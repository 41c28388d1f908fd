package faults

import (
	"fmt"
	"strings"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// Cell is one disturbance that is played in every phase of a replacement, and
// of the way back.
type Cell struct {
	Name    string
	Disturb Disturbance
	// GoesOn is set where it is shorter than anything that a rule gives up after:
	// no command may end because of it.
	GoesOn bool
}

// Matrix is what of partial sight is played outside of CI.
func Matrix() []Cell {
	roles := map[string]func(*Stage) int{
		"leader": func(g *Stage) int { return g.Leader },
		"other":  func(g *Stage) int { return g.Other },
		"itself": func(g *Stage) int { return g.ID },
	}
	names := []string{"leader", "other", "itself"}
	var out []Cell
	for _, how := range Blindnesses() {
		out = append(out, Cell{fmt.Sprintf("%s-everybody-3s", how), UnseenFor(spell, []Blindness{how}, nobody), true})
		for _, name := range names {
			who := func(g *Stage) []int { return []int{roles[name](g)} }
			out = append(out, Cell{fmt.Sprintf("%s-%s-3s", how, name), UnseenFor(spell, []Blindness{how}, who), true})
		}
	}
	for _, d := range []time.Duration{3 * time.Second, 12 * time.Second, 60 * time.Second} {
		for _, name := range names {
			out = append(out, Cell{fmt.Sprintf("still-%s-%.0fs", name, d.Seconds()), StillFor(d, func(g *Stage, _ int) int { return roles[name](g) }), d == spell})
		}
	}
	return out
}

// PlayBothWays disturbs every phase of a replacement and of the way back. A
// command that a rule ends is followed by what it prints, to the letter, until
// one ends well: it must, within a few, and lose nothing.
func PlayBothWays(s *scene.Scene, c Cell) {
	g := &Stage{Scene: s, fault: Fault{Name: c.Name}, hook: s.Lab.HookCommand(), machine: labkit.Operator}
	g.T.Helper()
	g.bring(OnHost)
	g.T.Cleanup(g.end)
	g.StartMovedLoad()
	gaps := g.LogGaps(g.ID)
	g.Disturbed(migration.Replace, 1, c.Disturb)
	g.followed(c.GoesOn)
	g.settle(InPod)
	g.who()
	g.Disturbed(migration.Revert, 1, c.Disturb)
	g.followed(c.GoesOn)
	g.settle(OnHost)
	gaps()
	g.NothingLost()
}

// who tells who leads now; the server in question stays the same.
func (g *Stage) who() {
	g.T.Helper()
	g.Leader = g.Status().Leader
	for _, id := range scene.But(g.IDs, g.ID) {
		if id != g.Leader {
			g.Other = id
		}
	}
}

// followed follows what is printed until a command ends well: the first one, where
// it is to go on by itself.
func (g *Stage) followed(goesOn bool) {
	g.T.Helper()
	const most = 5
	for range most {
		code, err := g.tool.Exit(patience)
		if err != nil {
			g.T.Fatal(err)
		}
		if code == 0 {
			return
		}
		g.said = g.tool.Log()
		if goesOn {
			g.T.Fatalf("exit code %d for what was over at once:\n%s", code, g.said)
		}
		g.T.Logf("exit code %d, then: %s", code, lastWay(g.said))
		if !strings.Contains(lastWay(g.said), "zkmigrate") {
			g.T.Fatalf("exit code %d, and no command to go on with:\n%s", code, g.said)
		}
		g.Follow()
	}
	g.T.Fatalf("no command ended well within %d:\n%s", most, g.tool.Log())
}

// settle brings the server to where the next half begins: a rule may have led
// it back.
func (g *Stage) settle(p Place) {
	g.T.Helper()
	for _, s := range g.Status().Servers {
		switch {
		case s.ID != g.ID || s.Place == string(p):
		case p == InPod:
			g.Replace(0, fmt.Sprintf("--id=%d", g.ID))
		default:
			g.Revert(g.ID)
		}
	}
	g.stands(p)
}
