package preflight

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostreport"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// allReported are three servers behind Services that serve, 2 leading, and what their hosts
// report where every way is there.
func allReported() Facts {
	f := Facts{Wrapped: true, Record: migration.Record{Name: "zk1"}, Through: map[ensemble.ID]vantage.Sighting{}, Direct: map[ensemble.ID]vantage.Sighting{}}
	yes, no := true, false
	for id := ensemble.ID(1); id <= 3; id++ {
		s := migration.ServerRecord{HostIP: "10.0.0." + id.String(), ClusterIP: "10.96.0." + id.String()}
		s.ID, s.ClientPort, s.PeerPort, s.ElectionPort = id, 2181, 2888, 3888
		f.Servers = append(f.Servers, s)
		f.Through[id] = vantage.Sighting{Reach: vantage.Answered, Mode: ensemble.Follower, ServerID: id.Known()}
	}
	f.Through[2] = vantage.Sighting{Reach: vantage.Answered, Mode: ensemble.Leader, ServerID: ensemble.ID(2).Known()}
	for _, on := range f.Servers {
		r := hostreport.Report{Ensemble: "zk1", Hostname: "host" + on.ID.String(), Addresses: []hostreport.Address{{Address: on.HostIP}}}
		r.Kubernetes = hostreport.Kubernetes{IPVS: &no, IPTables: &yes, NFTables: &no}
		for _, s := range f.Servers {
			for _, port := range []int{2181, 2888, 3888} {
				state := vantage.PortOpen
				if port == 2888 && s.ID != 2 {
					state = vantage.PortClosed
				}
				r.Paths = append(r.Paths, hostreport.Path{Server: s.ID, Via: vantage.ViaHost, Host: s.HostIP, Port: port, Result: state},
					hostreport.Path{Server: s.ID, Via: vantage.ViaService, Host: s.ClusterIP, Port: port, Result: state})
			}
		}
		f.Reports = append(f.Reports, HostReport{Report: r})
	}
	return f
}

func (f *Facts) path(on int, to ensemble.ID, via vantage.Via, port int) *hostreport.Path {
	for i, p := range f.Reports[on].Paths {
		if p.Server == to && p.Via == via && p.Port == port {
			return &f.Reports[on].Paths[i]
		}
	}
	return nil
}

// more gives every server one more port, and every report what each machine saw of it.
func more(f *Facts, port int, state vantage.PortState) {
	for i := range f.Servers {
		s := &f.Servers[i]
		switch port {
		case 2281:
			s.SecureClientPort = port
		case 2191:
			s.ObserverMasterPort = port
		default:
			s.AdminPort = port
		}
		for k := range f.Reports {
			r := &f.Reports[k]
			r.Paths = append(r.Paths, hostreport.Path{Server: s.ID, Via: vantage.ViaService, Host: s.ClusterIP, Port: port, Result: state})
		}
	}
}

// TestPaths: each missing way is named with the likeliest cause that the evidence allows.
func TestPaths(t *testing.T) {
	no := false
	service := func(f *Facts) {
		for _, port := range []int{2181, 2888, 3888} {
			f.path(0, 3, vantage.ViaService, port).Result = vantage.PortSilent
		}
	}
	for name, c := range map[string]struct {
		change func(*Facts)
		result Result
		says   []string
	}{
		"all there":           {func(*Facts) {}, OK, nil},
		"nobody reported":     {func(f *Facts) { f.Reports = nil }, Skip, []string{"--emit-host-script"}},
		"one has not":         {func(f *Facts) { f.Reports = f.Reports[:2] }, Unknown, []string{"host 10.0.0.3 of server 3 has not reported"}},
		"an old one":          {func(f *Facts) { f.Reports[0].Age = 3 * time.Hour }, Unknown, []string{"host 10.0.0.1 (host1) reported 3h0m0s ago", "host 10.0.0.1 of server 1 has not reported"}},
		"of another ensemble": {func(f *Facts) { f.Reports[0].Ensemble = "zk2" }, Unknown, []string{`reported of ensemble "zk2"`}},
		"a way that could not be tried": {func(f *Facts) {
			p := f.path(0, 2, vantage.ViaService, 2181)
			p.Result, p.Detail = vantage.PortUnknown, "nothing here can connect"
		}, Unknown, []string{"host 10.0.0.1 (host1) could not try 10.96.0.2:2181: nothing here can connect"}},
		"no kube-proxy": {func(f *Facts) {
			service(f)
			f.Reports[0].Kubernetes = hostreport.Kubernetes{IPVS: &no, IPTables: &no, NFTables: &no}
		}, Fail, []string{"from host 10.0.0.1 (host1) to server 3 at 10.96.0.3:2181 (its Service, client port): silent", "no rules of kube-proxy"}},
		"a refusal shows that the host is reached": {func(f *Facts) {
			f.path(0, 3, vantage.ViaService, 2888).Result = vantage.PortSilent
			f.Reports[0].Kubernetes = hostreport.Kubernetes{IPVS: &no, IPTables: &no, NFTables: &no}
		}, Fail, []string{"its host is reached directly, and this machine has no rules of kube-proxy"}},
		"an old script": {func(f *Facts) {
			r := &f.Reports[0]
			r.Paths = slices.DeleteFunc(r.Paths, func(p hostreport.Path) bool { return p.Via == vantage.ViaService })
		}, Unknown, []string{"host 10.0.0.1 (host1) did not try 9 of the ways that matter now (10.96.0.1:2181, for one)"}},
		"refused where nobody was seen": {func(f *Facts) {
			f.path(0, 1, vantage.ViaService, 2181).Result = vantage.PortClosed
			f.Through[1] = timedOut()
		}, Unknown, []string{"was refused at 10.96.0.1:2181"}},
		"a host that is gone on purpose": {func(f *Facts) {
			f.Servers[0].Replaced = &time.Time{}
			for i := range f.Reports {
				for _, port := range []int{2181, 2888, 3888} {
					f.path(i, 1, vantage.ViaHost, port).Result = vantage.PortSilent
				}
			}
			f.Reports = f.Reports[1:]
		}, OK, nil},
		"mended since": {func(f *Facts) {
			again := allReported().Reports[0]
			again.Time = 1
			service(f)
			f.Reports = append(f.Reports, again)
		}, OK, nil},
		"broken since": {func(f *Facts) {
			old := allReported().Reports[0]
			service(f)
			f.Reports[0].Time = 1
			f.Reports = append(f.Reports, old)
		}, Fail, []string{"10.96.0.3:2181"}},
		"not told as root": {func(f *Facts) {
			service(f)
			f.Reports[0].Kubernetes = hostreport.Kubernetes{IPVS: &no}
		}, Fail, []string{"run the script as root"}},
		"rules, and no way": {service, Fail, []string{"kube-proxy's rules are there"}},
		"no route": {func(f *Facts) {
			service(f)
			f.Reports[0].Routes = []hostreport.Route{{Address: "10.96.0.3", Answer: "RTNETLINK answers: Network is unreachable"}}
		}, Fail, []string{"the machine has no route there"}},
		"a firewall": {func(f *Facts) {
			for _, via := range []vantage.Via{vantage.ViaHost, vantage.ViaService} {
				f.path(1, 1, via, 3888).Result = vantage.PortSilent
			}
		}, Fail, []string{"from host 10.0.0.2 (host2) to server 1 at 10.96.0.1:3888 (its Service, election port): silent: its host is not reached directly either"}},
		"refused where it serves": {func(f *Facts) { f.path(0, 1, vantage.ViaService, 2181).Result = vantage.PortClosed }, Fail, []string{"closed"}},
		"the leader's peer port":  {func(f *Facts) { f.path(0, 2, vantage.ViaService, 2888).Result = vantage.PortClosed }, Fail, []string{"peer port): closed"}},
		"a port that the script did not know": {func(f *Facts) { f.Servers[0].SecureClientPort = 2281 }, Unknown,
			[]string{"host 10.0.0.1 (host1) did not try 1 of the ways that matter now (10.96.0.1:2281, for one)"}},
		"the port of clients with TLS": {func(f *Facts) { more(f, 2281, vantage.PortClosed) }, Fail, []string{"10.96.0.3:2281 (its Service, secure-client port): closed"}},
		"who leads is no observer's master": {func(f *Facts) {
			more(f, 2191, vantage.PortOpen)
			for i := range f.Reports {
				f.path(i, 2, vantage.ViaService, 2191).Result = vantage.PortClosed
			}
		}, OK, nil},
		"an observer's master refuses":       {func(f *Facts) { more(f, 2191, vantage.PortClosed) }, Fail, []string{"10.96.0.3:2191 (its Service, observer-master port): closed"}},
		"an AdminServer of the host's own":   {func(f *Facts) { more(f, 8080, vantage.PortClosed) }, OK, nil},
		"an AdminServer that is not reached": {func(f *Facts) { more(f, 8080, vantage.PortSilent) }, Fail, []string{"admin port): silent"}},
		"a parked pod": {func(f *Facts) {
			f.Reports[0].Paths = append(f.Reports[0].Paths, hostreport.Path{Server: 2, Via: vantage.ViaPod, Host: "10.8.0.2", Port: 3888, Result: vantage.PortClosed})
		}, OK, nil},
		"a pod that is not reached": {func(f *Facts) {
			f.Reports[0].Paths = append(f.Reports[0].Paths, hostreport.Path{Server: 2, Via: vantage.ViaPod, Host: "10.8.0.2", Port: 3888, Result: vantage.PortSilent})
		}, Fail, []string{"(its pod, election port)", "pods' range"}},
		"a client needs client ports": {func(f *Facts) {
			r := f.Reports[0]
			r.Hostname, r.Addresses = "app1", []hostreport.Address{{Address: "10.0.9.9"}}
			for i := range r.Paths {
				r.Paths[i].Result = vantage.PortSilent
				if r.Paths[i].Via == vantage.ViaService && r.Paths[i].Port == 2181 {
					r.Paths[i].Result = vantage.PortOpen
				}
			}
			f.Reports = append(allReported().Reports, r)
		}, OK, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := allReported()
			c.change(&f)
			for _, got := range Run(f) {
				if got.ID != "NET001" {
					continue
				}
				if got.Result != c.result {
					t.Errorf("%s, want %s: %q", got.Result, c.result, got.Detail)
				}
				for _, want := range c.says {
					if !strings.Contains(strings.Join(got.Detail, "\n"), want) {
						t.Errorf("%q is not said: %q", want, got.Detail)
					}
				}
			}
		})
	}
}
