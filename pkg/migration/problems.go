package migration

import (
	"fmt"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
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
	Code   Code        `json:"code"`
	Class  Class       `json:"class"`
	Server ensemble.ID `json:"server,omitempty"`
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
		if p.Class != ClassNote && p.Class != ClassRefusal {
			out = append(out, p)
		}
	}
	return out
}

// summarized is the context of a look that nobody asked anything of.
func (f *facts) summarized() *context { return &context{facts: f, member: &member{}} }

// about is the same for one server.
func (c *context) about(s *member) *context {
	return &context{facts: c.facts, member: s, in: Intent{ID: s.ID}}
}

func problem(class Class, id ensemble.ID, d Decision) Problem {
	return Problem{Code: d.Code, Class: class, Server: id, Text: d.Reason, Evidence: d.Evidence, Next: d.Next}
}

func (c *context) problems() []Problem {
	if !c.complete {
		d, _ := c.guard()
		return []Problem{problem(ClassUnseen, 0, d)}
	}
	var out []Problem
	for _, s := range c.members {
		out = append(out, c.about(s).misplaced()...)
	}
	if c.flight != nil {
		out = append(out, c.underWay())
	} else if c.unproven() {
		out = append(out, problem(ClassWrong, 0, c.unprovenPods()))
	}
	out = append(out, c.editedSet()...)
	for _, s := range c.members {
		out = append(out, c.about(s).ailing()...)
	}
	if c.leaderExpected() {
		for _, condition := range c.beginnings() {
			if d, class, ok := condition(); !ok {
				out = append(out, problem(class, 0, d))
			}
		}
	}
	return out
}

// misplaced holds one server's objects and addresses against the journal.
func (c *context) misplaced() []Problem {
	var out []Problem
	if d, ok := c.checkAddress(c.member); !ok {
		out = append(out, problem(ClassWrong, c.ID, d))
	}
	if d, ok := c.checkPlace(c.member); !ok {
		out = append(out, problem(ClassWrong, c.ID, d))
	}
	astray := c.flying() && c.address != AddressHost
	if astray && c.host == HostUnclear {
		out = append(out, problem(ClassNote, c.ID, c.hostUnclear("")))
	}
	if astray && c.host == HostUp {
		out = append(out, problem(ClassWrong, c.ID, stop(CodeHostReturned, c.stopAndMask(),
			"the server on host %s of server %d answers (client port %s, election port %s), while its address points to %s",
			c.HostIP, c.ID, c.ports.Client, c.ports.Election, orNone(c.endpoints.Union))))
	}
	return out
}

// flying: this server is the one under way.
func (c *context) flying() bool { return c.flight != nil && c.flight.ID == c.ID }

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
	p := Problem{Code: CodeOneAtATime, Class: ClassPlanned, Server: f.ID, Next: c.next(),
		Text: fmt.Sprintf("%s of server %d is under way, begun by %s at %s, and has come to: %s", f.Kind, f.ID, f.By, moment(f.Started), f.phase())}
	if s := c.of(f.ID); f.TakenAway() && !s.serves() {
		p.Evidence = append(p.Evidence, fmt.Sprintf("that server %d does not serve meanwhile is planned", f.ID))
	}
	if d.Kind == Wait || d.Kind == Stop {
		p.Evidence = append(p.Evidence, d.Reason)
		p.Evidence = append(p.Evidence, d.Evidence...)
	}
	return p
}

// inFlight is what a command that resumes the operation under way would decide
// now. If its first step only repeats a proof because nobody kept watching, the
// answer is what follows that step: the wait or stop of a command that had been
// watching all along.
func (c *context) inFlight() Decision {
	since := func(at time.Time) Decision {
		return c.decide(Intent{Kind: c.flight.Kind, ID: c.flight.ID, By: c.flight.By, Since: at})
	}
	d := since(c.now)
	if watched := since(time.Time{}); d.Kind == Do && watched.Kind != Do {
		return watched
	}
	return d
}

// ailing is what is wrong with one server where it runs.
func (c *context) ailing() []Problem {
	var out []Problem
	live, pod := c.live, c.pod
	switch {
	case live.Unread():
		out = append(out, problem(ClassUnseen, c.ID, stop(CodeUnseen, c.cmd("status"), "server %d was only partly seen from here: %s", c.ID, live.Said())))
	case live.Serving():
	case c.flying() && c.flight.TakenAway():
	case live.Sight() == vantage.Unseen:
		out = append(out, problem(ClassUnseen, c.ID, c.notSeen()))
	case c.Replaced != nil:
		out = append(out, problem(ClassWrong, c.ID, stop(CodePodAway, c.cmd("replace --id=%d", c.ID),
			"server %d does not serve: %s", c.ID, live.Said()).with(fmt.Sprintf("pod %s: %s", pod.Name, c.podState(pod)))))
	default:
		out = append(out, problem(ClassWrong, c.ID, stop(CodeDegraded, c.bringBack(), "server %d does not serve: %s", c.ID, live.Said())))
	}
	if c.holds == HoldsHalf {
		next := c.cmd("replace --id=%d", c.ID)
		out = append(out, problem(ClassWrong, c.ID, stop(CodeRenewal, next, "pod %s of server %d needs a new start from empty: %s", pod.Name, c.ID, pod.GateDetail)))
	}
	if c.Replaced != nil && c.host == HostUnclear {
		d := c.hostUnclear("")
		out = append(out, problem(ClassNote, c.ID, d))
	}
	if c.Replaced != nil && pod.Found && pod.Files != "" {
		out = append(out, problem(ClassWrong, c.ID, c.lostFiles()))
	}
	if differs := c.otherImage(pod); c.Replaced != nil && differs != "" && !c.rec.Waived(WaiverOneVersion) {
		out = append(out, problem(ClassWrong, c.ID, stop(CodeVersionDiffers, c.cmd("replace --id=%d", c.ID), "%s", differs)))
	}
	if c.Replaced != nil && pod.Found {
		out = append(out, c.otherTemplate(pod)...)
	}
	return out
}

// lostFiles: the pod runs, and would not start again on another node, or after a
// boot of its own.
func (c *context) lostFiles() Decision {
	pod := c.pod
	next := c.cmd("replace --id=%d", c.ID)
	if !pod.Unmade {
		next = c.cmd("revert --id=%d", c.ID)
	}
	files := pod.Files
	if pod.ForeignFiles != "" {
		files += " (" + c.kubectl("delete configmap %s", pod.ForeignFiles) + ")"
	}
	d := stop(CodePodFiles, next, "pod %s of server %d cannot be started again: %s", pod.Name, c.ID, files)
	if !pod.Unmade {
		d = d.with("its settings have changed since, so nobody can write those files again; replace, after the revert, creates a pod with the current ones")
	}
	return d
}

// restartable: no other pod that serves would stay away after its next restart,
// beside the server that is taken away now. Files that can be written again are, by
// the first step.
func (c *context) restartable() (Decision, bool) {
	for _, s := range c.members {
		if s.Replaced != nil && s.pod.Found && s.pod.Files != "" && !s.pod.Unmade {
			return c.about(s).lostFiles(), false
		}
	}
	return Decision{}, true
}

// notSeen says of a server that could not be seen just that.
func (c *context) notSeen() Decision {
	return stop(CodeUnseen, "look from a machine that reaches "+c.ClusterIP+": "+c.cmd("status"),
		"server %d was not seen from here: %s; it may serve", c.ID, c.live.Said())
}

// condition is something that must hold of the ensemble before a server is taken
// away; ok is true when it does.
type condition func() (d Decision, class Class, ok bool)

// conditions are those that do not depend on which server that is, hardest first.
func (c *context) conditions() []condition {
	return []condition{c.rightServers, c.recordedLists, c.oneLeader, c.oldVersion, c.counts, c.recordedVersion, c.oneVersion, c.roomInEpoch}
}

func held() (Decision, Class, bool) { return Decision{}, "", true }

func (c *context) rightServers() (Decision, Class, bool) {
	if bad := c.wrongIDs(); len(bad) > 0 {
		return stop(CodeWrongServer, c.cmd("check"), "endpoints point to the wrong servers").with(bad...), ClassWrong, false
	}
	return held()
}

// leaderExpected: no operation under way has just taken the leader away.
func (c *context) leaderExpected() bool {
	f := c.flight
	return f == nil || !f.WasLeader || f.StopAsked == nil || c.due(*f.StopAsked, ElectionGrace) || c.leader != nil
}

func (c *context) oneLeader() (Decision, Class, bool) {
	if c.leader != nil {
		return held()
	}
	var leading, hidden []ensemble.ID
	for _, s := range c.members {
		switch {
		case s.serves() && s.live.Mode == ensemble.Leader:
			leading = append(leading, s.ID)
		case s.live.Sight() == vantage.Unseen:
			hidden = append(hidden, s.ID)
		}
	}
	switch {
	case len(leading) > 1:
		return stop(CodeNoLeader, c.cmd("status"), "there is not exactly one leader: servers %s say that they lead", joinIDs(leading)), ClassWrong, false
	case len(hidden) > 0:
		return stop(CodeNoLeader, c.cmd("status"), "no leader was seen; server %s, not seen from here, may lead", joinIDs(hidden)), ClassUnseen, false
	}
	return stop(CodeNoLeader, c.cmd("status"), "there is not exactly one leader: no server says that it leads"), ClassWrong, false
}

func (c *context) oldVersion() (Decision, Class, bool) {
	if c.leader == nil || len(c.onHosts(0)) == 0 {
		return held()
	}
	if reason, way := VersionRefusal(c.leader.live.Version); reason != "" && !c.rec.Waived(WaiverVersion) {
		return stop(CodeVersionRefused, way, "%s", reason), ClassRefusal, false
	}
	return held()
}

// counts holds the leader's count of followers against the servers there are.
func (c *context) counts() (Decision, Class, bool) {
	if c.leader == nil {
		return held()
	}
	n, forwards := followers(c.rec.Ensemble()), c.leader.live.SyncedFollowers
	switch {
	case forwards > n:
		return stop(CodeExtraFollower, c.cmd("status"),
			"the leader forwards to %d followers, and there are %d: the journal does not hold all servers, or one runs twice", forwards, n).
			with("one that has just come back may be counted twice for some seconds: then run the command again"), ClassWrong, false
	case c.anyLacking(c.participants()):
		// Who is away is told by itself, and who is on its way by the operation.
	case forwards >= 0 && forwards < n:
		return stop(CodeNotSynced, c.cmd("status"), "the leader forwards to %d of %d followers only", forwards, n), ClassWrong, false
	}
	return held()
}

func (c *context) recordedVersion() (Decision, Class, bool) {
	if c.leader == nil {
		return held()
	}
	if v := c.leader.live.Version; !v.IsZero() && c.rec.Settings.Version != "" && v.String() != c.rec.Settings.Version && !c.rec.Waived(WaiverOneVersion) {
		return stop(CodeVersionDiffers, c.cmd("wrap"),
			"the servers run ZooKeeper %s, the journal says %s, which is what the pods are made for", v, c.rec.Settings.Version).
			with("wrap, with the files of now, brings the journal up to date as long as nothing is replaced"), ClassRefusal, false
	}
	return held()
}

// oneVersion: a server of another release than its leader was not meant.
func (c *context) oneVersion() (Decision, Class, bool) {
	if c.leader == nil || c.leader.live.Version.IsZero() || c.rec.Waived(WaiverOneVersion) {
		return held()
	}
	var other []string
	leads := c.leader.live.Version
	for _, s := range c.members {
		if v := s.live.Version; s.serves() && !v.IsZero() && v.Compare(leads) != 0 {
			other = append(other, fmt.Sprintf("server %d runs ZooKeeper %s", s.ID, v))
		}
	}
	if len(other) == 0 {
		return held()
	}
	return stop(CodeVersionDiffers, c.cmd("check"), "not all servers run the leader's release, ZooKeeper %s", leads).with(other...), ClassRefusal, false
}

func (c *context) roomInEpoch() (Decision, Class, bool) {
	if c.leader != nil && c.leader.live.Zxid.Counter() > zxidCounterWarn {
		return stop(CodeZxidOverflowNear, "restart the leader at a quiet time, then go on",
			"the transaction counter is near its end (%s): an election is near", c.leader.live.Zxid), ClassRefusal, false
	}
	return held()
}
