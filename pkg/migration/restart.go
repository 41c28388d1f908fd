package migration

import (
	"fmt"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// Reconfigure is the restart of one server with the new server list.
const Reconfigure FlightKind = "reconfigure"

// restart decides the driven restart of one server: patch, prove, stop, start,
// see it run with the new list, prove again.
func (c *context) restart() Decision {
	f := c.flight
	switch {
	case f == nil && c.sr.Reconfigured != nil:
		return done("server %d runs with the Services' addresses", c.in.ID)
	case f == nil:
		if d, ok := c.startChecks(c.notReconfigured()); !ok {
			return d
		}
		epoch, _ := c.epoch()
		g := &Flight{Kind: Reconfigure, ID: c.in.ID, Started: c.o.At, By: c.in.By, Epoch: epoch, WasLeader: c.o.Leader() == c.in.ID}
		return do(StepBeginRestart, g, "all %d servers are in sync, %s without server %d", len(c.rec.Servers), c.majority(), c.in.ID)
	case f.Kind != Reconfigure:
		return stop(CodeOneAtATime, c.cmd("%s --id=%d", f.Kind, f.ID), "server %d is in the middle of a %s, begun by %s", f.ID, f.Kind, f.By)
	case f.Patched == nil:
		return do(StepApplyPatch, nil, "the file first, then the restart")
	case f.DeadSince == nil:
		return c.stopForRestart()
	case f.Released == nil:
		g := c.copyFlight()
		at := c.o.At
		g.Released = &at
		return do(StepStartHost, g, "it is stopped and its file is patched")
	}
	if d, ok := c.hostStarted(); !ok {
		return d
	}
	if v := CheckReconfigured(c.rec, c.sr, c.v); v.Known && !v.OK {
		return stop(CodeNotReconfigured, c.cmd("reconfigure"), "server %d was restarted without the new list: %s", f.ID, v.Why).
			with("look at zoo.cfg on host " + c.sr.HostIP)
	}
	if c.v.Host.Election != PortOpen {
		return wait(CodeHostStarting, PhaseStart, "the election port of host %s is %s: it must listen on all addresses (quorumListenOnAllIPs)", c.sr.HostIP, c.v.Host.Election)
	}
	return c.proveJoined()
}

// stopForRestart proves all n whole and has the server stopped.
func (c *context) stopForRestart() Decision {
	f := c.flight
	if f.StopAsked != nil && c.v.Host.Closed() {
		g := c.copyFlight()
		at := c.o.At
		g.DeadSince = &at
		return do(StepNoteDead, g, "host %s refuses on client and election port", c.sr.HostIP)
	}
	if f.StopAsked == nil && c.v.Host.Closed() {
		return wait(CodeStoppedTooEarly, PhaseProve, "the server on host %s is down before the proof that all others hold its writes", c.sr.HostIP).
			then("on host " + c.sr.HostIP + ": start the server again; this command waits for it")
	}
	if bad := c.unhealthy(c.rec.Ensemble().IDs()); len(bad) > 0 && (f.StopAsked == nil || c.v.Host.Open()) {
		return c.notNow(bad)
	}
	if f.StopAsked != nil {
		return c.stillUp()
	}
	if d, ok := c.proveBefore(); !ok {
		return d
	}
	leader := c.o.Leader()
	if left := ensemble.Without(c.notReconfigured(), f.ID); leader == f.ID && c.sr.Voter() && len(left) > 0 {
		return do(StepCancelRestart, nil, "server %d has become the leader since its restart was begun; nothing was stopped, the others go first", f.ID)
	}
	g := c.copyFlight()
	at := c.o.At
	g.StopAsked, g.WasLeader = &at, leader == f.ID
	return do(StepStopHost, g, "all %d servers hold %s; %s without server %d", len(c.rec.Servers), f.Before.Zxid, c.majority(), f.ID)
}

// Verdict is what live signals say about one server's list.
type Verdict struct {
	// Known is false where the version does not show its list (3.4).
	Known bool
	OK    bool
	Why   string
}

// CheckReconfigured compares the list a server says it runs with (conf, 3.5+)
// with the Services' addresses. That it listens on all addresses is shown by
// its election port answering at the host's own address while its own line has
// the Service's.
func CheckReconfigured(rec Record, s ServerRecord, v ServerView) Verdict {
	if !v.Live.Serving() {
		return Verdict{Why: "it is not serving"}
	}
	if v.Live.Members == nil {
		return Verdict{Why: "ZooKeeper " + v.Live.Version.String() + " does not show its server list"}
	}
	listed := map[ensemble.ID]string{}
	for _, m := range v.Live.Members {
		listed[m.ID] = m.Host
	}
	var wrong []string
	for _, want := range rec.Servers {
		host, ok := listed[want.ID]
		switch {
		case !ok:
			wrong = append(wrong, fmt.Sprintf("server.%d is missing", want.ID))
		case host != want.ClusterIP && host != want.Service && !strings.HasPrefix(host, want.Service+"."):
			wrong = append(wrong, fmt.Sprintf("server.%d is %s, not %s", want.ID, host, want.ClusterIP))
		}
	}
	if len(wrong) > 0 {
		return Verdict{Known: true, Why: strings.Join(wrong, ", ")}
	}
	return Verdict{Known: true, OK: true, Why: "conf shows the Services' addresses"}
}

// RestartOrder is the order of the rolling restart as things stand now:
// followers, then the leader, then observers, without those already done.
func RestartOrder(o Observation) []ensemble.ID {
	if f := o.Record.Flight; f != nil && f.Kind == Reconfigure {
		return []ensemble.ID{f.ID}
	}
	return order(o, func(s ServerRecord) bool { return s.Reconfigured == nil && s.Replaced == nil })
}

// WatchReconfigured is the verdict of one who watches the restarts: where the
// version does not show its list, a server that was seen down and serves again
// has been restarted; that its file was patched is the operator's word.
func WatchReconfigured(rec Record, s ServerRecord, v ServerView, seenDown bool) Verdict {
	verdict := CheckReconfigured(rec, s, v)
	if verdict.Known || !v.Live.Serving() {
		return verdict
	}
	if seenDown {
		return Verdict{OK: true, Why: "it was restarted while we watched; ZooKeeper " + v.Live.Version.String() + " does not show its list"}
	}
	return Verdict{Why: "waiting for its restart"}
}
