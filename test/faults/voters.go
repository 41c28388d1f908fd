package faults

import "github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"

// lonely cuts the pod off from its leader before it is released, and lets the
// command release it: ZooKeeper runs in the pod and stays empty.
func (g *Stage) lonely() {
	g.T.Helper()
	g.CutPod(2888)
	g.GoOn(migration.StepRelease)
	g.GateSays("state=started")
}

// stoppedAtOnce is why an abort leaves the Service without an address. Moving it
// first takes writes and a second for the controllers, and the empty member
// would vote meanwhile; a slice made by hand could only repeat the address of
// the pod that is going, and goes with it.
const stoppedAtOnce = "the pod is stopped at once, before its address can move: there is none for the seconds until its successor, parked, has one; `revert` moves it"

// voters are faults of the other servers: who stays must hold everything.
func voters() []Fault {
	return []Fault{
		{
			Name: "voter-dies-after-stop", Core: true, What: "Another voter dies right after the server was stopped on its host.",
			Version: Unguarded, From: OnHost, When: migration.StepStopHost,
			Trigger: func(g *Stage) { g.OnHost(g.Other, "stop") },
			Verdict: Verdict{Code: migration.CodeDegraded, Exit: Waits, Says: "not every other voter is in sync; nothing is released", Next: "revert {name} --id={id}"},
			Way:     "`revert`, as printed: the host's server has all its data, and with it there is a quorum again, without the dead voter. Then the dead voter is brought back.",
			Recover: func(g *Stage) {
				g.Follow()
				g.Ends()
				g.OnHost(g.Other, "start")
			},
			After: OnHost,
		},
		{
			Name: "voter-dies-before-sync-unguarded", What: "Another voter dies while the pod is still empty, on a ZooKeeper that lets empty servers vote.",
			Version: Unguarded, From: OnHost, When: migration.StepDropBridge,
			Trigger: func(g *Stage) { g.lonely(); g.OnHost(g.Other, "stop") },
			Verdict: Verdict{Code: migration.CodeAborted, Exit: 4, Says: "another voter dropped while server {id} was still empty", Next: "revert {name} --id={id}"},
			Way:     "The tool has closed the gate and stopped the pod. `revert`, as printed: the pod never synced, so the host starts at once and there is a quorum again. Then the dead voter is brought back.",
			Recover: func(g *Stage) {
				g.Follow()
				g.Ends()
				g.OnHost(g.Other, "start")
				g.Heal()
			},
			After:     OnHost,
			NoAddress: stoppedAtOnce,
		},
		{
			Name: "voter-dies-before-sync-guarded", Core: true, What: "The same on a ZooKeeper whose empty servers do not vote (3.6 and later).",
			Version: Guarded, From: OnHost, When: migration.StepDropBridge,
			Trigger: func(g *Stage) { g.lonely(); g.OnHost(g.Other, "stop") },
			Verdict: Verdict{Code: migration.CodeJoining, Exit: Waits, Says: "is not serving yet", Next: "kubectl logs {pod} -n {name}"},
			Way:     "There is no quorum until a voter with data is back: bring it back; the command goes on by itself.",
			Recover: func(g *Stage) {
				g.Heal()
				g.OnHost(g.Other, "start")
				g.Ends()
			},
			After: InPod,
		},
		{
			Name: "leader-dies-before-stop", What: "The leader dies after the first proof, before the server is stopped.",
			Version: Unguarded, From: OnHost, When: migration.StepProveBefore,
			Trigger: func(g *Stage) { g.OnHost(g.Leader, "stop") },
			Verdict: Verdict{Code: migration.CodeDegraded, Exit: Waits, Says: "not every server is in sync; nothing has been stopped", Next: ""},
			Way:     "Bring it back; the command proves anew in the new epoch and goes on.",
			Recover: func(g *Stage) {
				g.OnHost(g.Leader, "start")
				g.Ends()
			},
			After: InPod,
		},
		{
			Name: "election-before-stop", What: "The leader restarts, and with it an election happens, between the first proof and the stop.",
			Version: Guarded, From: OnHost, When: migration.StepNoteBefore,
			Trigger: func(g *Stage) { g.newEpoch(); g.Restart() },
			Verdict: Verdict{Exit: Goes, Says: "commit a canary write (all servers take part in epoch"},
			Way:     "Nothing: the proof is made again in the new epoch before the stop.",
			Recover: func(*Stage) {},
			After:   InPod,
		},
		{
			Name: "leader-dies-after-stop", What: "The leader dies between the stop and the second proof.",
			Version: Unguarded, From: OnHost, When: migration.StepStopHost,
			Trigger: func(g *Stage) { g.OnHost(g.Leader, "stop") },
			Verdict: Verdict{Code: migration.CodeDegraded, Exit: Waits, Says: "not every other voter is in sync; nothing is released", Next: "revert {name} --id={id}"},
			Way:     "`revert`, as printed: the host's server and the one that is left elect a leader. Then the dead one is brought back.",
			Recover: func(g *Stage) {
				g.Follow()
				g.Ends()
				g.OnHost(g.Leader, "start")
			},
			After: OnHost,
		},
		{
			Name: "election-after-stop", What: "An election happens between the stop and the second proof: the first one no longer counts.",
			Version: Unguarded, From: OnHost, When: migration.StepStopHost,
			Trigger: func(g *Stage) { g.newEpochOfTwo() },
			Verdict: Verdict{Code: migration.CodeElectionSinceProof, Exit: 4, Says: "an election happened between the proofs", Next: "revert {name} --id={id}"},
			Way:     "`revert`, as printed, then `replace` again.",
			Recover: func(g *Stage) {
				g.Follow()
				g.Ends()
				g.Again()
			},
			After: InPod,
		},
		{
			Name: "leader-dies-before-sync-unguarded", What: "The leader dies while the pod is still empty, on a ZooKeeper that lets empty servers vote.",
			Version: Unguarded, From: OnHost, When: migration.StepDropBridge,
			Trigger: func(g *Stage) { g.lonely(); g.OnHost(g.Leader, "stop") },
			Verdict: Verdict{Code: migration.CodeAborted, Exit: 4, Says: "another voter dropped while server {id} was still empty", Next: "revert {name} --id={id}"},
			Way:     "The tool has closed the gate and stopped the pod. `revert`, as printed: the host starts at once, and with it the one that is left has a quorum. Then the old leader is brought back.",
			Recover: func(g *Stage) {
				g.Follow()
				g.Ends()
				g.OnHost(g.Leader, "start")
				g.Heal()
			},
			After:     OnHost,
			NoAddress: stoppedAtOnce,
		},
		{
			Name: "leader-dies-before-sync-guarded", What: "The leader dies while the pod is still empty, on 3.6 and later.",
			Version: Guarded, From: OnHost, When: migration.StepDropBridge,
			Trigger: func(g *Stage) { g.lonely(); g.OnHost(g.Leader, "stop") },
			Verdict: Verdict{Code: migration.CodeJoining, Exit: Waits, Says: "is not serving yet", Next: "kubectl logs {pod} -n {name}"},
			Way:     "Bring it back; the command goes on by itself.",
			Recover: func(g *Stage) {
				g.Heal()
				g.OnHost(g.Leader, "start")
				g.Ends()
			},
			After: InPod,
		},
	}
}
