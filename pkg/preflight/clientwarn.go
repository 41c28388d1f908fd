package preflight

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// ClientWarning is one thing that can go wrong when clients move to the Services, or when the
// hosts' names do. Codes are never reused; docs/clients.md has them all.
type ClientWarning struct {
	Code string `json:"code"`
	// Evidence is what was seen or is recorded, Hint what to do.
	Evidence []string `json:"evidence"`
	Hint     string   `json:"hint"`
}

// ClientWarnings are those that apply, the most harmful first. It looks at Servers, Record, Through
// (Reach and Members), Sources, Reports and ACLs.
func ClientWarnings(f Facts) []ClientWarning {
	verify := command.At{Namespace: f.Record.Namespace, Via: f.Via}.Ours("reconfigure %s --verify", f.Record.Name)
	all := []ClientWarning{
		{"names-too-early", f.bindNames(), "leave the records of these names alone until " + verify + " has seen the servers restarted: a server whose name leads elsewhere cannot bind its ports at its next start, unless quorumListenOnAllIPs was on before"},
		{"ensemble-tracker", f.tracked(), "in clients that use Curator: CuratorFrameworkFactory.builder().ensembleTracker(false) (5.0.0 and later), or move them when this warning is gone, after reconfigure"},
		{"kerberos", f.kerberos(), "a client asks for zookeeper/HOST, with HOST from the name that it dials or the reverse look-up of the address: put " + and(f.principals()) + " into the servers' keytabs, or set -Dzookeeper.server.principal on clients (3.5.7, 3.6.0 and later) to one that all servers have"},
		{"ip-acls", f.addressACLs(), "these rights go by the address that a server sees, which changes where the way to the Services translates it (NET009 of check) and for what moves into pods: before that, add to these ACLs what goes with the client (digest, sasl, x509) or its new address"},
		{"acl-providers", f.strangers(), "in the pods nobody has these rights: add the hosts' authProvider to zoo.cfg (reconfigure), or to the pods' JVM flags (wrap --jvm-flags)"},
		{"unread-acls", f.unread(), "what was not read may go by addresses, too: raise --scan-znodes, --scan-depth or --timeout, or give --credentials of a user who may read it"},
		{"connection-limit", append(f.folded(), f.crowded()...), translatedHint},
		{"cached-addresses", f.named(), "where these names are moved, restart afterwards what looks them up only once: Java clients before 3.4.13 and 3.5.5 (ZOOKEEPER-2184), C clients before 3.5, JVMs with networkaddress.cache.ttl=-1"},
		{"stored-addresses", f.stored(), "change them where they are kept, too: zookeeper.connect (Kafka), hbase.zookeeper.quorum (HBase), ZK_HOST (Solr), <zookeeper><node> (ClickHouse); docs/clients.md has the files"},
	}
	return slices.DeleteFunc(all, func(w ClientWarning) bool { return len(w.Evidence) == 0 })
}

// bindNames tells of servers that may still bind the name of their host, as ZooKeeper does with
// the address in a server's own line without quorumListenOnAllIPs.
func (f Facts) bindNames() (out []string) {
	for _, s := range f.Servers {
		if s.Host != s.HostIP && s.Reconfigured == nil && s.Replaced == nil {
			out = append(out, fmt.Sprintf("server %d binds %s, and was not seen to run with the new list", s.ID, s.Host))
		}
	}
	return out
}

// tracked tells of hosts' addresses in the lists that servers show, which /zookeeper/config has
// (3.5+). Curator's EnsembleTracker connects to the client part of each line from then on, with
// the line's own host where that is a wildcard; it can do nothing with lines that have none.
func (f Facts) tracked() (out []string) {
	recorded, _ := ensemble.ParseVersion(f.Record.Settings.Version) // unknown is the zero version
	by := map[string][]ensemble.ID{}
	var lists []string
	for _, s := range f.Servers {
		text := "the list is not known (conf is not answered), which clients read as /zookeeper/config from 3.5.0 on"
		if live := f.Through[s.ID]; live.Reach == vantage.Answered {
			hosts := f.trackedHosts(live.Members)
			if len(hosts) == 0 {
				continue
			}
			text = "/zookeeper/config leads clients to the hosts: " + strings.Join(hosts, ", ")
		} else if !recorded.IsZero() && !recorded.AtLeast(3, 5, 0) {
			continue
		}
		if by[text] == nil {
			lists = append(lists, text)
		}
		by[text] = append(by[text], s.ID)
	}
	for _, text := range lists {
		out = append(out, serverList(by[text])+": "+text)
	}
	return out
}

func (f Facts) trackedHosts(members []ensemble.Server) (out []string) {
	for _, m := range members {
		at := m.Host
		if m.ClientAddress != "" {
			at = m.ClientAddress
		}
		s := f.server(m.ID)
		if m.ClientPort != 0 && at != "" && (strings.EqualFold(at, s.Host) || ensemble.SameAddress(at, s.HostIP)) {
			out = append(out, ensemble.JoinHostPort(at, m.ClientPort))
		}
	}
	return out
}

// kerberos tells by what the journal keeps that clients authenticate by SASL, and whether
// anything names Kerberos; the JAAS file, which decides, is not kept.
func (f Facts) kerberos() []string {
	var sasl, tickets []string
	note := func(where, key, value string) {
		key = quote.Line(key)
		switch {
		case strings.HasPrefix(key, "authProvider.") && strings.HasSuffix(strings.TrimSpace(value), ".SASLAuthenticationProvider"):
			sasl = append(sasl, where+" has "+key)
		case strings.HasPrefix(key, "kerberos."), strings.HasPrefix(key, "java.security.krb5."), key == "requireKerberosConfig", key == "quorum.auth.kerberos.servicePrincipal":
			tickets = append(tickets, where+" has "+key)
		}
	}
	settings(f.Record.Pods, note)
	switch {
	case len(sasl) == 0:
		return nil
	case len(tickets) == 0:
		tickets = []string{"nothing recorded tells whether by Kerberos or by DIGEST-MD5, which needs no change; the JAAS file does"}
	}
	slices.Sort(sasl)
	slices.Sort(tickets)
	return slices.Concat(slices.Compact(sasl), slices.Compact(tickets))
}

// principals are the names that clients ask for once they dial the Services.
func (f Facts) principals() (out []string) {
	for _, s := range f.Servers {
		out = append(out, "zookeeper/"+f.Record.ServiceName(s))
	}
	return out
}

// crowded tells of servers that could not take the clients of all if those came from one address.
func (f Facts) crowded() (out []string) {
	all := 0
	for _, c := range f.Sources {
		for _, n := range c.By {
			all += n
		}
	}
	for _, s := range f.Servers {
		c := f.Sources[s.ID]
		if c.Limit == 0 || all <= c.Limit {
			continue
		}
		from := "maxClientCnxns"
		if c.Assumed {
			from = "the default of maxClientCnxns; the server does not answer conf"
		}
		out = append(out, fmt.Sprintf("server %d takes %d connections of one address (%s), and clients have %d in all: if the way to the Services hides their addresses, it can refuse some", s.ID, c.Limit, from, all))
	}
	return out
}

// named are the hosts' names that records can move.
func (f Facts) named() []string {
	var names []string
	for _, s := range f.Servers {
		if s.Host != s.HostIP {
			names = append(names, s.Host)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []string{"clients may know hosts by name: " + and(names)}
}

func (f Facts) stored() []string {
	var hosts []string
	for _, s := range f.Servers {
		hosts = append(hosts, s.Host)
	}
	if len(hosts) == 0 {
		return nil
	}
	return []string{"nobody answers at " + and(hosts) + " once the hosts are stopped"}
}
