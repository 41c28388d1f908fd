package faults

import (
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
)

// outage is a time without an API server.
type outage struct {
	began time.Time
	// had is how many writes the client had got acknowledged by then.
	had int
}

// outageLasts is how long the API server is away. The time is the fault: it is
// longer than any command holds its lock without renewing it.
const outageLasts = time.Minute

func apiServerGone(name, what string, when migration.StepID) Fault {
	return Fault{
		Name: name, What: what,
		Version: Unguarded, From: OnHost, When: when, Alone: true,
		Trigger: func(g *Stage) { g.APIServerDies() },
		Verdict: Verdict{Exit: 4, Says: "the lock was lost, the API server did not answer in time", Next: "status {name}"},
		Way:     "ZooKeeper and its clients go on. The command cannot renew its lock and ends, nothing is decided on half a view. When the API server is back, run the same command again.",
		Recover: func(g *Stage) {
			g.APIServerReturns()
			g.Follow()
			g.Ends()
			g.Again()
		},
		After: InPod,
	}
}

// controllersGone takes the one away that the tool waits for when it points a
// Service to a pod.
func controllersGone(name, way string, after Place, recover func(*Stage)) Fault {
	return Fault{
		Name: name, What: "kube-controller-manager dies after the server was stopped on its host: nobody writes the slice that the Service's selector asks for.",
		Version: Unguarded, From: OnHost, When: migration.StepStopHost, Alone: true,
		Trigger: func(g *Stage) {
			g.T.Cleanup(func() { g.daemon("start", controllers) })
			g.daemon("kill", controllers)
		},
		Verdict: Verdict{Code: migration.CodeAdoptPending, Exit: Waits, Says: "the endpointslice controller shows nothing", Next: "an administrator restarts it"},
		Way:     way, Recover: recover, After: after,
	}
}

// controllers is the daemon that runs the endpointslice controller.
const controllers = "kube-controller-manager"

// daemon kills or starts one of the control plane, also when the test is over:
// the next fault needs it.
func (g *Stage) daemon(verb, name string) {
	g.T.Helper()
	if _, err := labkit.Must(g.Lab.Zklab(afterwards(g.T), "daemon", verb, name)); err != nil {
		g.T.Errorf("%s %s: %v", verb, name, err)
	}
}

// APIServerDies kills the API server.
func (g *Stage) APIServerDies() {
	g.T.Helper()
	g.outage = &outage{began: time.Now(), had: g.Acknowledged()}
	g.T.Cleanup(func() { g.daemon("start", "kube-apiserver") })
	g.daemon("kill", "kube-apiserver")
}

// APIServerReturns starts it when it has been away for its minute, in which
// clients must have gone on writing.
func (g *Stage) APIServerReturns() {
	g.T.Helper()
	select {
	case <-time.After(time.Until(g.outage.began.Add(outageLasts))):
	case <-g.T.Context().Done():
	}
	if now := g.Acknowledged(); now == g.outage.had {
		g.T.Errorf("%d writes acknowledged, no more than %s ago", now, outageLasts)
	} else {
		g.T.Logf("%d writes acknowledged while the API server was away", now-g.outage.had)
	}
	g.daemon("start", "kube-apiserver")
}
