package preflight

import (
	"fmt"
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

// reporter is the server on whose host the script ran; nil on any other machine, whose
// clients alone matter.
func (f Facts) reporter(r HostReport) *migration.ServerRecord {
	for i, s := range f.Servers {
		if own := r.Own(s.HostIP); own != nil && *own {
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

// unreported lists what no report tells, or none that is young enough.
func (f Facts) unreported() []string {
	var out []string
	reported := map[ensemble.ID]bool{}
	for _, r := range f.Reports {
		if r.Ensemble != f.Record.Name {
			out = append(out, fmt.Sprintf("%s reported of ensemble %q", f.machine(r), r.Ensemble))
			continue
		}
		if r.Age > maxReportAge || r.Age < -maxReportAge {
			out = append(out, fmt.Sprintf("%s reported %s ago by its clock: run the script there again", f.machine(r), r.Age.Round(time.Minute)))
			continue
		}
		if s := f.reporter(r); s != nil {
			reported[s.ID] = true
		}
		for _, p := range r.Paths {
			if p.Result == vantage.PortUnknown && f.matters(r, p) {
				out = append(out, fmt.Sprintf("%s could not try %s: %s", f.machine(r), p.Target().Address(), p.Detail))
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

// matters reports whether somebody on that machine needs the path: servers all of another
// server's, clients the client port at the Service.
func (f Facts) matters(r HostReport, p hostreport.Path) bool {
	s, ok := find(f.Servers, p.Server)
	if !ok {
		return false
	}
	own := f.reporter(r)
	if own == nil {
		return p.Port == s.ClientPort && p.Via == vantage.ViaService
	}
	// A server reaches itself through its Service as well, when it looks for its leader.
	return own.ID != s.ID || p.Via == vantage.ViaService
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
// refusal shows that the way is there: before the pod's ZooKeeper runs, and at the peer
// port of whoever does not lead.
func paths(f Facts) (wrong []string, _ string) {
	for _, r := range f.Reports {
		for _, p := range r.Paths {
			if !f.matters(r, p) || r.Ensemble != f.Record.Name {
				continue
			}
			s, _ := find(f.Servers, p.Server)
			lost := p.Result == vantage.PortSilent || p.Result == vantage.PortUnreachable
			refused := p.Result == vantage.PortClosed && f.listens(s, p)
			if lost || refused {
				wrong = append(wrong, fmt.Sprintf("from %s to server %d at %s (%s, %s port): %s: %s",
					f.machine(r), s.ID, p.Target().Address(), ways(p.Via), portName(s, p.Port), p.Result, cause(r, p)))
			}
		}
	}
	return wrong, ""
}

// listens reports whether the server was seen to serve there, so that its port has to
// accept connections.
func (f Facts) listens(s migration.ServerRecord, p hostreport.Path) bool {
	if !f.live(s.ID).Serving() || p.Port == s.PeerPort && f.live(s.ID).Mode != ensemble.Leader {
		return false
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
	switch port {
	case s.ClientPort:
		return "client"
	case s.PeerPort:
		return "peer"
	case s.ElectionPort:
		return "election"
	}
	return "another"
}

// cause is the likeliest one by what else the machine reported.
func cause(r HostReport, p hostreport.Path) string {
	route, known := r.Route(p.Host)
	if known && route.Kind() == hostreport.RouteNone {
		return "the machine has no route there"
	}
	switch p.Via {
	case vantage.ViaService:
		return serviceCause(r, p)
	case vantage.ViaPod:
		return "the machine does not reach the pods' range, or what comes back is lost: a route back, a firewall or a NetworkPolicy"
	case vantage.ViaHost:
	}
	return "a firewall in between, or the host is down"
}

// serviceCause compares with the same port at the host itself.
func serviceCause(r HostReport, p hostreport.Path) string {
	direct := hostreport.Path{}
	for _, q := range r.Paths {
		if q.Server == p.Server && q.Port == p.Port && q.Via == vantage.ViaHost {
			direct = q
		}
	}
	if direct.Result != vantage.PortOpen {
		return "its host is not reached directly either: a firewall in between, or the host is down"
	}
	switch r.Kubernetes.Mode() {
	case hostreport.ModeNone:
		return "its host is reached directly, and this machine has no rules of kube-proxy: run kube-proxy there, or route the Services' range"
	case "":
		return "its host is reached directly; whether this machine has kube-proxy's rules is not known (run the script as root)"
	}
	return "its host is reached directly, and kube-proxy's rules are there: are they old (is kube-proxy running), or does a firewall drop what goes to the Services' range?"
}
