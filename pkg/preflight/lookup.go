package preflight

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostreport"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/strict"
)

// Lookup is one name that somebody resolves, and where it has to lead.
type Lookup struct {
	Check  string      `json:"check"`
	From   From        `json:"from"`
	Name   string      `json:"name"`
	Server ensemble.ID `json:"server"`
	// Want are the addresses that are right, Addresses those that came.
	Want      []string `json:"want"`
	Addresses []string `json:"addresses,omitempty"`
	Result    Outcome  `json:"result"`
	Verdict   Verdict  `json:"verdict"`
	Detail    string   `json:"detail,omitempty"`
	Age       Seconds  `json:"ageSeconds,omitempty"`
}

// The results of a lookup, besides those of not knowing.
const (
	NameFound    Outcome = hostreport.NameFound
	NameNotFound Outcome = hostreport.NameNotFound
)

// Name is a name that leads to a server.
type Name struct {
	Check  string
	Name   string
	Server ensemble.ID
	Want   []string
}

// Names are those by which an ensemble is reached: with --address=dns its Services', otherwise
// those that its hosts' files have, which clients use. A host's name leads to the host or,
// for clients that have moved, to its Service; once the server is in its pod, to the Service.
func Names(rec migration.Record) []Name {
	var out []Name
	for _, s := range rec.Servers {
		n := Name{Check: hostNames, Name: s.Host, Server: s.ID, Want: []string{s.HostIP, s.ClusterIP}}
		switch {
		case rec.Hosts.Address == migration.AddressDNS:
			n = Name{Check: serviceNames, Name: rec.ServerHost(s), Server: s.ID, Want: []string{s.ClusterIP}}
		case strict.Address(s.Host) == "":
			continue
		case s.Replaced != nil:
			n.Want = []string{s.ClusterIP}
		}
		n.Want = slices.DeleteFunc(n.Want, func(a string) bool { return a == "" })
		if n.Name != "" {
			out = append(out, n)
		}
	}
	return out
}

// Lookups are the names that matter on hosts and client machines, with what they lead to there. A host's own
// name may lead to loopback on it. Pods ask the cluster's DNS, which has the Services.
func (f Facts) Lookups() []Lookup {
	rec := f.Record
	rec.Servers = f.Servers
	out := []Lookup{}
	for _, l := range f.looks() {
		for _, n := range Names(rec) {
			if l.from.Place != InPod && (n.Check == serviceNames || !l.from.Server.Is(n.Server)) {
				out = append(out, l.resolve(n, f.otherAddresses(n)))
			}
		}
	}
	return out
}

// otherAddresses are further ones of a server's host, as its own report tells: its name may lead
// to any of them.
func (f Facts) otherAddresses(n Name) []string {
	s := f.server(n.Server)
	if r := f.reportOf(s); r != nil && n.Check == hostNames && s.Replaced == nil {
		return r.Addresses
	}
	return nil
}

func (l look) resolve(n Name, also []string) Lookup {
	out := Lookup{Check: n.Check, From: l.from, Name: n.Name, Server: n.Server, Want: n.Want, Result: NotTried, Verdict: PathUnknown, Age: seconds(l.age)}
	if l.unusable != "" || l.report == nil {
		out.Detail = l.unusable + l.missing
		return out
	}
	got, asked := l.report.Name(n.Name)
	out.Addresses = got.Addresses
	right := func(a string) bool {
		return slices.ContainsFunc(slices.Concat(n.Want, also), func(w string) bool { return ensemble.SameAddress(a, w) })
	}
	switch own := l.ownResolver(); {
	case !asked:
		out.Detail = l.missing
	case got.Result == "":
		out.Result, out.Detail = NotLearned, "it could not be asked for there"
	case own != "":
		out.Result, out.Detail = NotLearned, "the server's JVM has its own way to resolve names: "+own
	case got.Result == hostreport.NameNotFound:
		out.Result, out.Verdict = NameNotFound, PathLost
		out.Detail = fmt.Sprintf("it leads to no address (expected %s)", strings.Join(n.Want, " or "))
	case slices.ContainsFunc(got.Addresses, func(a string) bool { return !right(a) }):
		out.Result, out.Verdict = NameFound, PathLost
		out.Detail = fmt.Sprintf("it leads to %s (expected %s)", strings.Join(got.Addresses, ", "), strings.Join(n.Want, " or "))
	default:
		out.Result, out.Verdict = NameFound, PathOK
	}
	return out
}

// ownResolver is the flag by which the JVM of a server there does not ask the host.
func (l look) ownResolver() string {
	for _, p := range l.report.ZooKeeper {
		for _, flag := range p.Flags {
			if strings.HasPrefix(flag, "-Djdk.net.hosts.file=") || strings.HasPrefix(flag, "-Dsun.net.spi.nameservice.") {
				return flag
			}
		}
	}
	return ""
}

// nameChecks judge names. What servers use blocks; what clients use is worth knowing.
func nameChecks() []Check {
	return []Check{
		{ID: serviceNames, Title: "the Services' names lead to the Services", Severity: Blocker, Waivable: true, BeforeStop: true,
			Hint: "let hosts resolve the cluster's domain, for instance by forwarding it to the cluster's DNS, or use the addresses: reconfigure --address=ip",
			Eval: func(f Facts) ([]string, string) { return f.names(serviceNames, PathLost), "" }},
		{ID: hostNames, Title: "the hosts' names lead to the servers", Severity: Warning,
			Hint: "correct the names' records, or give the clients that use them the new connection string (clients prints it)",
			Eval: func(f Facts) ([]string, string) { return f.names(hostNames, PathLost), "" }},
	}
}

func (f Facts) names(check string, v Verdict) (out []string) {
	for _, l := range f.Lookups() {
		if l.Check == check && l.Verdict == v {
			out = append(out, fmt.Sprintf("on %s, the name %s of server %d: %s", l.From, l.Name, l.Server, l.Detail))
		}
	}
	return out
}

// lackNames says why names were not judged, or which are not known.
func (f Facts) lackNames(check string) (missing string, hidden []string) {
	of := slices.DeleteFunc(f.Lookups(), func(l Lookup) bool { return l.Check != check })
	switch {
	case len(of) == 0 && check == serviceNames:
		return "the server lines have addresses (reconfigure --address=dns puts the Services' names there)", nil
	case len(of) == 0:
		return "the hosts' files have no names, or they are not used any more", nil
	case !slices.ContainsFunc(of, func(l Lookup) bool { return l.Result != NotTried }):
		return runScript, nil
	}
	return "", f.names(check, PathUnknown)
}
