package migration

import (
	"fmt"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/sessions"
)

// Home is where a server's Service leads by the journal, for telling where clients were
// seen; of a server on its way it is not known.
func (r *Record) Home(s ServerRecord) sessions.Place {
	f := r.Flight
	if f != nil && f.ID == s.ID {
		if f.Kind == Replace && f.StopAsked == nil && s.Replaced == nil {
			return sessions.OnHost
		}
		return sessions.OnItsWay
	}
	if s.Replaced != nil {
		return sessions.InPod
	}
	return sessions.OnHost
}

// clientsKept: when this server stops, clients on the hosts' own addresses still have another
// host, or there are none that are known of, or the operator accepts to lose those. Clients
// need not know observers, so their hosts do not count.
func (c *context) clientsKept() Decision {
	if c.flight != nil && c.flight.StopAsked != nil || len(c.hostsWithout(c.member)) > 0 || c.in.AcceptLoss.Covers(c.clients) {
		return Decision{}
	}
	wanted := sessions.Wanted(c.clients)
	if wanted == "" {
		return Decision{}
	}
	next := c.cmd("clients --wait")
	if !c.clients.Known() {
		next = c.cmd("clients")
	}
	return stop(CodeClientLoss, next, "after server %d no server is left on a host%s: %s", c.ID, c.exceptObservers(), lossWords(c.clients)).with(c.clientLines()...).
		with(LookOnClient(c.rec), "to stop the host all the same, add --accept-client-loss="+wanted)
}

// hostsWithout are the servers on hosts, without one, and without observers.
func (c *facts) hostsWithout(s *member) []ensemble.ID {
	return c.ids(func(m *member) bool { return m.onHost() && m.Role != ensemble.Observer && m != s })
}

// exceptObservers says that observers are on hosts still.
func (c *context) exceptObservers() string {
	if c.first(func(m *member) bool { return m.onHost() && m != c.member }) == nil {
		return ""
	}
	return " except observers, which clients need not know"
}

// lossWords says in one sentence who would be lost.
func lossWords(v *sessions.View) string {
	switch {
	case v.Known():
		return "clients that were only ever seen at hosts would lose every address that they may know: " + v.Count()
	case v == nil || v.Sessions == 0:
		return "which clients would lose every address that they know is not known, because not every host tells who is connected"
	}
	return "clients that were only ever seen at hosts would lose every address that they may know: " + v.Count() + ", and perhaps more, because not every host tells who is connected"
}

// lossAccepted is what the audit keeps of a consent.
func (c *context) lossAccepted() string {
	if c.in.Kind != Replace || c.in.AcceptLoss.Any || len(c.hostsWithout(c.member)) > 0 || sessions.Wanted(c.clients) == "" {
		return ""
	}
	return "; accepted: " + lossWords(c.clients)
}

// maxClientLines is how many addresses are named in words.
const maxClientLines = 10

// clientLines name the clients that have only ever been seen at hosts, and what is not known.
func (c *context) clientLines() (out []string) {
	v := c.clients
	if v == nil {
		return []string{"no server was asked who is connected"}
	}
	for i, a := range v.Left {
		if i == maxClientLines {
			out = append(out, fmt.Sprintf("and %d more addresses: %s", v.Addresses-i, c.cmd("clients")))
			break
		}
		out = append(out, a.Line())
	}
	for _, u := range v.Silent() {
		out = append(out, fmt.Sprintf("server %d on its host does not tell who is connected: %s", u.Server, u.Why))
	}
	return out
}

// ClientsAtStop says, before a server is stopped on its host, which clients have only ever
// been seen at hosts and how many hosts they have left; nothing where no host is stopped.
func ClientsAtStop(rec Record, v *sessions.View, id ensemble.ID) []string {
	f := derive(Observation{Record: rec, Clients: v})
	m := f.of(id)
	if m == nil || !m.onHost() || f.flight != nil && (f.flight.ID != id || f.flight.StopAsked != nil) {
		return nil
	}
	hosts := "after this stop they have no host left"
	if left := f.hostsWithout(m); len(left) > 0 {
		hosts = "after this stop they have left the " + hostsOf(left)
	}
	head := "Clients only ever seen at hosts: "
	switch {
	case v == nil:
		return nil
	case v.Sessions == 0 && v.Known():
		return []string{head + "none."}
	case v.Sessions == 0:
		head += "not known; " + hosts + "."
	default:
		head += v.Count() + "; " + hosts + "."
	}
	if len(v.Pods) == 0 {
		head += " No server in a pod tells yet who came there, so who has moved cannot be known."
	}
	lines := []string{head}
	for _, line := range f.about(m).clientLines() {
		lines = append(lines, "  - "+line)
	}
	return lines
}

// clientsAhead is what a plan says of the clients: the last host waits for consent.
func (c *context) clientsAhead() string {
	note := "clients that have only ever been seen at hosts are named before each stop; that of the last host needs --accept-client-loss as long as there are some"
	if words := c.clients.Words(); words != "" {
		note += " (now: " + words + ")"
	}
	return note
}

// hostsOf is "host of server 1" or "hosts of servers 1, 2".
func hostsOf(ids []ensemble.ID) string {
	if len(ids) == 1 {
		return "host of " + sessions.Servers(ids)
	}
	return "hosts of " + sessions.Servers(ids)
}

// LookOnClient is how a client's own machine tells what no server can.
func LookOnClient(rec Record) string {
	var hosts []string
	for _, s := range rec.Servers {
		if s.Replaced == nil {
			hosts = append(hosts, "dst "+s.HostIP)
		}
	}
	return fmt.Sprintf("a client's own machine can tell: ss -tnp %s lists there what still uses a host's own address", quote.Shell(strings.Join(hosts, " or ")))
}
