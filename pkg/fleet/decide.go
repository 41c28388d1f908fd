package fleet

import (
	"fmt"
	"slices"
	"time"
)

// Verdict is what a decision adds up to.
type Verdict string

// The verdicts.
const (
	// Going: something is under way, or begins now.
	Going Verdict = "going"
	// Waiting: nothing is under way, and something must happen first.
	Waiting Verdict = "waiting"
	// Stopped: an ensemble is red, and nothing is under way any more.
	Stopped Verdict = "red"
	// Halted: somebody has paused or halted the run, and nothing is under way that goes on.
	Halted Verdict = "halted"
	// Finished: every stage is over.
	Finished Verdict = "done"
)

// Code names what is waited for.
type Code string

// The codes.
const (
	WaitHalt      Code = "halted"
	WaitPause     Code = "paused"
	WaitRed       Code = "red"
	WaitApproval  Code = "approval"
	WaitSoak      Code = "soak"
	WaitWindow    Code = "window"
	WaitElections Code = "elections"
	WaitConsumer  Code = "consumer"
	WaitHealth    Code = "health"
	WaitReady     Code = "not-ready"
	WaitUnseen    Code = "unseen"
	WaitTurn      Code = "turn"
)

// Wait is something that is waited for.
type Wait struct {
	Code  Code   `json:"code"`
	Stage string `json:"stage,omitempty"`
	// Target is the ensemble that waits, or that is waited for; empty for all of them.
	Target string `json:"target,omitempty"`
	Text   string `json:"text"`
	// Until is when it is over; zero where nobody knows.
	Until time.Time `json:"until,omitzero"`
	// Next is what a person can do; Approval is the name of the approval that is missing.
	Next     string `json:"next,omitempty"`
	Approval string `json:"approval,omitempty"`
}

// person reports whether it is over only when somebody does something.
func (w Wait) person() bool {
	return slices.Contains([]Code{WaitHalt, WaitPause, WaitRed, WaitApproval}, w.Code)
}

// Decision is what may happen now.
type Decision struct {
	// Stage is the one that the run is in; empty when all are over.
	Stage string `json:"stage,omitempty"`
	// Resume is under way and goes on, Begin may begin, both in order.
	Resume []string `json:"resume,omitempty"`
	Begin  []string `json:"begin,omitempty"`
	// Waits says what keeps the others.
	Waits   []Wait  `json:"waits,omitempty"`
	Verdict Verdict `json:"verdict"`
}

// NeedsPerson reports whether nothing goes on before somebody does something.
func (d Decision) NeedsPerson() bool {
	return len(d.Resume)+len(d.Begin) == 0 && slices.ContainsFunc(d.Waits, Wait.person)
}

// Decide says which ensembles may go on and begin now. It is a pure function, and the only
// place that knows these rules:
//   - what is under way goes on to its end, unless somebody halts the run;
//   - a stage begins when the one before it is over, has soaked and is approved;
//   - nothing begins while the run is paused or halted, no window is open, an ensemble that
//     the run has moved is not healthy, or the stage has more red ones than it tolerates;
//   - an ensemble begins when it is healthy and ready, or when somebody has it tried again;
//   - never are more under way than the stage and the plan allow, nor two with a common
//     consumer, nor may elections within an hour come to more than the plan's budget.
func Decide(p Plan, s State, f Facts, now time.Time) Decision {
	d := decider{p: p, s: s, f: f, now: now}
	d.under, d.red = d.in(UnderWay, p.Targets), d.in(Red, p.Targets)
	d.resume()
	for _, stage := range p.Stages {
		d.out.Stage = stage.Name
		if !d.approved(stage, stage.ApproveBefore, "before") {
			return d.end()
		}
		if !d.over(stage) {
			d.begin(stage)
			return d.end()
		}
		if !d.passed(stage) {
			return d.end()
		}
	}
	d.out.Stage = ""
	if len(d.under) == 0 {
		d.out.Verdict = Finished
		return d.out
	}
	return d.end()
}

type decider struct {
	p   Plan
	s   State
	f   Facts
	now time.Time
	// under are those that have begun and not ended, or begin now; red were red before.
	under, red []Target
	out        Decision
}

func (d *decider) wait(w Wait) { d.out.Waits = append(d.out.Waits, w) }

func (d *decider) in(phase Phase, targets []Target) []Target {
	var out []Target
	for _, t := range targets {
		if d.s.Phase(t.ID) == phase {
			out = append(out, t)
		}
	}
	return out
}

// resume lets go on what is under way.
func (d *decider) resume() {
	if d.f.Halt != "" {
		d.wait(Wait{Code: WaitHalt, Text: "the fleet is halted: " + d.f.Halt})
	}
	for _, t := range d.p.Targets {
		if halt := d.f.Targets[t.ID].Halt; halt != "" {
			d.wait(Wait{Code: WaitHalt, Target: t.ID, Text: t.ID + " is halted: " + halt})
		} else if d.f.Halt == "" && d.s.Phase(t.ID) == UnderWay {
			d.out.Resume = append(d.out.Resume, t.ID)
		}
	}
}

// over reports whether nothing of a stage is left to begin or to end.
func (d *decider) over(stage Stage) bool {
	targets := d.p.Of(stage.Name)
	red := len(d.in(Red, targets))
	return red <= stage.Tolerate && len(d.in(Done, targets))+len(d.in(Skipped, targets))+red == len(targets)
}

// passed reports whether the next stage may begin after one that is over.
func (d *decider) passed(stage Stage) bool {
	if until := d.lastEnd(stage).Add(stage.Soak.Duration); stage.Soak.Duration > 0 && until.After(d.now) {
		d.wait(Wait{Code: WaitSoak, Stage: stage.Name, Text: fmt.Sprintf("stage %s soaks for %s", stage.Name, stage.Soak.Duration), Until: until})
		return false
	}
	return d.approved(stage, stage.ApproveAfter, "after")
}

func (d *decider) approved(stage Stage, name, when string) bool {
	if _, given := d.s.Approvals[name]; given || name == "" {
		return true
	}
	d.wait(Wait{Code: WaitApproval, Stage: stage.Name, Approval: name, Text: fmt.Sprintf("approval %s, %s stage %s", name, when, stage.Name)})
	return false
}

// lastEnd is when the last ensemble of a stage ended that this run has moved.
func (d *decider) lastEnd(stage Stage) time.Time {
	var last time.Time
	for _, t := range d.p.Of(stage.Name) {
		if r := d.s.Results[t.ID]; r.Phase != Skipped && r.Attempts > 0 && r.Ended.After(last) {
			last = r.Ended
		}
	}
	return last
}

// begin chooses those of the stage that begin now.
func (d *decider) begin(stage Stage) {
	targets := d.p.Of(stage.Name)
	red := d.in(Red, targets)
	if len(red) > stage.Tolerate {
		for _, t := range red {
			r := d.s.Results[t.ID]
			d.wait(Wait{Code: WaitRed, Stage: stage.Name, Target: t.ID, Text: t.ID + " is red: " + r.Reason, Next: r.Next})
		}
		return
	}
	if !d.mayBegin(stage) {
		return
	}
	for _, t := range d.in("", targets) {
		if !d.room(stage) || !d.take(stage, t) {
			return
		}
	}
}

// mayBegin judges what holds for all of a stage.
func (d *decider) mayBegin(stage Stage) bool {
	if p := d.s.Paused; p != nil {
		d.wait(Wait{Code: WaitPause, Text: fmt.Sprintf("%s has paused the run%s", p.By, because(p.Why))})
		return false
	}
	if slices.ContainsFunc(d.out.Waits, func(w Wait) bool { return w.Code == WaitHalt }) {
		return false
	}
	if is, next := open(d.p.Windows, d.now); !is {
		d.wait(Wait{Code: WaitWindow, Text: "no window is open", Until: next})
		return false
	}
	for _, t := range d.in(Done, d.p.Targets) {
		if fact := d.f.Targets[t.ID]; !fact.Seen || !fact.Healthy {
			d.wait(Wait{Code: WaitHealth, Target: t.ID, Text: fmt.Sprintf("%s was moved, and is not known to be healthy now%s", t.ID, because(fact.Why)), Next: fact.Next})
			return false
		}
	}
	if until := d.lastEnd(stage).Add(stage.SoakEach.Duration); stage.SoakEach.Duration > 0 && until.After(d.now) {
		d.wait(Wait{Code: WaitSoak, Stage: stage.Name, Text: fmt.Sprintf("stage %s soaks for %s after each ensemble", stage.Name, stage.SoakEach.Duration), Until: until})
		return false
	}
	return true
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}

// room reports whether one more may be under way.
func (d *decider) room(stage Stage) bool {
	ofStage := slices.DeleteFunc(slices.Clone(d.under), func(t Target) bool { return t.Stage != stage.Name })
	// With a soak after each, those that are under way together would not have one between them.
	alone := stage.SoakEach.Duration > 0 && len(ofStage) > 0
	if alone || len(ofStage) >= stage.Concurrency || len(d.under) >= d.p.MaxConcurrency {
		d.wait(Wait{Code: WaitTurn, Stage: stage.Name, Text: fmt.Sprintf("%d under way, no more at once in stage %s", len(d.under), stage.Name)})
		return false
	}
	return true
}

// take begins one ensemble if nothing of its own keeps it; false where nothing after it may
// begin either.
func (d *decider) take(stage Stage, t Target) bool {
	fact := d.f.Targets[t.ID]
	w := Wait{Stage: stage.Name, Target: t.ID, Next: fact.Next}
	other, consumer, shared := d.sharing(t)
	switch {
	case !fact.Seen:
		w.Code, w.Text = WaitUnseen, t.ID+" could not be looked at"+because(fact.Why)
	case !fact.Healthy && d.s.Results[t.ID].Attempts == 0: // who has it tried again has looked at it
		w.Code, w.Text = WaitHealth, t.ID+" is not known to be healthy"+because(fact.Why)
	case !fact.Ready:
		w.Code, w.Text = WaitReady, t.ID+" is not ready"+because(fact.Why)
	case shared:
		w.Code, w.Text, w.Next = WaitConsumer, fmt.Sprintf("%s has consumer %s in common with %s, which is not over", t.ID, consumer, other), ""
	case d.p.ElectionsPerHour > 0 && d.spent()+fact.Elections > d.p.ElectionsPerHour:
		// A smaller one that overtakes could keep it waiting for ever.
		w.Code, w.Text, w.Next, w.Until = WaitElections, fmt.Sprintf("%s would force %d elections, %d of %d within an hour are spent or set aside", t.ID, fact.Elections, d.spent(), d.p.ElectionsPerHour), "", d.free(fact.Elections)
		d.wait(w)
		return false
	default:
		d.out.Begin, d.under = append(d.out.Begin, t.ID), append(d.under, t)
		return true
	}
	d.wait(w)
	return true
}

// sharing finds an ensemble with a common consumer that is under way, or was left in the
// middle.
func (d *decider) sharing(t Target) (other, consumer string, found bool) {
	if len(t.Consumers) == 0 {
		return "", "", false
	}
	for _, u := range slices.Concat(d.under, d.red) {
		for _, c := range u.Consumers {
			if u.ID != t.ID && slices.Contains(t.Consumers, c) {
				return u.ID, c, true
			}
		}
	}
	return "", "", false
}

// spent is how many elections of the last hour lie behind or may still come: those of what is
// under way all count, whenever they happen.
func (d *decider) spent() int {
	n := 0
	for _, e := range d.s.Spent {
		if e.At.After(d.now.Add(-hour)) {
			n += e.N
		}
	}
	for _, t := range d.under {
		if d.s.Phase(t.ID) == UnderWay {
			n += d.s.Results[t.ID].Elections
		} else {
			n += d.f.Targets[t.ID].Elections
		}
	}
	return n
}

// free is when so many elections fit into the budget, if nothing else begins; zero where
// what is under way must end first.
func (d *decider) free(n int) time.Time {
	over := d.spent() + n - d.p.ElectionsPerHour
	for _, e := range d.s.Spent {
		at := e.At.Add(hour)
		if !at.After(d.now) {
			continue
		}
		if over -= e.N; over <= 0 {
			return at
		}
	}
	return time.Time{}
}

// end adds the decision up.
func (d *decider) end() Decision {
	has := func(codes ...Code) bool {
		return slices.ContainsFunc(d.out.Waits, func(w Wait) bool { return slices.Contains(codes, w.Code) })
	}
	switch {
	case len(d.out.Resume)+len(d.out.Begin) > 0:
		d.out.Verdict = Going
	case has(WaitHalt, WaitPause):
		d.out.Verdict = Halted
	case has(WaitRed):
		d.out.Verdict = Stopped
	default:
		d.out.Verdict = Waiting
	}
	return d.out
}
