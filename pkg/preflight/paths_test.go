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

// network is an ensemble whose hosts, pods and clients have tried every path, and what came of
// each: 1 to 3 serve, 2 leads, each with a parked pod on a node of its own.
type network struct {
	Facts
	// block says what is not as it should be; the first word that is not empty counts.
	block []func(from From, t vantage.Target) vantage.PortState
}

func newNetwork() *network {
	n := &network{Facts: Facts{Wrapped: true, Record: migration.Record{Name: "zk1", Namespace: "zk"}, Pods: map[ensemble.ID]string{}, Through: map[ensemble.ID]vantage.Sighting{}}}
	for id := ensemble.ID(1); id <= 3; id++ {
		s := migration.ServerRecord{HostIP: "10.0.0." + id.String(), ClusterIP: "10.96.0." + id.String(), Service: "zk1-" + id.String()}
		s.ID, s.ClientPort, s.PeerPort, s.ElectionPort, s.Host, s.Role = id, 2181, 2888, 3888, "zk"+id.String()+".example.com", ensemble.Participant
		n.Servers = append(n.Servers, s)
		n.Pods[id] = "10.8." + id.String() + ".9"
		n.Through[id] = vantage.Sighting{Reach: vantage.Answered, Mode: ensemble.Follower, ServerID: id.Known()}
	}
	n.Through[2] = vantage.Sighting{Reach: vantage.Answered, Mode: ensemble.Leader, ServerID: ensemble.ID(2).Known()}
	return n
}

// lose has connects from those places to those targets end in that state.
func (n *network) lose(state vantage.PortState, matches func(From, vantage.Target) bool) {
	n.block = append(n.block, func(f From, t vantage.Target) vantage.PortState {
		if matches(f, t) {
			return state
		}
		return ""
	})
}

// connect is what comes of one connect.
func (n *network) connect(from From, t vantage.Target) vantage.PortState {
	for _, b := range n.block {
		if s := b(from, t); s != "" {
			return s
		}
	}
	if t.Via == vantage.ViaPod && !n.Listening[t.Server] || t.Via != vantage.ViaPod && t.Port == 2888 && n.live(t.Server).Mode != ensemble.Leader {
		return vantage.PortClosed
	}
	return vantage.PortOpen
}

// targets is everything that can be tried.
func (n *network) targets() (out []vantage.Target) {
	for _, s := range n.Servers {
		for _, p := range s.Ports() {
			for via, host := range map[vantage.Via]string{vantage.ViaHost: s.HostIP, vantage.ViaService: s.ClusterIP, vantage.ViaPod: n.Pods[s.ID]} {
				if host != "" {
					out = append(out, vantage.Target{Server: s.ID, Via: via, Host: host, Port: p.Number})
				}
			}
		}
	}
	return out
}

// report has a machine tell of everything.
func (n *network) report(from From, address string) {
	yes := true
	r := hostreport.Report{Ensemble: "zk1", Hostname: from.Name, Addresses: []string{address}, Kubernetes: hostreport.Kubernetes{Rules: &yes, Processes: []string{"kube-proxy"}}}
	for _, t := range n.targets() {
		r.Paths = append(r.Paths, hostreport.Path{Server: t.Server, Via: t.Via, Host: t.Host, Port: t.Port, Result: n.connect(from, t), Route: t.Host + " via 10.0.0.254 dev eth0 src " + address})
	}
	for _, s := range n.Servers {
		r.Names = append(r.Names, hostreport.Name{Name: s.Host, Result: hostreport.NameFound, Addresses: []string{s.HostIP}},
			hostreport.Name{Name: s.Service + ".zk.svc.cluster.local", Result: hostreport.NameFound, Addresses: []string{s.ClusterIP}})
	}
	n.Reports = append(n.Reports, HostReport{Report: r})
}

// tryAll has everybody try everything.
func (n *network) tryAll() {
	for _, s := range n.Servers {
		if s.Replaced == nil {
			n.report(From{Place: OnHost, Name: s.HostIP, Server: s.ID.Known()}, s.HostIP)
		}
	}
	n.report(From{Place: OnClient, Name: "app1"}, "10.9.9.9")
	for _, s := range n.Servers {
		p := PodLook{Point: vantage.Point{Pod: "zk1-pod-" + s.ID.String(), Node: "node" + s.ID.String()}, Server: s.ID.Known(), Address: n.Pods[s.ID], Tried: map[vantage.Target]Tried{}}
		for _, t := range n.targets() {
			p.Tried[t] = Tried{State: n.connect(From{Place: InPod, Name: p.Point.Pod, Node: p.Point.Node, Server: s.ID.Known()}, t)}
		}
		n.PodLooks = append(n.PodLooks, p)
	}
}

func (n *network) replaced(ids ...ensemble.ID) {
	for _, id := range ids {
		n.Servers[id-1].Replaced = &time.Time{}
	}
}

// named has a name lead elsewhere on one machine.
func (n *network) named(on int, name, result string, addresses ...string) {
	for i, r := range n.Reports[on].Names {
		if r.Name == name {
			n.Reports[on].Names[i] = hostreport.Name{Name: name, Result: result, Addresses: addresses}
		}
	}
}

func unwrap(n *network) {
	n.Wrapped, n.Pods = false, nil
	n.Direct, n.Through = n.Through, nil
	for i := range n.Servers {
		n.Servers[i].ClusterIP, n.Servers[i].Service = "", ""
	}
}

// TestNothingLost: where every path is there, each kind is ok, at every stage.
func TestNothingLost(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*network)
		skips  string
		paths  int
	}{
		"parked pods":               {func(*network) {}, "NET005 NET007", 12 + 12 + 18 + 12 + 6},
		"before pods":               {func(n *network) { n.Pods = nil }, "NET004 NET005 NET007", 12 + 18 + 12 + 3},
		"before a wrap":             {unwrap, "NET001 NET003 NET004 NET005 NET006 NET007", 27},
		"one moved":                 {func(n *network) { n.replaced(1) }, "NET007", 4 + 4 + 12 + 12 + 4 + 5},
		"all moved":                 {func(n *network) { n.replaced(1, 2, 3) }, "NET001 NET002 NET004 NET005 NET007", 12 + 3},
		"names in the server lines": {func(n *network) { n.Record.Hosts.Address = migration.AddressDNS }, "NET005 NET008", 12 + 12 + 18 + 12 + 6},
		"an observer": {func(n *network) { n.Servers[0].Role = ensemble.Observer }, "NET005 NET007",
			10 + 10 + 18 + 10 + 6},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork()
			c.change(n)
			n.tryAll()
			for on := range n.Reports {
				for _, s := range n.Servers {
					if s.Replaced != nil {
						n.named(on, s.Host, hostreport.NameFound, s.ClusterIP)
					}
				}
			}
			for _, got := range Run(n.Facts) {
				if !strings.HasPrefix(got.ID, "NET") || got.ID == sourceAddress {
					continue
				}
				want := OK
				if strings.Contains(c.skips, got.ID) {
					want = Skip
				}
				if got.Result != want {
					t.Errorf("%s is %s, want %s: %q", got.ID, got.Result, want, got.Detail)
				}
			}
			if got := len(n.Paths()); got != c.paths {
				t.Errorf("%d paths, want %d", got, c.paths)
			}
		})
	}
}

// TestLostPaths: each loss is found by the check of its kind alone, with the cause that the
// evidence speaks for.
func TestLostPaths(t *testing.T) {
	no := false
	silent, refused := vantage.PortSilent, vantage.PortClosed
	host1 := func(f From) bool { return f.Place == OnHost && f.Server.Is(1) }
	service := func(t vantage.Target) bool { return t.Via == vantage.ViaService }
	kubernetes := func(k hostreport.Kubernetes, on ...int) func(*network) {
		return func(n *network) {
			for _, i := range on {
				n.Reports[i].Kubernetes = k
			}
		}
	}
	third := func(f From, t vantage.Target) bool { return host1(f) && service(t) && t.Server == 3 }
	election3 := func(_ From, t vantage.Target) bool {
		return t.Server == 3 && t.Port == 3888 && t.Via != vantage.ViaPod
	}
	for name, c := range map[string]struct {
		state   vantage.PortState
		matches func(From, vantage.Target) bool
		// after changes what was reported.
		after func(*network)
		ids   string
		cause CauseCode
		says  string
	}{
		"no kube-proxy": {silent, func(f From, t vantage.Target) bool { return host1(f) && service(t) }, kubernetes(hostreport.Kubernetes{Rules: &no}, 0), hostToHost, NoKubeProxy,
			"host 10.0.0.1 does not reach servers 2 and 3 at their Services, ports 2888 (peer) and 3888 (election): no answer; it reaches the host directly, and has no rules of kube-proxy, and sends Services' addresses to 10.0.0.254"},
		"the range is routed for others": {silent, func(f From, t vantage.Target) bool { return host1(f) && service(t) }, kubernetes(hostreport.Kubernetes{Rules: &no}, 0, 1), hostToHost, RangeNotRouted, "host 10.0.0.2 has none either and reaches Services"},
		"kube-proxy is gone":             {silent, third, func(n *network) { n.Reports[0].Kubernetes.Processes = []string{"kubelet"} }, hostToHost, StaleRules, "kube-proxy does not run there"},
		"not run as root":                {silent, third, kubernetes(hostreport.Kubernetes{}, 0), hostToHost, ServiceRules, "run the script as root"},
		"no kube-proxy, not run as root": {silent, func(f From, t vantage.Target) bool { return host1(f) && service(t) }, kubernetes(hostreport.Kubernetes{Processes: []string{"kubelet"}}, 0), hostToHost, NoKubeProxy, "and no kube-proxy runs there"},
		"one Service of several":         {silent, third, nil, hostToHost, ServiceRules, "and other Services: the rules for this Service are missing or old"},
		"one port of a Service":          {silent, func(f From, t vantage.Target) bool { return third(f, t) && t.Port == 3888 }, nil, hostToHost, ServiceRules, "other ports of the same Service"},
		"no route": {vantage.PortUnreachable, third, func(n *network) {
			for i, p := range n.Reports[0].Paths {
				if p.Host == "10.96.0.3" {
					n.Reports[0].Paths[i].Route = "RTNETLINK answers: Network is unreachable"
				}
			}
		}, hostToHost, NoRoute, "unreachable; it has no route to 10.96.0.3 (ip route get: RTNETLINK answers: Network is unreachable)"},
		"a firewall drops a port":              {silent, func(f From, t vantage.Target) bool { return host1(f) && election3(f, t) }, nil, hostToHost, Firewall, "port 3888 (election): no answer; it reaches port 2181 of the same address: a firewall drops that port"},
		"a host that one other does not reach": {silent, func(f From, t vantage.Target) bool { return host1(f) && t.Server == 3 && t.Via != vantage.ViaPod }, nil, hostToHost, ThisMachine, "reaches the same: a firewall or a route between here and there"},
		"a host that nobody reaches":           {silent, func(_ From, t vantage.Target) bool { return t.Server == 3 && t.Via != vantage.ViaPod }, nil, "NET001 NET002 NET003 NET006", Nobody, "none of"},
		"a NetworkPolicy":                      {silent, func(f From, t vantage.Target) bool { return f.Place == InPod && t.Via != vantage.ViaPod }, nil, "NET002 NET003", NetworkPolicy, "reaches the same, and no pod does: a NetworkPolicy on the pods"},
		"kube-proxy on one node":               {silent, func(f From, t vantage.Target) bool { return f.Node == "node1" && service(t) }, nil, podToService, ThisMachine, "pods on node node2 reach the Service: look at kube-proxy on node node1"},
		"pods that hosts do not reach":         {silent, func(f From, t vantage.Target) bool { return f.Place != InPod && t.Via == vantage.ViaPod }, nil, "NET004 NET006", NetworkPolicy, "no machine outside of the cluster does: the pods' range is not routed to them"},
		"a Service without endpoints":          {refused, func(_ From, t vantage.Target) bool { return service(t) && t.Server == 3 }, nil, "NET001 NET003 NET006", NoEndpoint, "the Service has no endpoint for it there"},
		"another port":                         {refused, election3, func(n *network) { n.Reports[2].Listening = []hostreport.Listener{{Port: 2181}} }, "NET001 NET002 NET003", WrongPort, "nothing listens on that port: is it the right one?"},
		"one address":                          {refused, election3, func(n *network) { n.Reports[2].Listening = []hostreport.Listener{{Port: 3888, All: &no}} }, "NET001 NET002 NET003", OneAddress, "on one address only"},
		"one host that does not reach pods":    {silent, func(f From, t vantage.Target) bool { return host1(f) && t.Via == vantage.ViaPod }, nil, hostToPod, ThisMachine, "reaches the same: a firewall or a route"},
		"one pod of several": {silent, func(f From, t vantage.Target) bool {
			return f.Node == "node1" && t.Via == vantage.ViaHost && t.Server == 3
		}, nil, "NET002", ThisMachine, "reaches the same: a firewall or a route"},
		"a routed range, and one Service of several": {silent, third, kubernetes(hostreport.Kubernetes{Rules: &no}, 0), hostToHost, ServiceRules, "and other Services"},
		"no kube-proxy, and a Service that refuses": {silent, third, func(n *network) {
			n.Reports[0].Kubernetes.Rules = &no
			for i, p := range n.Reports[0].Paths {
				if p.Via == vantage.ViaService && p.Result == vantage.PortOpen {
					n.Reports[0].Paths[i].Result = vantage.PortClosed
				}
			}
			n.Unasked = map[ensemble.ID]bool{1: true, 2: true}
		}, hostToHost, NoKubeProxy, "has no rules of kube-proxy"},
		"the leader's peer port": {refused, func(f From, t vantage.Target) bool { return host1(f) && service(t) && t.Server == 2 && t.Port == 2888 }, nil, hostToHost, NoEndpoint, "port 2888 (peer): refused"},
		"a client":               {vantage.PortUnreachable, func(f From, t vantage.Target) bool { return f.Place == OnClient && service(t) && t.Server == 1 }, nil, clientToAny, ServiceRules, "client machine app1 does not reach server 1 at its Service, port 2181 (client): unreachable"},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork()
			n.lose(c.state, c.matches)
			n.tryAll()
			if c.after != nil {
				c.after(n)
			}
			n.judgedBy(t, c.ids, c.says)
			for _, p := range n.Paths() {
				if p.Verdict == PathLost && (p.Cause == nil || p.Cause.Code != c.cause) {
					t.Errorf("the cause of %+v is %+v, want %s", p, p.Cause, c.cause)
				}
			}
		})
	}
}

// judgedBy wants those checks of paths to fail, and no other.
func (n *network) judgedBy(t *testing.T, ids, says string) {
	t.Helper()
	var details []string
	for _, got := range Run(n.Facts) {
		if !strings.HasPrefix(got.ID, "NET") || got.ID > clientToAny {
			continue
		}
		if failed := got.Result == Fail; failed != strings.Contains(ids, got.ID) {
			t.Errorf("%s is %s: %q", got.ID, got.Result, got.Detail)
		}
		details = append(details, got.Detail...)
	}
	if text := strings.Join(details, "\n"); !strings.Contains(text, says) {
		t.Errorf("%q is not said:\n%s", says, text)
	}
}

// TestAServerThatMoved: what hosts do not reach through its Service is of another kind then.
func TestAServerThatMoved(t *testing.T) {
	n := newNetwork()
	n.replaced(2)
	n.lose(vantage.PortSilent, func(f From, t vantage.Target) bool {
		return f.Place == OnHost && f.Server.Is(1) && t.Via == vantage.ViaService && t.Server == 2
	})
	n.tryAll()
	n.judgedBy(t, hostToMoved, "host 10.0.0.1 does not reach server 2 at its Service")
}

// TestNoCauseWithoutEvidence: where nothing else was tried, none is named.
func TestNoCauseWithoutEvidence(t *testing.T) {
	for _, tried := range [][]vantage.Via{{vantage.ViaService}, {vantage.ViaService, vantage.ViaHost}} {
		n := newNetwork()
		n.lose(vantage.PortSilent, func(f From, t vantage.Target) bool { return f.Server.Is(1) && f.Place == OnHost && t.Server == 3 })
		n.tryAll()
		n.Reports, n.PodLooks = n.Reports[:1], nil
		n.Reports[0].Paths = slices.DeleteFunc(n.Reports[0].Paths, func(p hostreport.Path) bool { return !slices.Contains(tried, p.Via) })
		lost := 0
		for _, p := range n.Paths() {
			if p.Verdict != PathLost {
				continue
			}
			lost++
			if p.Cause != nil || !strings.Contains(p.why(), "nothing that was seen tells why") {
				t.Errorf("%+v", p.Cause)
			}
		}
		if lost != 2 {
			t.Errorf("%d paths are lost", lost)
		}
	}
}

// TestAServerThatIsAway: what an operation has taken away may refuse.
func TestAServerThatIsAway(t *testing.T) {
	n := newNetwork()
	n.lose(vantage.PortClosed, func(_ From, t vantage.Target) bool { return t.Server == 3 })
	n.tryAll()
	n.judgedBy(t, "NET001 NET002 NET003 NET006", "")
	n.Through[3], n.Unasked = vantage.Sighting{Reach: vantage.Timeout}, map[ensemble.ID]bool{3: true}
	n.judgedBy(t, "", "")
	for _, p := range n.Paths() {
		if p.To == 3 && p.Verdict != PathIdle {
			t.Errorf("%+v", p)
		}
	}
}

// TestParkedPods: a refusal is lost where the pod's gate heard connections before it was
// tried, and tells nothing otherwise.
func TestParkedPods(t *testing.T) {
	all := map[ensemble.ID]bool{1: true, 2: true, 3: true}
	toPod3 := func(f From, t vantage.Target) bool { return t.Via == vantage.ViaPod && t.Server == 3 }
	fromHost1 := func(f From, t vantage.Target) bool { return toPod3(f, t) && f.Place == OnHost && f.Server.Is(1) }
	for name, c := range map[string]struct {
		listening map[ensemble.ID]bool
		refused   func(From, vantage.Target) bool
		earlier   bool
		ids, says string
		idle      int
	}{
		"all are heard": {listening: all},
		"one host is refused": {listening: all, refused: fromHost1, ids: hostToPod,
			says: "host 10.0.0.1 does not reach server 3 at its pod, ports 2888 (peer) and 3888 (election): refused; something in the pod listens there, and host 10.0.0.2 reaches it: a firewall or a NetworkPolicy rejects connections from here"},
		"all are refused": {listening: all, refused: toPod3, ids: "NET004 NET006",
			says: "something in the pod listens there, as its gate says: a firewall or a NetworkPolicy rejects connections"},
		"an earlier report":         {listening: all, refused: fromHost1, earlier: true, idle: 2},
		"nothing listens in it yet": {listening: map[ensemble.ID]bool{1: true, 2: true}, idle: 5},
		"nothing listens":           {idle: 15},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork()
			n.Listening = c.listening
			if c.refused != nil {
				n.lose(vantage.PortClosed, c.refused)
			}
			n.tryAll()
			for i := range n.Reports {
				n.Reports[i].Now = !c.earlier
			}
			n.judgedBy(t, c.ids, c.says)
			idle := 0
			for _, p := range n.Paths() {
				switch {
				case p.Via == vantage.ViaPod && p.Verdict == PathIdle:
					idle++
				case p.Verdict == PathLost && (p.Cause == nil || p.Cause.Code != Rejected):
					t.Errorf("the cause of %+v is %+v", p, p.Cause)
				}
			}
			if idle != c.idle {
				t.Errorf("%d paths to pods are idle, want %d", idle, c.idle)
			}
		})
	}
}

// TestNotKnown: what nobody tried, or nobody tried lately, is neither ok nor lost.
func TestNotKnown(t *testing.T) {
	// at changes one path of the first host's report.
	at := func(n *network, on int, address string, change func(*hostreport.Path)) {
		for i, p := range n.Reports[on].Paths {
			if p.Target().Address() == address {
				change(&n.Reports[on].Paths[i])
			}
		}
	}
	for name, c := range map[string]struct {
		change func(*network)
		id     string
		result Result
		says   string
	}{
		"nobody reported":    {func(n *network) { n.Reports = nil }, hostToHost, Skip, "--emit-host-script"},
		"no client reported": {func(n *network) { n.Reports = n.Reports[:3] }, clientToAny, Skip, "no client machine has reported"},
		"no pod was asked":   {func(n *network) { n.PodLooks = nil }, podToHost, Skip, "--from-pods"},
		"one has not": {func(n *network) { n.Reports = slices.Delete(n.Reports, 2, 3) }, hostToHost, Unknown,
			"host 10.0.0.3 is not known to reach servers 1 and 2 at their Services, ports 2888 (peer) and 3888 (election): the host has not reported"},
		"an old one": {func(n *network) { n.Reports[0].Age = 3 * time.Hour }, hostToHost, Unknown,
			"host 10.0.0.1 is not known to reach servers 2 and 3 at their Services, ports 2888 (peer) and 3888 (election): its report is 3 h old"},
		"all old": {func(n *network) {
			for i := range n.Reports {
				n.Reports[i].Age = time.Duration(i+2) * time.Hour
			}
		}, hostToHost, Skip, "within the hour"},
		"an old client": {func(n *network) {
			old := n.Reports[3]
			old.Age, old.Hostname = 4*time.Hour, "app2"
			n.Reports = append(n.Reports, old)
		}, clientToAny, OK, ""},
		"from the future":     {func(n *network) { n.Reports[0].Age = -3 * time.Hour }, hostToHost, Unknown, "3 h ahead of the clock here"},
		"of another ensemble": {func(n *network) { n.Reports[0].Ensemble = "zk2" }, hostToHost, Unknown, `its report is about ensemble "zk2"`},
		"could not be tried": {func(n *network) {
			at(n, 0, "10.96.0.2:3888", func(p *hostreport.Path) { p.Result, p.Detail = "", "nothing here can connect" })
		}, hostToHost, Unknown, "host 10.0.0.1 is not known to reach server 2 at its Service, port 3888 (election): nothing here can connect"},
		"a broken stream": {func(n *network) {
			n.PodLooks[0].Tried[vantage.Target{Server: 2, Via: vantage.ViaHost, Host: "10.0.0.2", Port: 3888}] = Tried{Detail: "the stream to pod zk1-pod-1 broke"}
		}, podToHost, Unknown, "broke"},
		"an old script": {func(n *network) {
			n.Reports[0].Paths = slices.DeleteFunc(n.Reports[0].Paths, func(p hostreport.Path) bool { return p.Via == vantage.ViaService })
		}, hostToHost, Unknown, "the script is older than that address"},
		"refused where nobody was seen": {func(n *network) {
			n.Through[1] = timedOut()
			at(n, 1, "10.96.0.1:3888", func(p *hostreport.Path) { p.Result = vantage.PortClosed })
		}, hostToHost, Unknown, "refused, and whether server 1 listens there was not seen"},
		"mended since": {func(n *network) {
			again := n.Reports[0]
			again.Time, again.Paths = 1, slices.Clone(again.Paths)
			for i := range n.Reports[0].Paths {
				n.Reports[0].Paths[i].Result = vantage.PortSilent
			}
			n.Reports = append(n.Reports, again)
		}, hostToHost, OK, ""},
		"broken since": {func(n *network) {
			old := n.Reports[0]
			old.Paths = slices.Clone(old.Paths)
			n.Reports[0].Time = 1
			for i := range n.Reports[0].Paths {
				n.Reports[0].Paths[i].Result = vantage.PortSilent
			}
			n.Reports = append(n.Reports, old)
		}, hostToHost, Fail, "host 10.0.0.1 does not reach"},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork()
			n.tryAll()
			c.change(n)
			for _, got := range Run(n.Facts) {
				if got.ID == c.id && (got.Result != c.result || !strings.Contains(strings.Join(got.Detail, "\n"), c.says)) {
					t.Errorf("%s, want %s with %q: %q", got.Result, c.result, c.says, got.Detail)
				}
			}
		})
	}
}

// TestLastingFacts: before a stop, a path that was lost keeps a command from going on, and one
// that nobody tried does not; who knows better waives the kind.
func TestLastingFacts(t *testing.T) {
	blocks := func(n *network) bool {
		return slices.ContainsFunc(BeforeStop(n.Facts), func(f Finding) bool { return f.ID == hostToHost && f.Blocks })
	}
	n := newNetwork()
	n.lose(vantage.PortSilent, func(f From, t vantage.Target) bool { return f.Server.Is(1) && t.Server == 3 })
	n.tryAll()
	for phase, want := range map[migration.PhaseName]bool{"": false, migration.PlanReconfigure: true, migration.PlanReplace: true} {
		if n.Phase = phase; blocks(n) != want {
			t.Errorf("a lost path blocks %q: %t", phase, !want)
		}
	}
	n.Waivers = []string{hostToHost}
	if blocks(n) {
		t.Error("a kind that was waived blocks")
	}
	n = newNetwork()
	n.tryAll()
	n.Phase = migration.PlanReplace
	n.Reports = n.Reports[:2]
	if blocks(n) {
		t.Error("a path that nobody tried blocks")
	}
}

// TestLookups: a name that leads elsewhere is found where it is asked for.
func TestLookups(t *testing.T) {
	dns := func(n *network) { n.Record.Hosts.Address = migration.AddressDNS }
	set := func(on int, name string, result string, addresses ...string) func(*network) {
		return func(n *network) { n.named(on, name, result, addresses...) }
	}
	const service, host = "zk1-2.zk.svc.cluster.local", "zk2.example.com"
	for name, c := range map[string]struct {
		before, after func(*network)
		id            string
		result        Result
		says          string
	}{
		"another address": {dns, set(0, service, hostreport.NameFound, "10.0.0.2"), serviceNames, Fail,
			"on host 10.0.0.1, the name zk1-2.zk.svc.cluster.local of server 2: it leads to 10.0.0.2 (expected 10.96.0.2)"},
		"one address more": {dns, set(0, service, hostreport.NameFound, "10.96.0.2", "10.0.0.9"), serviceNames, Fail, "it leads to 10.96.0.2, 10.0.0.9"},
		"none":             {dns, set(0, service, hostreport.NameNotFound), serviceNames, Fail, "it leads to no address"},
		"not asked for":    {dns, func(n *network) { n.Reports[0].Names = nil }, serviceNames, Unknown, "does not have it"},
		"could not ask":    {dns, set(0, service, ""), serviceNames, Unknown, "could not be asked for"},
		"the JVM resolves by a file": {dns, func(n *network) {
			n.Reports[0].ZooKeeper = []hostreport.Process{{Flags: []string{"-Djdk.net.hosts.file=/etc/zk-hosts"}}}
		}, serviceNames, Unknown, "-Djdk.net.hosts.file=/etc/zk-hosts"},
		"a host's name, moved": {nil, set(3, host, hostreport.NameFound, "10.96.0.2"), hostNames, OK, ""},
		"a host's name, elsewhere": {nil, set(3, host, hostreport.NameFound, "10.7.7.7"), hostNames, Warn,
			"on client machine app1, the name zk2.example.com of server 2: it leads to 10.7.7.7 (expected 10.0.0.2 or 10.96.0.2)"},
		"another address of the host": {nil, func(n *network) {
			n.named(3, host, hostreport.NameFound, "10.1.0.2")
			n.Reports[1].Addresses = append(n.Reports[1].Addresses, "10.1.0.2")
		}, hostNames, OK, ""},
		"its own name on a host": {nil, set(1, host, hostreport.NameFound, "127.0.1.1"), hostNames, OK, ""},
		"the old host of a pod":  {func(n *network) { n.replaced(2) }, nil, hostNames, Warn, "it leads to 10.0.0.2 (expected 10.96.0.2)"},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork()
			if c.before != nil {
				c.before(n)
			}
			n.tryAll()
			if c.after != nil {
				c.after(n)
			}
			for _, got := range Run(n.Facts) {
				if got.ID == c.id && (got.Result != c.result || !strings.Contains(strings.Join(got.Detail, "\n"), c.says)) {
					t.Errorf("%s, want %s with %q: %q", got.Result, c.result, c.says, got.Detail)
				}
			}
		})
	}
}

// TestNoHostIsLeft: once all servers are in pods, what is skipped is not called unwrapped.
func TestNoHostIsLeft(t *testing.T) {
	for want, change := range map[string]func(*network){
		"not wrapped yet":                   unwrap,
		"no server runs on a host any more": func(n *network) { n.Wrapped = true; n.replaced(1, 2, 3) },
	} {
		n := newNetwork()
		change(n)
		if got, _ := n.lackPaths(hostToHost); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
