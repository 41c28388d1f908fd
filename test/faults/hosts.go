package faults

import "github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"

// hosts are faults of the machine that is left, and of who works on it.
func hosts() []Fault {
	return []Fault{
		{
			Name: "host-back-before-flip", What: "A reboot or a supervisor starts the host's server again after it was seen dead, before the address has moved.",
			Version: Guarded, From: OnHost, When: migration.StepNoteAfter,
			Trigger: func(g *Stage) { g.Returns(g.ID); g.Restart() },
			Verdict: Verdict{Exit: Goes, Says: "forget the proofs, the host's server came back"},
			Way:     "Nothing: it is masked, proven and stopped again.",
			Recover: func(*Stage) {},
			After:   InPod,
		},
		{
			Name: "host-back-before-release", What: "The same after the address has moved to the pod, before the gate is opened.",
			Version: Unguarded, From: OnHost, When: migration.StepDropBridge,
			Trigger: func(g *Stage) { g.Returns(g.ID); g.Restart() },
			Verdict: Verdict{Code: migration.CodeHostReturned, Exit: 4, Says: "is up again after its address was moved to the pod; the gate is closed", Next: "revert {name} --id={id}"},
			Way:     "`revert`, as printed: the address goes back to the host.",
			Recover: func(g *Stage) { g.Follow(); g.Ends() },
			After:   OnHost,
		},
		{
			Name: "host-back-while-joining", What: "The host's server starts again while ZooKeeper in the pod joins: two processes with one id.",
			Version: Guarded, From: OnHost, When: migration.StepDropBridge,
			Trigger: func(g *Stage) { g.lonely(); g.Returns(g.ID) },
			Verdict: Verdict{Code: migration.CodeAborted, Exit: 4, Says: "came back while its pod was joining: two processes with one id", Next: "revert {name} --id={id}"},
			Way:     "The tool has stopped the pod. `revert`, as printed, asks for the host's server to be stopped first; then `revert` again.",
			Recover: func(g *Stage) {
				g.Follow()
				g.Stopped(4, migration.CodeGhostHost)
				g.Follow()
				g.Begin("revert", g.Name, g.fill("--id={id}"))
				g.Ends()
				g.Heal()
			},
			After:     OnHost,
			NoAddress: stoppedAtOnce,
		},
		{
			Name: "host-back-after", Core: true, What: "The host's server starts again beside its pod, after the replacement.",
			Version: Unguarded, From: InPod, Command: []string{"replace", "{name}", "--id={other}"},
			Trigger: func(g *Stage) { g.Returns(g.ID) },
			Verdict: Verdict{Code: migration.CodeGhostHost, Exit: 3, Says: "something answers at its old host {host} again: two processes with one id", Next: "on host {host}: stop the server and mask its unit"},
			Way:     "Stop and mask it, as printed. Nothing else is replaced before.",
			Recover: func(g *Stage) { g.Follow() },
			After:   InPod,
		},
		{
			Name: "host-never-stops", What: "The stop is acknowledged and does nothing.",
			Version: Guarded, From: OnHost,
			Hook:    `[ "$ZKMIGRATE_ACTION" = stop ] && exit 0; exec {zklab}`,
			Trigger: func(*Stage) {},
			Verdict: Verdict{Code: migration.CodeHostStillUp, Exit: Waits, Says: "the server on host {host} still answers", Next: "on host {host}: stop the server"},
			Way:     "Stop it on the host, as printed; the command sees it and goes on.",
			Recover: func(g *Stage) { g.Follow(); g.Ends() },
			After:   InPod,
		},
		{
			Name: "wrong-host-stopped", What: "Another server is stopped instead of the one that was named.",
			Version: Unguarded, From: OnHost,
			Hook: `[ "$ZKMIGRATE_ACTION" = stop ] && [ ! -e "$0.done" ] && touch "$0.done" && export ZKMIGRATE_ID="$(cat "$0.id")" ZKMIGRATE_HOST="$(cat "$0.host")"; exec {zklab}`,
			Trigger: func(g *Stage) {
				g.write("hook.sh.id", g.fill("{other}"))
				g.write("hook.sh.host", g.Host(g.Other).Address)
			},
			Verdict: Verdict{Code: migration.CodeDegraded, Exit: Waits, Says: "not every server is in sync; nothing has been stopped", Next: "on host {host}: do not stop the server now, the others cannot spare it"},
			Way:     "Start the wrong one again; the command asks for the right one.",
			Recover: func(g *Stage) { g.OnHost(g.Other, "start"); g.Ends() },
			After:   InPod,
		},
		{
			Name: "stopped-too-early", What: "The server is stopped by hand after the command has begun, before anything was proved.",
			Version: Guarded, From: OnHost, When: migration.StepMaskHost,
			Trigger: func(g *Stage) { g.OnHost(g.ID, "stop") },
			Verdict: Verdict{Code: migration.CodeStoppedTooEarly, Exit: Waits, Says: "is down before the proof that all others hold its writes", Next: "on host {host}: unmask and start the server again; this command waits for it"},
			Way:     "Unmask and start it again, as printed; the command masks and proves anew, and goes on.",
			Recover: func(g *Stage) { g.Follow(); g.Ends() },
			After:   InPod,
		},
		{
			Name: "host-silent", Core: true, What: "The host's network is gone after the stop: whether it is dead cannot be seen.",
			Version: Unguarded, From: OnHost, When: migration.StepStopHost,
			Trigger: func(g *Stage) { g.disturb("drop", g.fill("{name}/{id}")) },
			Verdict: Verdict{Code: migration.CodeHostSilent, Exit: Waits, Says: "host {host} is silent", Next: "bring the machine or the network back"},
			Way:     "Bring the network back, as printed; the command goes on.",
			Recover: func(g *Stage) { g.Zklab("net", "heal", g.fill("{name}/{id}")); g.Ends() },
			After:   InPod,
		},
	}
}
