package faults

import (
	"fmt"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// paths are those between the parked pod and the other servers. Each is missed before the
// host is stopped, and found again when it is there.
func paths() []Fault {
	missing := func(f Fault, heal func(*Stage), says string) Fault {
		f.From, f.After = OnHost, InPod
		f.Verdict = Verdict{
			Code: migration.CodePathMissing, Exit: Waits, Says: says,
			Next: "(a NetworkPolicy, a firewall, a route back to the pods' range), which this command waits for; or take it back: kubectl zkmigrate revert {name} --id={id} -n {name}",
		}
		f.Way = "Nothing has been stopped. Open the paths that are listed: the command tries them again and goes on."
		f.Recover = func(g *Stage) { heal(g); g.Ends() }
		return f
	}
	other := func(g *Stage) string { return fmt.Sprintf("%s/%d", g.Name, g.Other) }
	healOther := func(g *Stage) { g.Zklab("net", "heal", other(g)) }
	return []Fault{
		missing(Fault{
			Name: "election-port-not-reached", Core: true, What: "Another server's host does not reach the pod's election port; all else is open.", Version: Guarded,
			Trigger: func(g *Stage) {
				g.Parked()
				g.disturb("drop", other(g), "--port", "3888", "--to", g.Pod().Status.PodIP)
			},
		}, healOther, "of server {other} to pod {pod}, port 3888: silent"),
		missing(Fault{
			Name: "peer-port-not-reached", What: "Another server's host does not reach the pod's peer port: the pod could join, and never lead.", Version: Unguarded,
			Trigger: func(g *Stage) {
				g.Parked()
				g.disturb("drop", other(g), "--port", "2888", "--to", g.Pod().Status.PodIP)
			},
		}, healOther, "of server {other} to pod {pod}, port 2888: silent"),
		missing(Fault{
			Name: "pod-rejected", What: "A firewall on another server's host resets what goes to the pod.", Version: Guarded,
			Trigger: func(g *Stage) {
				g.Parked()
				g.disturb("refuse", other(g), "--to", g.Pod().Status.PodIP)
				g.Tells(3, g.asksHosts(), []string{"NET004", "something in the pod listens there", "rejects connections"}, nil)
			},
		}, healOther, "of server {other} to pod {pod}, port 3888: closed"),
		missing(Fault{
			Name: "pod-without-egress", What: "A NetworkPolicy lets the pod reach nobody (played by a packet filter on its node).", Version: Unguarded,
			Trigger: func(g *Stage) { g.Parked(); g.CutPod(3888) },
		}, (*Stage).Heal, "from pod {pod} to host"),
		missing(Fault{
			Name: "no-route-to-pods", Core: true, What: "Another server's host has no route to the pods' range.", Version: Unguarded,
			Trigger: func(g *Stage) { g.Parked(); g.Unroute(g.Other) },
		}, func(g *Stage) { g.Reroute(g.Other) }, "of server {other} to pod {pod}, port 3888: unreachable"),
		missing(Fault{
			Name: "default-deny", Core: true, What: "A default-deny NetworkPolicy isolates the pod: it reaches nobody, and nobody reaches it (played by packet filters on its node).", Version: Guarded,
			Trigger: func(g *Stage) { g.Parked(); g.isolate() },
		}, (*Stage).Heal, "of server {other} to pod {pod}, port 3888: silent"),
		{
			Name: "masqueraded-pods", Core: true, What: "What pods send leaves their nodes with the nodes' addresses: masqueraded, as in most clusters whose pods' range nobody else routes.",
			Version: Guarded, From: OnHost,
			Trigger: func(g *Stage) {
				g.Parked()
				g.masquerade("!", "-d", podRange)
				g.seenAs(g.Host(g.Other).Address, nodeOf)
			},
			Verdict: Verdict{Exit: Goes, Says: "is in sync in pod"},
			Way:     "Nothing: servers find each other by the addresses of their list, not by where a connection comes from. To a server on its host all pods of a node are one client, before the wrap and after it.",
			Recover: (*Stage).unmasquerade,
			After:   InPod,
		},
		{
			Name: "masqueraded-services", What: "What pods send to Services leaves their nodes with the nodes' addresses (kube-proxy's masqueradeAll), and what they send to hosts does not.",
			Version: Guarded, From: OnHost, Command: []string{"check", "{name}", "--from-pods"},
			Trigger: func(g *Stage) {
				g.Parked()
				g.masquerade("-m", "conntrack", "--ctorigdst", serviceRange)
				g.seenAs(g.clusterIP(g.Other), nodeOf)
				g.seenAs(g.Host(g.Other).Address, podOf)
				g.Unpark() // pods that are made for the check have no server's address
			},
			Verdict: Verdict{Exit: Goes, Says: "through Services, ZooKeeper sees pod {name}-probe-1 on node", Next: "raise maxClientCnxns on all servers before clients move"},
			Way:     "A warning (NET009), which says how many connections each server has of those that will count as one client. Raise maxClientCnxns, or have Services' addresses translated without masquerading, before clients move.",
			Recover: (*Stage).unmasquerade,
			After:   OnHost,
		},
		{
			Name: "name-of-the-old-address", What: "The server lines have the Services' names, and another server's host resolves the server's to its host's address.",
			Version: Guarded, From: OnHost,
			Prepare: func(g *Stage) {
				g.Reconfigure("--address=dns")
				g.misname(g.Other, g.ID)
				g.Tells(3, g.asksHosts(), []string{"NET007", g.fill(oldAddress)}, nil)
			},
			Trigger: func(*Stage) {},
			Verdict: Verdict{Exit: 3, Says: oldAddress, Next: "let hosts resolve the cluster's domain, for instance by forwarding it to the cluster's DNS, or use the addresses: reconfigure --address=ip"},
			Way:     "Nothing was changed. Correct the host's DNS, have the hosts asked again (`check --host-hook`), and the same command goes on.",
			Recover: func(g *Stage) {
				g.Zklab("net", "heal", fmt.Sprintf("%s/%d", g.Name, g.Other))
				g.Tells(0, g.asksHosts(), nil, []string{g.fill(oldAddress)})
				g.Again()
				g.Revert(g.ID)
				g.Reconfigure("--address=ip")
			},
			After: OnHost,
		},
		{
			Name: "host-without-kube-proxy", Test: "TestHostWithoutKubeProxy", What: "A host runs no kube-proxy and has none of its rules: it reaches no Service.",
			Version: Unguarded, From: Wrapped, Command: reconfigure(),
			Verdict: Verdict{
				Code: migration.CodePathMissing, Exit: Waits, Says: "and the other servers are missing; nothing has been stopped",
				Next: "open these paths (is kube-proxy running on that host, or the Services' range routed? a firewall?), which this command waits for; no file has been changed",
			},
			Way:   "No file has been changed and nothing was stopped. Run kube-proxy there, or route the Services' range: the command tries again and goes on.",
			After: OnHost,
		},
		{
			Name: "streams-cut", Test: "TestStreamsThatAreCut", What: "A load balancer before the API server ends every stream through a pod after seconds, in the middle of whatever is said (`--probe-via=pod`).",
			Version: Guarded, From: OnHost,
			Verdict: Verdict{Exit: Goes, Says: "runs in pod"},
			Way:     "Nothing: a stream that breaks tells nothing of anybody. It is opened again, what was not answered is asked again, and the command goes on; so does `revert`.",
			After:   InPod,
		},
		{
			Name: "kube-proxy-nftables", Test: "TestMigration", Run: "make test-nftables", What: "Every kube-proxy, on nodes, hosts and clients' machines, works in nftables mode; all other rows are played in iptables mode.",
			Version: Guarded, From: OnHost,
			Verdict: Verdict{Exit: Goes, Says: "runs in pod"},
			Way:     "Nothing: what a host is asked finds the rules of both modes.",
			After:   InPod,
		},
	}
}

// oldAddress is what a host says of a name that leads to the server's host.
const oldAddress = "of server {id}: it leads to {host} (expected"
