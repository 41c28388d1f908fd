package printer

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/fleet"
)

// Markdown and HTML are documents for people, to keep or to attach.
const (
	Markdown Format = "markdown"
	HTML     Format = "html"
)

// document reports whether a text for people is asked for, in whatever form.
func (p Printer) document() bool {
	return p.ForPeople() || p.Objects == nil && (p.Format == Markdown || p.Format == HTML)
}

// FleetStatus prints a run at one moment.
func (p Printer) FleetStatus(w io.Writer, o fleet.Overview) error {
	if !p.document() {
		return p.Structured(w, o)
	}
	t := newTables(p)
	t.fleet(o)
	return t.writeTo(w)
}

func (t *tables) fleet(o fleet.Overview) {
	runner := "no command is at work on it"
	if o.Runner != "" {
		runner = "at work: " + o.Runner
	}
	t.title("Fleet %s in namespace %s: %s", o.Name, o.Namespace, o.Verdict)
	t.line("%s; until %s; %s.", o.Counts, o.Until, runner)
	if o.PerServer > 0 {
		t.line("Measured: %s per server. Elections forced: %d.", o.PerServer.Duration(), o.Elections)
		if o.Verdict != fleet.Finished {
			t.line("%s", ends(o.At, o.Left))
		}
	}
	for _, wait := range o.Waits {
		if wait.Code == fleet.WaitTurn {
			continue
		}
		text := wait.Text
		if !wait.Until.IsZero() {
			text += ", until " + wait.Until.Local().Format(time.DateTime)
		}
		t.item("%s", text)
		if wait.Next != "" {
			t.item("next: %s", wait.Next)
		}
	}
	for _, e := range o.Ensembles {
		waits := slices.ContainsFunc(o.Waits, func(w fleet.Wait) bool { return w.Code == fleet.WaitRed && w.Target == e.ID })
		if e.Phase == fleet.Red && !waits { // its stage tolerates it
			t.item("%s is red: %s", e.ID, e.Reason)
			t.item("next: %s", e.Next)
		}
	}
	t.table("STAGE", "DONE", "UNDER WAY", "RED", "SKIPPED", "NOT BEGUN")
	for _, s := range o.Stages {
		name := s.Name
		if s.Current {
			name += " (now)"
		}
		t.row(name, s.Counts.Done, s.Counts.UnderWay, s.Counts.Red, s.Counts.Skipped, s.Counts.NotBegun)
	}
	t.table("ENSEMBLE", "STAGE", "STATE", "BEGUN", "TOOK", "LEFT", "ELECTIONS", "STALL", "ATTEMPTS", "WHY")
	for _, e := range o.Ensembles {
		t.row(e.ID, e.Stage, stateOf(e.Result), clockOf(e.Begun), took(e.Result, o.At), about(e.Left), electionsOf(e), stall(e.Stall), dashed(e.Attempts), e.Reason)
	}
	if len(o.Approvals) > 0 {
		t.table("APPROVAL", "GIVEN", "BY", "WHY")
		for _, a := range o.Approvals {
			if a.Given == nil {
				t.row(a.Name, "no", "-", "")
				continue
			}
			t.row(a.Name, clockOf(a.Given.At), a.Given.By, a.Given.Why)
		}
	}
}

// FleetReport prints what happened in a run.
func (p Printer) FleetReport(w io.Writer, o fleet.Overview) error {
	if !p.document() {
		return p.Structured(w, o)
	}
	t := newTables(p)
	t.fleet(o)
	for _, e := range o.Ensembles {
		if e.Phase != fleet.Red {
			continue
		}
		t.line("%s is red: %s", e.ID, e.Reason)
		for _, line := range e.Evidence {
			t.item("%s", line)
		}
		if e.Next != "" {
			t.item("next: %s", e.Next)
		}
	}
	t.table("WHEN", "WHO", "WHAT", "OF", "DETAIL")
	for _, e := range o.Audit {
		t.row(clockOf(e.At), e.By, e.What, e.Target, e.Detail)
	}
	return t.writeTo(w)
}

// FleetPlan prints what a run would do.
func (p Printer) FleetPlan(w io.Writer, o fleet.Preview) error {
	if !p.document() {
		return p.Structured(w, o)
	}
	t := newTables(p)
	t.title("Fleet %s in namespace %s: %d ensembles until %s", o.Name, o.Namespace, len(o.Ensembles), o.Until)
	t.line("%d ready, %d not; %d elections in all%s; at most %d at once.", o.Ready, len(o.Ensembles)-o.Ready, o.Elections, perHour(o.ElectionsPerHour), o.MaxConcurrency)
	if o.PerServer > 0 {
		t.line("Measured: %s per server. %s", o.PerServer.Duration(), ends(o.At, o.Left))
	} else {
		t.line("How long it takes is not known before a first ensemble was moved.")
	}
	for _, window := range o.Windows {
		t.item("ensembles begin from %s (%s) for %s", window.Cron, window.TimeZone, window.Duration.Duration)
	}
	for _, d := range o.Recorded {
		t.item("%s", d)
	}
	t.table("STAGE", "ENSEMBLES", "AT ONCE", "TOLERATES", "SOAK EACH", "SOAK", "APPROVAL BEFORE", "APPROVAL AFTER")
	for _, s := range o.Stages {
		t.row(s.Name, s.Ensembles, s.Concurrency, s.Tolerate, s.SoakEach.Duration, s.Soak.Duration, orDash(s.ApproveBefore), orDash(s.ApproveAfter))
	}
	if len(o.Alternatives) > 0 {
		t.table("ALTERNATIVE", "ENDS", "TAKES")
		for _, a := range o.Alternatives {
			what, takes := fmt.Sprintf("%d at once", a.AtOnce), "does not end by itself"
			if a.Written {
				what += " (as written)"
			}
			if !a.Ends.IsZero() {
				takes = a.Takes.Duration().String()
			}
			t.row(what, clockOf(a.Ends), takes)
		}
	}
	t.table("ORDER", "ENSEMBLE", "STAGE", "READY", "LEFT", "SERVERS", "ELECTIONS", "BEGINS", "CONSUMERS", "WHY NOT")
	for i, e := range o.Ensembles {
		ready := "yes"
		if !e.Ready {
			ready = "NO"
		}
		t.row(i+1, e.ID, e.Stage, ready, orDash(strings.Join(e.Left, ", ")), dashed(e.Servers), e.Elections, clockOf(e.Begins), orDash(strings.Join(e.Consumers, ", ")), e.Why)
	}
	for _, e := range o.Ensembles {
		if e.Next != "" {
			t.item("%s: next: %s", e.ID, e.Next)
		}
	}
	return t.writeTo(w)
}

// ends says when a run ends by the rules and by what was measured.
func ends(now time.Time, left fleet.Seconds) string {
	if left == 0 {
		return "It does not end by itself."
	}
	return fmt.Sprintf("It ends about %s, in %s, with windows, soaks and the budget of elections, if it goes on now and every approval is given at once.", clockOf(now.Add(left.Duration())), left.Duration())
}

func perHour(n int) string {
	if n == 0 {
		return ", without a limit per hour"
	}
	return fmt.Sprintf(", at most %d within an hour", n)
}

func stateOf(r fleet.Result) string {
	if r.Phase == "" {
		return "-"
	}
	return string(r.Phase)
}

func clockOf(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.Local().Format(time.DateTime)
}

func took(r fleet.Result, now time.Time) string {
	switch {
	case r.Begun.IsZero() || r.Attempts == 0:
		return "-"
	case r.Ended.IsZero():
		return now.Sub(r.Begun).Round(time.Second).String() + " so far"
	}
	return r.Ended.Sub(r.Begun).Round(time.Second).String()
}

func about(left fleet.Seconds) string {
	if left == 0 {
		return "-"
	}
	return "about " + left.Duration().String()
}

// stall is the longest that clients waited for a leader.
func stall(longest fleet.Millis) string {
	if longest == 0 {
		return "-"
	}
	return "at most " + longest.Duration().Round(100*time.Millisecond).String()
}

// electionsOf is how many an ensemble has forced, or what was set aside for it.
func electionsOf(e fleet.TargetView) string {
	switch {
	case e.Forced != nil:
		return fmt.Sprint(*e.Forced)
	case e.Elections > 0:
		return fmt.Sprintf("up to %d", e.Elections)
	}
	return "-"
}

func dashed(n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}
