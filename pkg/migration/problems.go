package migration

import (
	"fmt"
	"slices"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/sessions"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// Class says what a problem means.
type Class string

const (
	// ClassWrong: it was seen to be wrong. Nothing is begun meanwhile.
	ClassWrong Class = "wrong"
	// ClassUnseen: it could not be seen, and is neither right nor wrong. Nothing
	// is begun meanwhile.
	ClassUnseen Class = "unseen"
	// ClassRefusal: the ensemble is well, and no replacement may begin.
	ClassRefusal Class = "refusal"
	// ClassPlanned: an operation under way explains it.
	ClassPlanned Class = "planned"
	// ClassNote: worth knowing; it is in nobody's way.
	ClassNote Class = "note"
)

// Problem is one thing that is not as it should be, derived from one look.
// status, plan and check show the same list, and no command calls the ensemble
// well, or itself done, beside one.
type Problem struct {
	Code  Code  `json:"code"`
	Class Class `json:"class"`
	// Server is whom it is about, none where that is the ensemble.
	Server ensemble.MaybeID `json:"server,omitzero"`
	// Text says what was seen, Evidence what that rests on, Next what helps.
	Text     string   `json:"text"`
	Evidence []string `json:"evidence,omitempty"`
	Next     string   `json:"next,omitempty"`
}

// Problems lists what is not as it should be, hardest first.
func Problems(o Observation) []Problem { return derive(o).summarized().problems() }

// Hindrances are the problems beside which nothing is well or done: an
// operation under way is one, for its end is still to come.
func Hindrances(problems []Problem) []Problem {
	var out []Problem
	for _, p := range problems {
		if p.hinders() {
			out = append(out, p)
		}
	}
	return out
}

func (p Problem) hinders() bool { return p.Class != ClassNote && p.Class != ClassRefusal }

// findings are problems while they are gathered.
type findings []Problem

// add adds what a rule says about a server, if it says anything.
func (f *findings) add(class Class, id ensemble.ID, d Decision) {
	f.addAbout(class, id.Known(), d)
}

// addOfAll is add for what a rule says about the ensemble.
func (f *findings) addOfAll(class Class, d Decision) { f.addAbout(class, ensemble.MaybeID{}, d) }

func (f *findings) addAbout(class Class, id ensemble.MaybeID, d Decision) {
	if d.made() {
		*f = append(*f, Problem{Code: d.Code, Class: class, Server: id, Text: d.Reason, Evidence: d.Evidence, Next: d.Next})
	}
}

// nobody is an id that no server has.
const nobody = ensemble.MinID - 1

// summarized is the context of a look that nobody asked anything of.
func (f *facts) summarized() *context {
	m := &member{}
	m.ID = nobody
	return f.about(m)
}

// about is the same for one server.
func (f *facts) about(s *member) *context {
	return &context{facts: f, member: s, in: Intent{ID: s.ID}}
}

func (c *context) problems() []Problem {
	var out findings
	if !c.complete {
		out.addOfAll(ClassUnseen, c.guard())
		return out
	}
	if c.rec.Removal != nil {
		out = append(out, c.removing())
	}
	removed := c.removed()
	for _, s := range c.members {
		if !slices.Contains(removed, s.ID) {
			out = append(out, c.about(s).misplaced()...)
		}
	}
	if c.flight != nil {
		out = append(out, c.underWay())
	} else if c.unproven() {
		out.addOfAll(ClassWrong, c.unprovenPods())
	}
	out = append(out, c.editedSet()...)
	out = append(out, c.lostObjects()...)
	for _, s := range c.members {
		if !slices.Contains(removed, s.ID) {
			out = append(out, c.about(s).ailing()...)
		}
	}
	if c.leaderExpected() && len(removed) == 0 {
		for _, condition := range c.beginnings() {
			d, class := condition()
			out.addOfAll(class, d)
		}
	}
	return out
}

// misplaced holds one server's objects and addresses against the journal.
func (c *context) misplaced() (out findings) {
	out.add(ClassWrong, c.ID, c.checkAddress(c.member))
	out.add(ClassWrong, c.ID, c.checkPlace(c.member))
	astray := c.flying(c.ID) && c.address != AddressHost
	if astray && c.host == HostUnclear {
		out.add(ClassNote, c.ID, c.hostUnclear(""))
	}
	if astray && c.host == HostUp {
		out.add(ClassWrong, c.ID, stop(CodeHostReturned, c.stopAndMask(), "the server on host %s of server %d answers (%s), while its address points to %s",
			c.HostIP, c.ID, c.ports.said(), orNone(c.endpoints.Union)))
	}
	return out
}

// TakenAway reports whether the operation has begun to stop something: that its
// server does not serve is planned from then on.
func (f *Flight) TakenAway() bool {
	return f.StopAsked != nil || f.DeadSince != nil || f.Released != nil || f.Reclaimed != nil || f.Renewing != nil || f.Returning != nil || f.Aborted != ""
}

// underWay is the operation under way: what it is, whose, since when, and what
// it waits for.
func (c *context) underWay() Problem {
	f := c.flight
	d := c.inFlight()
	p := Problem{Code: CodeOneAtATime, Class: ClassPlanned, Server: f.ID.Known(), Next: c.next(),
		Text: fmt.Sprintf("%s of server %d is under way, begun by %s at %s, and has come to: %s", c.doing(), f.ID, f.By, moment(f.Started), f.phase())}
	if c.takenAway() {
		p.Evidence = append(p.Evidence, fmt.Sprintf("that server %d does not serve meanwhile is planned", f.ID))
	}
	if d.Kind == Wait || d.Kind == Stop {
		p.Evidence = append(p.Evidence, d.Reason)
		p.Evidence = append(p.Evidence, d.Evidence...)
	}
	return p
}

// doing is the command that has begun what is under way.
func (c *context) doing() string {
	if c.flight.Kind == Apply && c.rec.Pods.Plain {
		return "finalize"
	}
	return string(c.flight.Kind)
}

// takenAway: the server in flight does not serve, as planned.
func (c *context) takenAway() bool { return c.flight.TakenAway() && !c.of(c.flight.ID).serves() }

// inFlight is what a command that resumes the operation under way would decide
// now. If its first step only repeats a proof because nobody kept watching, the
// answer is what follows that step: the wait or stop of a command that had been
// watching all along.
func (c *context) inFlight() Decision {
	since := func(at time.Time) Decision {
		return c.decide(Intent{Kind: c.flight.Kind, ID: c.flight.ID, By: c.flight.By, Since: at, AcceptLoss: sessions.Consent{Any: true}})
	}
	d := since(c.now)
	if watched := since(time.Time{}); d.Kind == Do && watched.Kind != Do {
		return watched
	}
	return d
}

// ailing is what is wrong with one server where it runs.
func (c *context) ailing() (out findings) {
	live, pod := c.live, c.pod
	again := c.cmd("replace --id=%d", c.ID)
	switch {
	case c.rec.Finalized != nil:
		again = c.look()
	case c.stranded():
		again = c.regate()
	case pod.Source.Pod.Plain:
		again = c.finalizeAgain()
	}
	switch {
	case live.Unread():
		out.add(ClassUnseen, c.ID, stop(CodeUnseen, c.cmd("status"), "server %d was only partly seen from here: %s", c.ID, live.Said()))
	case live.Serving(), c.flying(c.ID) && c.flight.TakenAway():
	case live.Sight() == vantage.Unseen:
		out.add(ClassUnseen, c.ID, c.notSeen())
	case c.onHost():
		out.add(ClassWrong, c.ID, stop(CodeDegraded, c.bringBack(), "server %d does not serve: %s", c.ID, live.Said()))
	default:
		out.add(ClassWrong, c.ID, stop(CodePodAway, again, "server %d does not serve: %s", c.ID, live.Said()).
			with(fmt.Sprintf("pod %s: %s", pod.Name, c.podState())).with(c.plainSecret()...))
	}
	if c.holds == HoldsHalf {
		out.add(ClassWrong, c.ID, stop(CodeRenewal, again, "pod %s of server %d needs a new start from empty: %s", pod.Name, c.ID, c.report.Detail))
	}
	if c.onHost() {
		return out
	}
	if c.host == HostUnclear {
		out.add(ClassNote, c.ID, c.hostUnclear(""))
	}
	out.add(ClassWrong, c.ID, c.lostFiles())
	if differs := c.otherImage(); differs != "" {
		out.add(ClassWrong, c.ID, stop(CodeVersionDiffers, again, "%s", differs))
	}
	out.add(ClassNote, c.ID, c.otherTemplate())
	return out
}

// lostFiles: the pod runs, and would not start again on another node, or after a
// boot of its own.
func (c *context) lostFiles() Decision {
	pod := c.pod
	if pod.Source.Files == "" {
		return Decision{}
	}
	files := pod.Source.Files
	if pod.Source.ForeignFiles != "" {
		files += " (" + c.kubectl("delete configmap %s", pod.Source.ForeignFiles) + ")"
	}
	d := stop(CodePodFiles, c.cmd("replace --id=%d", c.ID), "pod %s of server %d cannot be started again: %s", pod.Name, c.ID, files)
	switch {
	case c.rec.Finalized != nil && pod.Source.Missing:
		return d.then(c.cmd("finalize --output-dir=DIR") + ", then " + c.kubectl("apply -f DIR/configmap-*.yaml"))
	case c.rec.Finalized != nil:
		return d.then(c.kubectl("exec %s -- cat /conf/zoo.cfg", pod.Name)).
			with("a pod that runs still has the file: create the ConfigMap with it, from Git or from a backup (docs/finalize.md)")
	case c.rec.Pods.Plain:
		return d.then(c.finalizeAgain())
	case pod.Source.Missing:
		return d
	}
	return d.then(c.cmd("revert --id=%d", c.ID)).
		with("its settings have changed since, so nobody can write those files again; replace, after the revert, creates a pod with the current ones")
}

// plainSecret names the Secret that a pod without a gate may wait for: no look reads Secrets, so
// whether it is there is not known.
func (c *context) plainSecret() []string {
	p := c.rec.Pods.PlainFiles
	if p == nil || p.Secret == "" || !c.pod.Source.Pod.Plain || c.pod.Running() {
		return nil
	}
	text := fmt.Sprintf("it needs Secret %s, which status does not read (%s); if it is gone, ", p.Secret, c.kubectl("get secret %s", p.Secret))
	if c.rec.Finalized != nil {
		return []string{text + "restore it from a backup (docs/finalize.md)"}
	}
	return []string{text + "this recreates it: " + c.finalizeAgain()}
}

// restartable: no other pod that serves would stay away after its next restart,
// beside the server that is taken away now. Files that can be written again are, by
// the first step.
func (c *context) restartable() Decision {
	for _, s := range c.members {
		if s.Replaced == nil || s.pod.Source.Missing {
			continue
		}
		if d := c.about(s).lostFiles(); d.made() {
			return d
		}
	}
	return Decision{}
}

// notSeen says of a server that could not be seen just that.
func (c *context) notSeen() Decision {
	next := "look from a machine that reaches " + c.ClusterIP + ": " + c.cmd("status")
	if c.live.Silent {
		next = "look at its process: pod " + c.pod.Name
		if c.onHost() {
			next = "look at its process: host " + c.HostIP
		}
	}
	if c.live.Reach == vantage.TLSFailed {
		next = "say with --credentials whom to trust and who asks (docs/credentials.md): " + c.cmd("status")
	}
	return stop(CodeUnseen, next,
		"server %d was not seen from here: %s; it may serve", c.ID, c.live.Said())
}

// leaderExpected: no operation under way has just taken the leader away.
func (c *context) leaderExpected() bool {
	f := c.flight
	return f == nil || !f.WasLeader || f.StopAsked == nil || c.due(*f.StopAsked, ElectionGrace) || c.leader != nil
}
