package faults

import (
	"fmt"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// back are faults of the others while a server is on its way back to its host:
// its pod has stopped, and nothing may start on the host without their proof.
func back() []Fault {
	waits := Verdict{
		Code: migration.CodeDegraded, Exit: Waits, Says: "not every other voter is in sync; nothing is released",
		Next: "take server {id} into its pod again, whose data is complete: kubectl zkmigrate replace {name} --id={id}",
	}
	return []Fault{
		{
			Name: "forged-report", Core: true, What: "A client that has not authenticated makes the server in the pod log a line that reads as its gate's report: parked, host dead, and of a generation far ahead.",
			Version: Unguarded, From: InPod, Command: []string{"revert", "{name}", "--id={id}"},
			Trigger: func(g *Stage) { g.Forge() },
			Verdict: Verdict{Exit: Goes, Says: "ok    " + migration.StepByID(migration.StepDeletePod).Title},
			Way:     "Nothing: reports are read from a container that no client reaches, so the pod is still deleted before the host starts.",
			Recover: func(*Stage) {},
			After:   OnHost,
		},
		{
			Name: "voter-dies-on-the-way-back", What: "Another voter dies after the pod was stopped and before its host's server may start.",
			Version: Unguarded, From: InPod, Command: []string{"revert", "{name}", "--id={id}"}, When: migration.StepDeletePod,
			Trigger: func(g *Stage) { g.OnHost(g.Other, "stop") },
			Verdict: waits,
			Way:     "Bring it back; the command goes on. Or `replace`, as printed: the pod starts again from its own data, and with it there is a quorum before the other is back.",
			Recover: func(g *Stage) {
				g.Follow()
				g.PodServes()
				g.OnHost(g.Other, "start")
				g.Ends()
			},
			After: InPod,
		},
		{
			Name: "volume-lost-on-the-way-back", What: "The same, and the other voter, in its pod, has lost its volume: it will not come back by itself.",
			Version: Unguarded, From: InPod,
			Trigger: func(g *Stage) {
				g.Replace(0, fmt.Sprintf("--id=%d", g.Other))
				g.Begin("revert", g.Name, fmt.Sprintf("--id=%d", g.ID))
				g.hold(migration.StepDeletePod)
				g.other().LoseVolume()
				g.resume()
			},
			Verdict: waits,
			Way:     "`replace`, as printed: the pod starts again from its own data. Then `replace` of the one that lost its volume: it begins from empty.",
			Recover: func(g *Stage) {
				g.Follow()
				g.Ends()
				g.Replace(0, fmt.Sprintf("--id=%d", g.Other))
			},
			After: InPod, NoAddress: podGone,
		},
	}
}

// other is the same stage with the other server in question.
func (g *Stage) other() *Stage {
	o := *g
	o.ID, o.Other = g.Other, g.ID
	return &o
}

// PodServes waits until the server in question serves in its pod, whoever else
// is away.
func (g *Stage) PodServes() {
	g.T.Helper()
	g.sees("ok    " + migration.StepByID(migration.StepProveJoined).Title)
}
