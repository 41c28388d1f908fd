package faults

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// power are faults of hosts that lose what was not on their disks.
func power() []Fault {
	lost := func(name, version, what, way string, back func(*Stage)) Fault {
		return Fault{
			Name: name, What: what,
			Version: version, From: OnHost, When: migration.StepDropBridge,
			Prepare: (*Stage).onDisks,
			Trigger: func(g *Stage) {
				g.lonely()
				g.cutPower()
				g.Heal()
				back(g)
				g.takePart(g.IDs...)
				for _, d := range g.disks {
					d.holds()
				}
				g.Restart() // one that stood still for so long may have lost its lock
			},
			Verdict: Verdict{Exit: Goes, Says: okay(migration.StepProveJoined)},
			Way:     way,
			Recover: func(*Stage) {},
			After:   InPod,
		}
	}
	return []Fault{
		lost("power-cut-after-release", Guarded,
			"Both other machines lose their power right after the gate was opened, while the server in the pod is still empty, and so does the operator's: what was not on their disks is gone.",
			"Power, and the same command: with three voters both have acknowledged the second proof, and what a server acknowledges is on its disk.",
			func(g *Stage) {
				for _, d := range g.disks {
					d.boot()
				}
			}),
		lost("power-cut-after-release-unguarded", Unguarded,
			"The same on a ZooKeeper that lets empty servers vote. The power comes back at one of the two first, which goes on with the empty server.",
			"Power, and the same command: either of the two has on its disk whatever was acknowledged.",
			func(g *Stage) {
				for _, d := range g.disks { // the leader's is the last
					d.boot()
					g.takePart(d.id, g.ID)
				}
			}),
	}
}

// onDisks moves the data of the hosts that stay onto disks of their own, and has one of
// them lead.
func (g *Stage) onDisks() {
	g.T.Helper()
	for _, id := range []int{g.Other, g.Leader} {
		g.disks = append(g.disks, g.putOnDisk(id))
	}
	if g.Status().Leader == g.ID { // the leader goes last
		g.OnHost(g.ID, "restart")
		g.takePart(g.IDs...)
	}
	if g.Leader = g.Status().Leader; g.disks[0].id == g.Leader {
		slices.Reverse(g.disks)
	}
	g.Other = g.disks[0].id
	if g.Version == Unguarded {
		// A server of 3.4 that had missed much has acknowledged a snapshot that the kernel
		// has not written yet (ZOOKEEPER-2872); it does so within half a minute.
		for _, d := range g.disks {
			d.flush()
		}
	}
}

// cutPower takes the power from both, and finds the second proof on either disk.
func (g *Stage) cutPower() {
	g.T.Helper()
	proof := g.secondProof()
	powerCut(g.disks...)
	for _, d := range g.disks {
		if !d.logged(proof) {
			g.T.Errorf("the second proof, %s, is not on the disk of server %d", proof, d.id)
		}
	}
}

// secondProof is the canary that the others have committed without the server in
// question.
func (g *Stage) secondProof() ensemble.Zxid {
	g.T.Helper()
	var rec migration.Record
	if err := json.Unmarshal([]byte(g.journal()), &rec); err != nil {
		g.T.Fatal(err)
	}
	if rec.Flight == nil || rec.Flight.After == nil {
		g.T.Fatal("the journal knows no second proof")
	}
	return rec.Flight.After.Zxid
}

// takePart waits until all these follow or lead.
func (g *Stage) takePart(ids ...int) {
	g.T.Helper()
	scene.Eventually(g.T, fmt.Sprintf("servers %v take part", ids), func() error {
		mode := map[int]string{}
		for _, s := range g.Status().Servers {
			mode[s.ID] = s.Mode
		}
		for _, id := range ids {
			if m := mode[id]; m != string(ensemble.Leader) && m != string(ensemble.Follower) {
				return fmt.Errorf("server %d is %q", id, m)
			}
		}
		return nil
	})
}
