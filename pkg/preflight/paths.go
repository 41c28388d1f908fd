package preflight

import (
	"fmt"
	"slices"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostreport"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// HostReport is what the host script said on one machine.
type HostReport struct {
	hostreport.Report
	// Age is how old it was when it was read.
	Age time.Duration
}

// maxReportAge is for how long a report tells how the network is.
const maxReportAge = time.Hour

// reporter is the server that runs on the host where the script ran; nil on any other
// machine, whose clients alone matter.
func (f Facts) reporter(r HostReport) *migration.ServerRecord {
	for i, s := range f.Servers {
		if own := r.Own(s.HostIP); own != nil && *own && s.Replaced == nil {
			return &f.Servers[i]
		}
	}
	return nil
}

// machine names where the script ran; hosts may share a name.
func (f Facts) machine(r HostReport) string {
	if s := f.reporter(r); s != nil {
		return fmt.Sprintf("host %s (%s)", s.HostIP, r.Hostname)
	}
	return "machine " + r.Hostname
}

// sameMachine: by the server on it, and elsewhere by its name and addresses.
func (f Facts) sameMachine(a, b HostReport) bool {
	x, y := f.reporter(a), f.reporter(b)
	if x != nil || y != nil {
		return x == y
	}
	return a.Hostname == b.Hostname && slices.Equal(a.Addresses, b.Addresses)
}

// usable are the reports that tell how the network is: of this ensemble, young, and the
// newest of each machine. old says why others are not.
func (f Facts) usable() (out []HostReport, old []string) {
	for i, r := range f.Reports {
		newer := func(other HostReport) bool { return other.Time > r.Time && f.sameMachine(other, r) }
		switch {
		case slices.ContainsFunc(f.Reports, newer), slices.ContainsFunc(f.Reports[:i], func(o HostReport) bool { return o.Time == r.Time && f.sameMachine(o, r) }):
		case r.Ensemble != f.Record.Name:
			old = append(old, fmt.Sprintf("%s reported of ensemble %q", f.machine(r), r.Ensemble))
		case r.Age > maxReportAge || r.Age < -maxReportAge:
			old = append(old, fmt.Sprintf("%s reported %s ago by its clock: run the script there again", f.machine(r), r.Age.Round(time.Minute)))
		default:
			out = append(out, r)
		}
	}
	return out, old
}

// unreported lists what no report tells, or none that is young enough.
func (f Facts) unreported() []string {
	usable, out := f.usable()
	reported := map[ensemble.ID]bool{}
	for _, r := range usable {
		if s := f.reporter(r); s != nil {
			reported[s.ID] = true
		}
		if missing := f.untried(r); len(missing) > 0 {
			out = append(out, fmt.Sprintf("%s did not try %d of the ways that matter now (%s, for one): emit the script again and run it there", f.machine(r), len(missing), missing[0].Address()))
		}
		for _, p := range r.Paths {
			if s, ok := f.matters(r, p); ok && p.Result == vantage.PortUnknown {
				out = append(out, fmt.Sprintf("%s could not try %s: %s", f.machine(r), p.Target().Address(), p.Detail))
			} else if ok && p.Result == vantage.PortClosed && p.Via == vantage.ViaService && sightless(f.live(s.ID)) != "" {
				out = append(out, fmt.Sprintf("%s was refused at %s, and whether server %d listens there was not seen from here", f.machine(r), p.Target().Address(), s.ID))
			}
		}
	}
	for _, s := range f.Servers {
		if s.Replaced == nil && !reported[s.ID] {
			out = append(out, fmt.Sprintf("host %s of server %d has not reported", s.HostIP, s.ID))
		}
	}
	return out
}

// untried are the ways through Services that matter to that machine and that its report
// does not have: the script is older than the Services, or was cut short.
func (f Facts) untried(r HostReport) []vantage.Target {
	var out []vantage.Target
	for _, s := range f.Servers {
		if s.ClusterIP == "" {
			continue
		}
		for _, port := range s.Ports() {
			t := vantage.Target{Server: s.ID, Via: vantage.ViaService, Host: s.ClusterIP, Port: port.Number}
			_, ok := f.matters(r, hostreport.Path{Server: s.ID, Via: t.Via, Host: t.Host, Port: t.Port})
			if _, have := r.Path(t); ok && !have {
				out = append(out, t)
			}
		}
	}
	return out
}

// matters reports whether somebody on that machine needs the path: servers all of
// another server's where it runs or may run, clients the client ports at the Service.
func (f Facts) matters(r HostReport, p hostreport.Path) (migration.ServerRecord, bool) {
	s, ok := find(f.Servers, p.Server)
	own := f.reporter(r)
	switch {
	case !ok, p.Via == vantage.ViaHost && s.Replaced != nil:
		return s, false
	case own == nil:
		name := s.PortName(p.Port)
		return s, (name == ensemble.PortClient || name == ensemble.PortSecureClient) && p.Via == vantage.ViaService
	}
	// A server reaches itself through its Service as well, when it looks for its leader.
	return s, own.ID != s.ID || p.Via == vantage.ViaService
}

func find(servers []migration.ServerRecord, id ensemble.ID) (migration.ServerRecord, bool) {
	for _, s := range servers {
		if s.ID == id {
			return s, true
		}
	}
	return migration.ServerRecord{}, false
}

// paths says which ways are missing, by what machines reported. Where nothing listens, a
// refusal shows that the way is there: before the pod's ZooKeeper runs, at the peer
// port of whoever does not lead, and at the observer master port of whoever does.
func paths(f Facts) (wrong []string, _ string) {
	usable, _ := f.usable()
	for _, r := range usable {
		for _, p := range r.Paths {
			s, ok := f.matters(r, p)
			lost := p.Result == vantage.PortSilent || p.Result == vantage.PortUnreachable
			refused := p.Result == vantage.PortClosed && f.listens(s, p)
			if ok && (lost || refused) {
				wrong = append(wrong, fmt.Sprintf("from %s to server %d at %s (%s, %s port): %s: %s",
					f.machine(r), s.ID, p.Target().Address(), ways(p.Via), portName(s, p.Port), p.Result, cause(r, s, p)))
			}
		}
	}
	return wrong, ""
}

// listens reports whether the server was seen to serve there, so that its port has to
// accept connections.
func (f Facts) listens(s migration.ServerRecord, p hostreport.Path) bool {
	live := f.live(s.ID)
	if !live.Serving() {
		return false
	}
	switch s.PortName(p.Port) {
	case ensemble.PortPeer:
		if live.Mode != ensemble.Leader {
			return false
		}
	case ensemble.PortObserverMaster:
		if live.Mode != ensemble.Follower {
			return false
		}
	case ensemble.PortAdmin, ensemble.PortMetrics:
		return false // on its host it may listen for that host alone
	default:
	}
	switch p.Via {
	case vantage.ViaHost:
		return s.Replaced == nil
	case vantage.ViaPod:
		return s.Replaced != nil
	case vantage.ViaService:
		return true
	}
	return false
}

func ways(v vantage.Via) string {
	return map[vantage.Via]string{vantage.ViaHost: "its host", vantage.ViaService: "its Service", vantage.ViaPod: "its pod"}[v]
}

func portName(s migration.ServerRecord, port int) string {
	if name := s.PortName(port); name != "" {
		return string(name)
	}
	return "another"
}

// cause is the likeliest one by what else the machine reported.
func cause(r HostReport, s migration.ServerRecord, p hostreport.Path) string {
	route, known := r.Route(p.Host)
	if known && route.Kind() == hostreport.RouteNone {
		return "the machine has no route there"
	}
	switch p.Via {
	case vantage.ViaService:
		return serviceCause(r, s, p)
	case vantage.ViaPod:
		return "the machine does not reach the pods' range, or what comes back is lost: a route back, a firewall or a NetworkPolicy"
	case vantage.ViaHost:
	}
	return "a firewall in between, or the host is down"
}

// serviceCause compares with the same port where the server is; a refusal shows that the
// way there is open.
func serviceCause(r HostReport, s migration.ServerRecord, p hostreport.Path) string {
	at, place := vantage.ViaHost, "its host"
	if s.Replaced != nil {
		at, place = vantage.ViaPod, "its pod"
	}
	direct := vantage.PortUnknown
	for _, q := range r.Paths {
		if q.Server == p.Server && q.Port == p.Port && q.Via == at {
			direct = q.Result
		}
	}
	switch direct {
	case vantage.PortUnknown:
		return place + " was not tried directly"
	case vantage.PortSilent, vantage.PortUnreachable:
		return place + " is not reached directly either: a firewall in between, or it is down"
	case vantage.PortOpen, vantage.PortClosed:
	}
	switch r.Kubernetes.Mode() {
	case hostreport.ModeNone:
		return place + " is reached directly, and this machine has no rules of kube-proxy: run kube-proxy there, or route the Services' range"
	case "":
		return place + " is reached directly; whether this machine has kube-proxy's rules is not known (run the script as root)"
	}
	return place + " is reached directly, and kube-proxy's rules are there: are they old (is kube-proxy running), or does a firewall drop what goes to the Services' range?"
}
