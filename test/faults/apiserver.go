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

// APIServerDies kills the API server.
func (g *Stage) APIServerDies() {
	g.T.Helper()
	g.outage = &outage{began: time.Now(), had: g.Acknowledged()}
	g.T.Cleanup(func() {
		// Also after a failure; the next fault needs it.
		_, _ = labkit.Must(g.Lab.Zklab(afterwards(g.T), "daemon", "start", "kube-apiserver"))
	})
	g.Zklab("daemon", "kill", "kube-apiserver")
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
	g.Zklab("daemon", "start", "kube-apiserver")
}
