package hostpatch

import (
	"fmt"
	"net/netip"
	"sort"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// DNSInput says which names move to the Services.
type DNSInput struct {
	Ensemble ensemble.Ensemble
	// Targets is each Service's ClusterIP, or its full name for a CNAME.
	Targets map[ensemble.ID]string
	// Addresses is each host's present address, for the undo.
	Addresses map[ensemble.ID]string
	// Zone is the zone the names are in, as example.com; empty leaves the
	// choice to nsupdate.
	Zone string
	// Server is the name server that takes updates; empty leaves the choice to
	// nsupdate.
	Server string
	// TTL in seconds; 0 means 60, short so that a way back is short too.
	TTL int
}

// DNSRecord is one name that clients use and where it leads.
type DNSRecord struct {
	ID     ensemble.ID
	Name   string // fully qualified, with the final dot
	Type   string // A, AAAA or CNAME
	Target string
}

// DNSRecords lists the records that make the ensemble's own names lead to the
// Services. Servers listed by address have no name to move and are returned
// as skipped, as are names that several servers share: one name cannot lead
// to several Services.
func DNSRecords(in DNSInput) (records []DNSRecord, skipped map[ensemble.ID]string, err error) {
	return dnsRecords(in, in.Targets, "Service")
}

func dnsRecords(in DNSInput, targets map[ensemble.ID]string, what string) ([]DNSRecord, map[ensemble.ID]string, error) {
	skipped := map[ensemble.ID]string{}
	owners := map[string][]ensemble.ID{}
	for _, s := range in.Ensemble.Servers {
		name := absolute(s.Host, in.Zone)
		owners[name] = append(owners[name], s.ID)
	}
	var out []DNSRecord
	for _, s := range in.Ensemble.Servers {
		name := absolute(s.Host, in.Zone)
		_, isAddress := parseAddr(s.Host)
		switch {
		case isAddress:
			skipped[s.ID] = s.Host + " is an address: clients need the new connection string"
			continue
		case len(owners[name]) > 1:
			skipped[s.ID] = fmt.Sprintf("servers %s share the name %s: clients need the new connection string", ensemble.JoinIDs(owners[name]), s.Host)
			continue
		}
		target := targets[s.ID]
		if target == "" {
			return nil, nil, fmt.Errorf("server %s has no %s address", s.ID, what)
		}
		r := DNSRecord{ID: s.ID, Name: name, Target: target}
		switch a, ok := parseAddr(target); {
		case ok && a.Is4():
			r.Type = "A"
		case ok:
			r.Type = "AAAA"
		default:
			r.Type, r.Target = "CNAME", absolute(target, "")
		}
		for _, n := range []string{r.Name, r.Target} {
			if strings.ContainsAny(n, " \t\r\n;()\"\\") {
				return nil, nil, fmt.Errorf("server %s: %q cannot stand in a zone file", s.ID, n)
			}
		}
		out = append(out, r)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].ID < out[j].ID })
	return out, skipped, nil
}

// ZoneFragment writes the records for a zone file, with what they replace as
// comments.
func ZoneFragment(in DNSInput) ([]byte, error) {
	records, skipped, err := DNSRecords(in)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "; ensemble %s: the names clients use lead to the Services. Replace the records these names have.\n", in.Ensemble.Name)
	for _, r := range records {
		if old := in.Addresses[r.ID]; old != "" {
			fmt.Fprintf(&b, "; was %s\n", old)
		}
		fmt.Fprintf(&b, "%s\t%d\tIN\t%s\t%s\n", r.Name, in.ttl(), r.Type, r.Target)
	}
	for _, id := range in.Ensemble.IDs() {
		if why, ok := skipped[id]; ok {
			fmt.Fprintf(&b, "; server %s: %s\n", id, why)
		}
	}
	return []byte(b.String()), nil
}

// NSUpdate writes the same change for nsupdate, and the script that takes it
// back; the undo is empty where the hosts' addresses are not known.
func NSUpdate(in DNSInput) (Scripts, error) {
	do, _, err := dnsRecords(in, in.Targets, "Service")
	if err != nil {
		return Scripts{}, err
	}
	out := Scripts{Do: in.nsupdate(do)}
	for _, r := range do {
		if in.Addresses[r.ID] == "" {
			return out, nil
		}
	}
	undo, _, err := dnsRecords(in, in.Addresses, "host")
	if err != nil {
		return Scripts{}, err
	}
	out.Undo = in.nsupdate(undo)
	return out, nil
}

// nsupdate replaces all addresses of each name in one update message.
func (in DNSInput) nsupdate(records []DNSRecord) []byte {
	var b strings.Builder
	if in.Server != "" {
		fmt.Fprintf(&b, "server %s\n", in.Server)
	}
	if in.Zone != "" {
		fmt.Fprintf(&b, "zone %s\n", absolute(in.Zone, ""))
	}
	for _, r := range records {
		for _, t := range []string{"A", "AAAA", "CNAME"} {
			fmt.Fprintf(&b, "update delete %s %s\n", r.Name, t)
		}
		fmt.Fprintf(&b, "update add %s %d %s %s\n", r.Name, in.ttl(), r.Type, r.Target)
	}
	b.WriteString("send\n")
	return []byte(b.String())
}

func (in DNSInput) ttl() int {
	if in.TTL == 0 {
		return 60
	}
	return in.TTL
}

// absolute adds the zone to a short name, and the final dot.
func absolute(name, zone string) string {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if zone != "" && !strings.Contains(name, ".") {
		name += "." + strings.ToLower(strings.Trim(zone, "."))
	}
	return name + "."
}

func parseAddr(s string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(s)
	return a.Unmap(), err == nil
}

// Connection is what clients of one kind have now and what they get: every server that has
// such a port, in order of ids.
type Connection struct {
	Port          ensemble.PortName
	Before, After string
}

// Connections are those of clients in plain text, and of clients with TLS if there is a port
// for them.
func Connections(e ensemble.Ensemble, services map[ensemble.ID]string) ([]Connection, error) {
	var out []Connection
	for _, name := range []ensemble.PortName{ensemble.PortClient, ensemble.PortSecureClient} {
		var was, is []string
		for _, id := range e.IDs() {
			s, _ := e.Server(id)
			port := s.Port(name)
			if port == 0 {
				continue
			}
			if services[id] == "" {
				return nil, fmt.Errorf("server %s has no Service address: wrap the ensemble first", id)
			}
			was = append(was, ensemble.JoinHostPort(s.Host, port))
			is = append(is, ensemble.JoinHostPort(services[id], port))
		}
		if len(is) > 0 {
			out = append(out, Connection{name, strings.Join(was, ","), strings.Join(is, ",")})
		}
	}
	return out, nil
}
