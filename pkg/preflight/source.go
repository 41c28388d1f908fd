package preflight

import (
	"fmt"
	"maps"
	"slices"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// ClientCount is what a server says of its clients.
type ClientCount struct {
	// By is how many connections come from each address.
	By map[string]int
	// Limit is how many one address may have (maxClientCnxns); 0 where any number may.
	Limit int
	// Assumed: the server does not tell it, and Limit is ZooKeeper's default.
	Assumed bool
}

// DefaultMaxClientCnxns is ZooKeeper's own, since 3.4.0.
const DefaultMaxClientCnxns = 60

// translatedHint is what to do where clients share an address on their way through the Services.
const translatedHint = "raise maxClientCnxns on all servers before clients move, or have the Services' addresses translated on the client machines (kube-proxy there)"

// sourceChecks look at from where ZooKeeper sees connections come.
func sourceChecks() []Check {
	return []Check{{ID: sourceAddress, Title: "clients keep their own addresses on the way through the Services", Severity: Warning,
		Hint: translatedHint,
		Eval: func(f Facts) ([]string, string) { return f.folded(), "" }}}
}

// folded tells of machines that ZooKeeper sees under another address through a Service than at
// the host: all whose connections are translated there count as one client.
func (f Facts) folded() (out []string) {
	machines := map[string][]look{}
	for _, l := range f.looks() {
		if to := l.translated(f); to != "" {
			machines[to] = append(machines[to], l)
		}
	}
	for _, to := range slices.Sorted(maps.Keys(machines)) {
		var names []string
		for _, l := range machines[to] {
			names = append(names, l.from.String())
		}
		out = append(out, fmt.Sprintf("through Services, ZooKeeper sees %s as %s%s", and(names), to, f.crowd(to, machines[to])))
	}
	return out
}

// translated is the address that ZooKeeper sees of a vantage point through some Service, where it
// is not its own and not the one it has at a host.
func (l look) translated(f Facts) string {
	if len(l.addresses()) == 0 || l.unusable != "" {
		return ""
	}
	for _, s := range f.Servers {
		if l.from.Server.Is(s.ID) {
			continue // what comes back to where it began is translated, and no client's
		}
		through, _ := l.tried(vantage.Target{Server: s.ID, Via: vantage.ViaService, Host: s.ClusterIP, Port: s.ClientPort})
		direct, _ := l.tried(vantage.Target{Server: s.ID, Via: vantage.ViaHost, Host: s.HostIP, Port: s.ClientPort})
		if a := through.SeenAs; a != "" && !l.has(a) && (direct.SeenAs == "" || !ensemble.SameAddress(a, direct.SeenAs)) {
			return a
		}
	}
	return ""
}

// addresses are the vantage point's own; none where they are not known.
func (l look) addresses() []string {
	switch {
	case l.report != nil:
		return l.report.Addresses
	case l.pod != nil && l.pod.Address != "":
		return []string{l.pod.Address}
	}
	return nil
}

func (l look) has(address string) bool {
	return slices.ContainsFunc(l.addresses(), func(a string) bool { return ensemble.SameAddress(a, address) })
}

// crowd counts the connections that those machines have now, which will count as one client's.
func (f Facts) crowd(to string, machines []look) string {
	text := ""
	for _, s := range f.Servers {
		c, known := f.Sources[s.ID]
		n := 0
		for address, count := range c.By {
			if ensemble.SameAddress(address, to) || slices.ContainsFunc(machines, func(l look) bool { return l.has(address) }) {
				n += count
			}
		}
		if known && c.Limit > 0 && n > c.Limit {
			text += fmt.Sprintf("; server %d has %d connections of theirs now, and takes %d of one address (maxClientCnxns)", s.ID, n, c.Limit)
		}
	}
	if text == "" {
		return ": all clients behind that address count as one for maxClientCnxns"
	}
	return text
}

func (f Facts) lackSources() (missing string, hidden []string) {
	for _, l := range f.looks() {
		for _, s := range f.Servers {
			if r, _ := l.tried(vantage.Target{Server: s.ID, Via: vantage.ViaService, Host: s.ClusterIP, Port: s.ClientPort}); r.SeenAs != "" && l.unusable == "" && len(l.addresses()) > 0 {
				return "", nil
			}
		}
	}
	return "no server has said from where it sees a connection (cons must be allowed by 4lw.commands.whitelist; host reports and --from-pods ask)", nil
}
