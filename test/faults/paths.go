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
			Trigger: func(g *Stage) { g.Parked(); g.disturb("refuse", other(g), "--to", g.Pod().Status.PodIP) },
		}, healOther, "of server {other} to pod {pod}, port 3888: closed"),
		missing(Fault{
			Name: "pod-without-egress", What: "A NetworkPolicy lets the pod reach nobody (played by a packet filter on its node).", Version: Unguarded,
			Trigger: func(g *Stage) { g.Parked(); g.CutPod(3888) },
		}, (*Stage).Heal, "from pod {pod} to host"),
		missing(Fault{
			Name: "no-route-to-pods", Core: true, What: "Another server's host has no route to the pods' range.", Version: Unguarded,
			Trigger: func(g *Stage) { g.Parked(); g.Unroute(g.Other) },
		}, func(g *Stage) { g.Reroute(g.Other) }, "of server {other} to pod {pod}, port 3888: unreachable"),
	}
}
