// Package migration holds the rules: what a migration's state is, which steps
// there are and, in Decide, which of them may be taken. Decide is a pure
// function of one observation; nothing else in the program decides.
package migration

import (
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// Decide says what to do next. It takes at most one step at a time; after the
// step the observation is thrown away.
func Decide(in Intent, o Observation) Decision { return derive(o).decide(in) }

// decide is Decide on facts that were derived already.
func (f *facts) decide(in Intent) Decision {
	c := &context{facts: f, member: f.of(in.ID), in: in}
	d := c.guard()
	if !d.made() {
		d = c.operation()
	}
	d.Server = in.ID
	return d
}

// operation decides for what was asked for.
func (c *context) operation() Decision {
	switch c.in.Kind {
	case Replace:
		if c.Replaced != nil && c.ungated() {
			return c.plainPod()
		}
		return c.replace()
	case Revert:
		if c.ungated() {
			return c.regateFirst()
		}
		return c.revert()
	case Reconfigure:
		return c.restart()
	case Apply:
		return c.apply()
	case Park, Unpark, Unwrap:
		return c.follow(stages(c.in.Kind))
	}
	return stop(CodeUnknownServer, command.Name+" --help", "unknown intent %q", c.in.Kind)
}

// context is one decision being made.
type context struct {
	*facts
	// member is the server that the intent is about.
	*member
	in Intent
}

// guard checks what must hold before anything is done at all: a complete view
// and I1, I2 and I5 for every server.
func (c *context) guard() Decision {
	if !c.complete {
		return wait(CodeAPIIncomplete, "", "the API server did not answer in full; nothing is decided on half a view")
	}
	if c.member == nil {
		return stop(CodeUnknownServer, c.cmd("status"), "ensemble %s has no server %d; it has %s", c.rec.Name, c.in.ID, ensemble.JoinIDs(c.rec.Ensemble().IDs()))
	}
	if d := c.beingRemoved(); d.made() {
		return d
	}
	if c.in.Kind == Unpark || c.in.Kind == Unwrap {
		// They have rules of their own for what is missing by now.
		return Decision{}
	}
	for _, s := range c.members {
		d := c.inPlace(s)
		if s != c.member && d.Code == CodeJournalDisagrees && !c.inPlace(c.member).made() {
			// What somebody took away from this server comes first, and takes no server
			// away: nobody else moves while a gate is closed, so each would wait for the other.
			if first := c.mend(); first.made() {
				return first
			}
		}
		if d.made() {
			return d
		}
	}
	if f := c.flight; f != nil && f.ID != c.in.ID {
		if d := c.mend(); d.made() {
			return d
		}
		if c.in.Kind == Revert && c.elsewhere() && !c.settledElsewhere() {
			return c.forget("server %d has changed its place since the %s of server %d began", c.in.ID, f.Kind, f.ID)
		}
		return stop(CodeOneAtATime, c.goOn(f.Kind, f.ID),
			"%s is in the middle of %s of server %d, begun by %s at %s: at most one server of an ensemble is away from sync",
			c.rec.Name, c.doing(), f.ID, f.By, moment(f.Started))
	}
	return Decision{}
}

// inPlace holds the address and the place of one server against the journal.
func (c *context) inPlace(s *member) Decision {
	if d := c.checkAddress(s); d.made() {
		return d
	}
	return c.checkPlace(s)
}

// checkAddress is I1: a server's Service keeps its uid and its ClusterIP.
func (c *context) checkAddress(s *member) Decision {
	svc := s.service
	switch {
	case !svc.Found:
		return stop(CodeServiceGone, c.cmd("wrap"),
			"Service %s of server %d is gone; servers and clients have its address %s", s.Service, s.ID, s.ClusterIP).
			with("create it again with clusterIP: " + s.ClusterIP + " before anything else happens")
	case svc.ClusterIP != s.ClusterIP:
		return stop(CodeAddressChanged, c.kubectl("delete service %s", s.Service)+" (an administrator), then "+c.cmd("wrap"),
			"Service %s of server %d has address %q, but %s is what servers and clients were given", s.Service, s.ID, svc.ClusterIP, s.ClusterIP).
			with("an address cannot be changed, only given anew: wrap makes the Service with clusterIP " + s.ClusterIP)
	case svc.UID != s.ServiceUID:
		return stop(CodeAddressChanged, c.cmd("wrap"),
			"Service %s of server %d was deleted and created again (uid %s, recorded %s)", s.Service, s.ID, svc.UID, s.ServiceUID).
			with("its address is the same; running wrap again records the new Service")
	case len(svc.Changed) > 0:
		return stop(CodeServiceChanged, c.kubectl("patch service %s --type=merge -p %s", s.Service, svc.Patch),
			"somebody changed Service %s of server %d: %s", s.Service, s.ID, strings.Join(svc.Changed, ", ")).
			with("who: " + c.kubectl("get service %s --show-managed-fields -o yaml", s.Service))
	case len(s.endpoints.Foreign) > 0:
		return stop(CodeForeignEndpoints, "delete them: "+c.kubectl("delete %s", quote.Words(s.endpoints.Foreign)),
			"Service %s of server %d has endpoints that neither we nor Kubernetes' controllers wrote: %s", s.Service, s.ID, strings.Join(s.endpoints.Foreign, ", "))
	}
	return Decision{}
}

// checkPlace compares journal and world for servers that are not in flight. A
// revert may begin from what stops everything else: it is the way out.
func (c *context) checkPlace(s *member) Decision {
	settled := s.settledElsewhere()
	if c.flying(s.ID) || c.in.Kind == Revert && (c.in.ID == s.ID || settled) {
		return Decision{}
	}
	back, again := c.cmd("revert --id=%d", s.ID), c.cmd("replace --id=%d", s.ID)
	if c.flight != nil && settled {
		// It is not in the way of what comes first.
		back = c.cmd("revert --id=%d", c.flight.ID)
	}
	disagrees := func(next, format string, a ...any) Decision {
		return stop(CodeJournalDisagrees, next, "the journal says server %d runs "+format, append([]any{s.ID}, a...)...)
	}
	// What is missing of a replaced server's is written again, and where several
	// miss it, one after the other.
	resumes := c.in.Kind == Replace && c.Replaced != nil
	switch {
	case s.onHost() && s.gate.Released:
		return disagrees(back, "on its host, but its gate is open")
	case s.onHost() && s.started():
		return disagrees(back, "on its host, but ZooKeeper was started in pod %s", s.pod.Name)
	case s.onHost() && c.repairs():
		// Two Services that were swapped are set right one after the other.
	case s.onHost() && !s.atHost():
		return disagrees(back, "on its host %s, but its Service points to %s", s.HostIP, orNone(s.endpoints.Union))
	case s.onHost():
	case s.atHost():
		// It was on its way back when the journal of before was put back: the
		// host may have run since, and what the pod holds may be old.
		return disagrees(back, "in its pod, but its Service points to its host %s", s.HostIP)
	case !s.gate.Released && !resumes && c.rec.Finalized == nil:
		return disagrees(again, "in its pod, but its gate is closed: a restart of the pod would not start ZooKeeper")
	case !s.selected && !resumes:
		return disagrees(again, "in its pod, but its Service does not select the pod")
	case s.host == HostUp:
		return stop(CodeGhostHost, s.stopAndMask(),
			"server %d runs in its pod, but something answers at its old host %s again: two processes with one id", s.ID, s.HostIP).
			with("client port "+string(s.ports.Client), "election port "+string(s.ports.Election))
	}
	return Decision{}
}

// repairs: a revert of a server that runs on its host and was never in its pod
// only sets its address right; nothing is taken away.
func (c *context) repairs() bool {
	return c.in.Kind == Revert && c.onHost() && !c.mayRun() && (c.flight == nil || !c.flight.Served)
}

// at is where the commands work that decisions print.
func (c *context) at() command.At {
	return command.At{Namespace: c.rec.Namespace, Via: c.via}
}

// cmd renders a command of ours for this ensemble. Values are quoted for a shell.
func (c *context) cmd(format string, a ...any) string {
	verb, rest, more := strings.Cut(format, " ")
	format = verb + " %s"
	if more {
		format += " " + rest
	}
	return c.at().Ours(format, append([]any{c.rec.Name}, a...)...)
}

// midway: the operation under way, another one than was asked for, ends first.
func (c *context) midway() Decision {
	f := c.flight
	return stop(CodeOneAtATime, c.goOn(f.Kind, f.ID), "server %d is in the middle of a %s, begun by %s", f.ID, f.Kind, f.By)
}

// goOn renders the command that goes on with an operation. A restart has no
// --id: it takes its turn among the others, and its program and files are the
// operator's.
func (c *context) goOn(kind FlightKind, id ensemble.ID) string {
	switch kind {
	case Revert:
		return c.cmd("revert --id=%d", id)
	case Reconfigure:
		return c.cmd("reconfigure -f FILE --host-hook=PROGRAM")
	case Apply:
		if c.rec.Pods.Plain {
			return c.finalizeAgain()
		}
		return c.cmd("apply --id=%d", id)
	default:
		return c.cmd("replace --id=%d", id)
	}
}

// kubectl renders a command of kubectl's in the ensemble's namespace. Values are
// quoted for a shell.
func (c *context) kubectl(format string, a ...any) string {
	return c.at().Kubectl(format, a...)
}

// voters returns the ids that vote.
func (c *facts) voters() []ensemble.ID { return c.rec.Ensemble().Voters() }

// participants returns the ids that are no observers. One of weight 0 has no
// vote, and its leader forwards to it and counts it all the same.
func (c *facts) participants() []ensemble.ID {
	return c.ids(func(m *member) bool { return m.Role != ensemble.Observer })
}

// newFlight is an operation of the kind that was asked for, as it begins.
func (c *context) newFlight() *Flight {
	return &Flight{Kind: c.in.Kind, ID: c.ID, Started: c.now, By: c.in.By, Epoch: c.epoch, WasLeader: c.leads(c.ID)}
}

// copyFlight returns a copy that a decision may change.
func (c *context) copyFlight() *Flight {
	f := *c.flight
	return &f
}

func same(got []string, want ...string) bool { return slices.Equal(got, want) }

func orNone(list []string) string {
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, " and ")
}

func orUnknown(s string) string {
	if s == "" {
		return "not asked"
	}
	return s
}
