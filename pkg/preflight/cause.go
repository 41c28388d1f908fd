package preflight

import (
	"fmt"
	"slices"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// Cause is the likeliest reason of a lost path. None is named that nothing seen speaks for.
type Cause struct {
	Code CauseCode `json:"code"`
	// Text says it, with what it rests on.
	Text string `json:"text"`
}

// CauseCode names a cause for programs.
type CauseCode string

// The causes.
const (
	// NoRoute: the machine has no route to the address.
	NoRoute CauseCode = "no-route"
	// NoKubeProxy: nothing on the machine translates Services' addresses, and it reaches none.
	NoKubeProxy CauseCode = "no-kube-proxy"
	// RangeNotRouted: the same, and other machines reach them without kube-proxy.
	RangeNotRouted CauseCode = "service-range-not-routed"
	// StaleRules: kube-proxy's rules are there, and no kube-proxy keeps them up to date.
	StaleRules CauseCode = "stale-rules"
	// NoEndpoint: the Service refuses, and what it should lead to accepts.
	NoEndpoint CauseCode = "no-endpoint"
	// ServiceRules: the Service does not answer, and what it leads to does.
	ServiceRules CauseCode = "service-rules"
	// WrongPort: nothing listens on that port, though the server serves.
	WrongPort CauseCode = "wrong-port"
	// Rejected: something in the parked pod listens on that port, and it is refused.
	Rejected CauseCode = "rejected"
	// OneAddress: the server listens on one of its host's addresses only.
	OneAddress CauseCode = "listens-on-one-address"
	// Firewall: one port is lost, and others at the same address are reached.
	Firewall CauseCode = "firewall"
	// NetworkPolicy: pods do not reach what hosts reach, or the other way round.
	NetworkPolicy CauseCode = "network-policy"
	// ThisMachine: others reach the same address and port.
	ThisMachine CauseCode = "this-machine"
	// Nobody: nobody who tried reaches it.
	Nobody CauseCode = "nobody-reaches-it"
)

// evidence is everything that was tried, from everywhere.
type evidence struct {
	f     Facts
	looks []look
}

// explain names the causes of lost paths.
func (e evidence) explain(paths []Path) {
	for i, p := range paths {
		if p.Verdict != PathLost {
			continue
		}
		at := slices.IndexFunc(e.looks, func(l look) bool { return l.from == p.From })
		paths[i].Cause = e.cause(e.looks[at], e.f.server(p.To), p)
	}
}

func (f Facts) server(id ensemble.ID) migration.ServerRecord {
	for _, s := range f.Servers {
		if s.ID == id {
			return s
		}
	}
	return migration.ServerRecord{}
}

func because(code CauseCode, format string, args ...any) *Cause {
	return &Cause{Code: code, Text: fmt.Sprintf(format, args...)}
}

// lost and reached are what a connect tells of the way; a refusal comes from the other end.
func lost(s vantage.PortState) bool {
	return s == vantage.PortSilent || s == vantage.PortUnreachable
}

func reached(s vantage.PortState) bool { return s == vantage.PortOpen || s == vantage.PortClosed }

func (e evidence) cause(l look, s migration.ServerRecord, p Path) *Cause {
	if l.report != nil {
		if r, _ := l.report.Path(p.target()); r.NoRoute() {
			return because(NoRoute, "it has no route to %s (ip route get: %s)", p.Host, r.Route)
		}
	}
	refused := p.Result == Outcome(vantage.PortClosed)
	if refused && p.toParked() {
		return e.rejected(p)
	}
	if p.Via != vantage.ViaService {
		if refused {
			return e.notListening(s, p)
		}
		return e.directCause(l, p)
	}
	// What its Service leads to, in the same packets.
	behind := p
	behind.Via, behind.Host = vantage.ViaHost, s.HostIP
	if p.At == InPod {
		behind.Via, behind.Host = vantage.ViaPod, e.f.Pods[s.ID]
	}
	direct := l.state(behind.target())
	switch {
	case refused && direct == vantage.PortOpen:
		return because(NoEndpoint, "the %s itself accepts on that port: the Service has no endpoint for it there", p.At)
	case refused:
		return e.notListening(s, p)
	case lost(direct):
		return e.directCause(l, behind)
	case reached(direct):
		return e.serviceCause(l, p)
	}
	return nil
}

// rejected: the pod's gate hears connections at that port, and these are refused.
func (e evidence) rejected(p Path) *Cause {
	for _, o := range e.looks {
		if o.state(p.target()) == vantage.PortOpen {
			return because(Rejected, "something in the pod listens there, and %s reaches it: a firewall or a NetworkPolicy rejects connections from here", o.from)
		}
	}
	return because(Rejected, "something in the pod listens there, as its gate says: a firewall or a NetworkPolicy rejects connections")
}

// notListening: the server serves, and refuses there.
func (e evidence) notListening(s migration.ServerRecord, p Path) *Cause {
	own := slices.IndexFunc(e.looks, func(l look) bool { return l.from.Place == OnHost && l.from.Server.Is(s.ID) && l.unusable == "" })
	if own < 0 || e.looks[own].report == nil || e.looks[own].report.Listening == nil || p.At == InPod {
		return nil
	}
	for _, on := range e.looks[own].report.Listening {
		switch {
		case on.Port != p.Number:
		case on.All != nil && !*on.All:
			return because(OneAddress, "the host's own report says that its server listens there on one address only")
		default:
			return nil
		}
	}
	return because(WrongPort, "the host's own report says that nothing listens on that port: is it the right one?")
}

// serviceCause: the Service is lost, and what it leads to is reached.
func (e evidence) serviceCause(l look, p Path) *Cause {
	if l.report == nil {
		return e.nodeCause(l, p)
	}
	other, same := e.services(l, p)
	k := l.report.Kubernetes
	idle := k.Processes != nil && !slices.ContainsFunc(k.Processes, keepsRules)
	direct := fmt.Sprintf("it reaches the %s directly", p.At)
	switch {
	case same:
		return because(ServiceRules, "%s, and other ports of the same Service: the Service lacks that port there, or something drops it", direct)
	case k.Rules == nil && idle && !other:
		return because(NoKubeProxy, "%s, and no kube-proxy runs there: run it, or route the Services' range to the cluster's nodes", direct)
	case k.Rules == nil && l.report.UID != nil && *l.report.UID == 0:
		return because(ServiceRules, "%s; whether it has kube-proxy's rules could not be seen: iptables or nft is missing there", direct)
	case k.Rules == nil:
		return because(ServiceRules, "%s; whether it has kube-proxy's rules was not seen: run the script as root", direct)
	case !*k.Rules && !other:
		return e.noRules(l, p, direct)
	case *k.Rules && idle:
		return because(StaleRules, "%s, and has rules of kube-proxy that no program keeps up to date: kube-proxy does not run there", direct)
	case other:
		return because(ServiceRules, "%s, and other Services: the rules for this Service are missing or old, or something drops its address", direct)
	}
	return because(ServiceRules, "%s, and has rules of kube-proxy, and reaches no Service: kube-proxy hangs, or a firewall drops the Services' range", direct)
}

// noRules: nothing there translates a Service's address.
func (e evidence) noRules(l look, p Path, direct string) *Cause {
	sent := ""
	if r, _ := l.report.Path(p.target()); r.Gateway() != "" {
		sent = ", and sends Services' addresses to " + r.Gateway()
	}
	for _, o := range e.looks {
		if o.report == nil || o.report.Kubernetes.Rules == nil || *o.report.Kubernetes.Rules {
			continue
		}
		if other, same := e.services(o, p); other || same {
			return because(RangeNotRouted, "%s, and has no rules of kube-proxy%s; %s has none either and reaches Services: their range is routed there, and not here", direct, sent, o.from)
		}
	}
	return because(NoKubeProxy, "%s, and has no rules of kube-proxy%s: run kube-proxy there, or route the Services' range to the cluster's nodes", direct, sent)
}

// services reports whether the vantage point reaches another Service, and another port of this one.
func (e evidence) services(l look, p Path) (other, same bool) {
	for _, s := range e.f.Servers {
		for _, port := range s.Ports() {
			t := vantage.Target{Server: s.ID, Via: vantage.ViaService, Host: s.ClusterIP, Port: port.Number}
			// A Service without endpoints is refused by kube-proxy.
			if l.state(t) == vantage.PortOpen {
				other, same = other || s.ID != p.To, same || s.ID == p.To
			}
		}
	}
	return other, same
}

func keepsRules(process string) bool { return process != "kubelet" && process != "flanneld" }

// nodeCause: a pod does not reach a Service, and reaches what it leads to.
func (e evidence) nodeCause(l look, p Path) *Cause {
	for _, o := range e.looks {
		if _, same := e.services(o, p); same && o.from.Place == InPod && o.from.Node != l.from.Node {
			return because(ThisMachine, "it reaches the %s directly, and pods on node %s reach the Service: look at kube-proxy on node %s", p.At, o.from.Node, l.from.Node)
		}
	}
	return because(ServiceRules, "it reaches the %s directly: look at kube-proxy on node %s, and at NetworkPolicies that allow the one and not the other", p.At, l.from.Node)
}

// directCause: the host or the pod itself is lost.
func (e evidence) directCause(l look, p Path) *Cause {
	var hosts, pods []string
	for _, o := range e.looks {
		switch {
		case !reached(o.state(p.target())):
		case o.from.Place == InPod:
			pods = append(pods, o.from.String())
		default:
			hosts = append(hosts, o.from.String())
		}
	}
	port := "a firewall drops that port"
	if l.from.Place == InPod || p.Via == vantage.ViaPod {
		port = "a firewall or a NetworkPolicy drops that port"
	}
	for _, q := range e.f.server(p.To).Ports() {
		t := p.target()
		t.Port = q.Number
		if reached(l.state(t)) {
			return because(Firewall, "it reaches port %d of the same address: %s", q.Number, port)
		}
	}
	inPod := l.from.Place == InPod
	switch {
	case inPod && len(hosts) > 0 && len(pods) == 0:
		return because(NetworkPolicy, "%s reaches the same, and no pod does: a NetworkPolicy on the pods, or a firewall that does not let the pods' addresses in", hosts[0])
	case !inPod && p.Via == vantage.ViaPod && len(pods) > 0 && len(hosts) == 0:
		return because(NetworkPolicy, "%s reaches the same, and no machine outside of the cluster does: the pods' range is not routed to them, or a NetworkPolicy does not let them in", pods[0])
	case len(hosts)+len(pods) > 0:
		return because(ThisMachine, "%s reaches the same: a firewall or a route between here and there", append(hosts, pods...)[0])
	case e.tried(p) > 1:
		return because(Nobody, "none of %d who tried reaches it: it is down, or a firewall stands before it", e.tried(p))
	}
	return nil
}

// tried counts who has tried the same.
func (e evidence) tried(p Path) (n int) {
	for _, l := range e.looks {
		if s := l.state(p.target()); lost(s) || reached(s) {
			n++
		}
	}
	return n
}
