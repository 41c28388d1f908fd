package fleet

import "slices"

// Part is a part of an ensemble's way, by the command that does it.
type Part string

// The parts, in order.
const (
	Wrap        Part = "wrap"
	Reconfigure Part = "reconfigure"
	Replace     Part = "replace"
	Finalize    Part = "finalize"
)

// Facts are what is seen now.
type Facts struct {
	// Halt is what the fleet's halt annotation says; empty where there is none.
	Halt string
	// Targets are those that were looked at, by id.
	Targets map[string]Fact
}

// Fact is what is seen of one ensemble. The zero value says that nobody looked.
type Fact struct {
	// Seen says that a look succeeded.
	Seen bool
	// Healthy says that everybody serves where it should; Ready that its way can go on.
	// Why is what is in the way.
	Healthy, Ready bool
	Why, Next      string
	// Halt is what its halt annotation says.
	Halt string
	// Left are the parts that are left until the goal.
	Left    []Part
	Servers int
	// Elections is how many the rest of its way forces.
	Elections int
	// Epoch is the leader's, 0 where none was seen.
	Epoch uint32
}

// Reached reports whether it was seen at the goal.
func (f Fact) Reached() bool { return f.Seen && f.Servers > 0 && len(f.Left) == 0 }

// Ahead are the parts that a goal needs.
func Ahead(g Goal) []Part {
	all := []Part{Wrap, Reconfigure, Replace, Finalize}
	return all[:1+slices.Index([]Goal{Wrapped, Reconfigured, Replaced, Finalized}, g)]
}

// Elections is how many the parts force: a rolling restart one, the replacements one, and
// finalize one, for the leader goes last in each.
func Elections(left []Part) int {
	n := 0
	for _, part := range left {
		if part != Wrap {
			n++
		}
	}
	return n
}

// Assume are facts as if every ensemble were healthy and ready, and forced that many
// elections: what is decided on them rests on what is recorded, on halts and on the time.
func Assume(p Plan, halt string, halts map[string]string, elections int) Facts {
	f := Facts{Halt: halt, Targets: map[string]Fact{}}
	for _, t := range p.Targets {
		f.Targets[t.ID] = Fact{Seen: true, Healthy: true, Ready: true, Halt: halts[t.ID], Elections: elections}
	}
	return f
}

// Needs are the ensembles that Decide must know about now: the rest of the stage that is
// next, and those that are done, of which nothing may be wrong before another one begins.
// What is under way is looked at by whoever moves it.
func Needs(p Plan, s State) []string {
	var out []string
	for _, t := range p.Targets {
		if s.Phase(t.ID) == Done {
			out = append(out, t.ID)
		}
	}
	for _, stage := range p.Stages {
		var rest []string
		for _, t := range p.Of(stage.Name) {
			if s.Phase(t.ID) == "" {
				rest = append(rest, t.ID)
			}
		}
		if len(rest) > 0 {
			return append(out, rest...)
		}
	}
	return out
}
