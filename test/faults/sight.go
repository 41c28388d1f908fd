package faults

import (
	"fmt"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

const (
	// notSeen is what the rule that asks again for what was not seen says first.
	notSeen = "not every server is seen from here"
	// spell is how long nobody is seen in each phase, gap how long a server stands
	// still. The times are the faults.
	spell = 3 * time.Second
	gap   = 3 * time.Second
)

// two is what the tool says of two processes with one id.
const two = "two processes with one id"

// othersNotSeen is why a pod is not taken away.
const othersNotSeen = "not every other voter is seen from here; the pod goes on"

// partial are faults of the tool's own view: the servers are well, or somebody
// is not, and the machine that runs the command cannot see it.
func partial() []Fault {
	return []Fault{
		{
			Name: "unseen-before-restart", What: "The machine that runs `reconfigure --host-hook` reaches the API server and no ZooKeeper.",
			Version: Guarded, From: Wrapped, Sight: true, Command: reconfigure(),
			Trigger: func(g *Stage) { g.Blind(Dropped); g.still = g.Untouched() },
			Verdict: Verdict{Code: migration.CodeUnseen, Exit: 3, Says: notSeen, Next: "check {name}"},
			Way:     "Nothing has been restarted. Run the command where the servers can be reached, or open the way.",
			Recover: func(g *Stage) { g.still(); g.See(); g.Again() },
			After:   OnHost,
		},
		{
			Name: "first-look-lost", What: "The packets of a command's first look are lost, everybody being well.",
			Version: Guarded, From: OnHost, Sight: true,
			Trigger: func(g *Stage) {
				g.Blind(Dropped)
				g.Begin(g.command()...)
				g.sees("asking again")
				g.See()
			},
			Verdict: Verdict{Code: migration.CodeUnseen, Exit: Goes, Says: notSeen + "; asking again"},
			Way:     "Nothing: what was not seen is asked again, which the command says, and then it goes on.",
			Recover: func(*Stage) {},
			After:   InPod,
		},
		{
			Name: "unseen-in-every-phase-back", What: "In each phase of a revert, one after the other, nobody can be seen for some seconds: packets are lost, or something in between accepts every connection and never answers, or refuses every one in the name of live servers.",
			Version: Guarded, From: InPod, Sight: true,
			Trigger: func(g *Stage) { g.Disturbed(migration.Revert, 9, UnseenFor(spell, Blindnesses(), nobody)) },
			Verdict: Verdict{Exit: Goes, Says: "runs on its host"},
			Way:     "Nothing: the command says what it does not see and goes on when it does.",
			Recover: func(*Stage) {},
			After:   OnHost,
		},
		{
			Name: "unseen-one", What: "One server after the other cannot be seen from the machine that runs `replace`: another voter, the leader, the server in question itself.",
			Version: Guarded, From: OnHost, Sight: true,
			Trigger: func(g *Stage) {
				still := g.Untouched()
				for _, id := range []int{g.Other, g.Leader} {
					g.Blind(Dropped, id)
					g.Tells(3, g.command(), []string{unseenServer(id)}, nil)
					g.See()
				}
				g.Blind(Swallowed, g.ID)
				g.Begin(g.command()...)
				g.still = still
			},
			Verdict: Verdict{Code: migration.CodeUnseen, Exit: 3, Says: "server {id}: not seen", Next: "check {name}"},
			Way:     "Nothing has been stopped. Open the way to it; the same command goes on.",
			Recover: func(g *Stage) { g.still(); g.See(); g.Again() },
			After:   InPod,
		},
		{
			Name: "unseen", Core: true, What: "The machine that runs the commands reaches the API server and no ZooKeeper: packets are lost.",
			Version: Guarded, From: InPod, Sight: true, Command: []string{"revert", "{name}", "--id={id}"},
			Trigger: func(g *Stage) {
				g.Blind(Dropped)
				g.still = g.Untouched()
				g.looks(two)
				g.Tells(3, []string{"replace", g.Name, fmt.Sprintf("--id=%d", g.Other)}, []string{"[" + string(migration.CodeUnseen) + "]", notSeen}, nil)
			},
			Verdict: Verdict{Code: migration.CodeUnseen, Exit: Waits, Says: othersNotSeen, Next: "run it on a machine that reaches them"},
			Way:     "Nothing has been stopped, moved or closed; `replace` refuses. Open the way and the command goes on, or run the same one where the servers can be reached.",
			Recover: func(g *Stage) { g.still(); g.See(); g.Ends() },
			After:   OnHost,
		},
		{
			Name: "everything-accepted", Core: true, What: "Something in between accepts every connection of the machine that runs the commands, and never answers.",
			Version: Guarded, From: InPod, Sight: true, Command: []string{"revert", "{name}", "--id={id}"},
			Trigger: func(g *Stage) { g.Blind(Swallowed); g.still = g.Untouched(); g.looks(two) },
			Verdict: Verdict{Code: migration.CodeUnseen, Exit: Waits, Says: "something accepts connections at {host}, and no ZooKeeper answers there", Next: "on host {host}: see what listens"},
			Way:     "Nothing has been stopped: an accepted connection is not a server. Take the proxy out of the way; the command goes on.",
			Recover: func(g *Stage) { g.still(); g.See(); g.Ends() },
			After:   OnHost,
		},
		{
			Name: "everything-refused", Core: true, What: "Something in between refuses every connection in the name of live servers.",
			Version: Guarded, From: InPod, Sight: true, Command: []string{"revert", "{name}", "--id={id}"},
			Trigger: func(g *Stage) { g.Blind(Refused); g.still = g.Untouched(); g.looks(two) },
			Verdict: Verdict{Code: migration.CodeDegraded, Exit: Waits, Says: "not every other voter is in sync; the pod goes on"},
			Way:     "Nothing has been stopped: a refusal may come from somebody else. Take the proxy out of the way; the command goes on.",
			Recover: func(g *Stage) { g.still(); g.See(); g.Ends() },
			After:   OnHost,
		},
		{
			Name: "refused-in-its-name", What: "The stop is acknowledged and does nothing, and something in between refuses connections in the name of the host: to the command it looks dead.",
			Version: Guarded, From: OnHost, Sight: true, When: migration.StepStopHost,
			Hook:    `[ "$ZKMIGRATE_ACTION" = stop ] && exit 0; exec {zklab}`,
			Trigger: func(g *Stage) { g.Blind(Refused, g.ID); g.still = g.Untouched() },
			Verdict: Verdict{Code: migration.CodeHostStillUp, Exit: Waits, Says: "refuses on client and election port, but the leader still forwards to 2 followers", Next: "look at host {host}: is something in between refusing our connections?"},
			Way:     "The leader still counts it, and the pod sees it alive, so no address moves. Open the way, and stop the server; the command goes on.",
			Recover: func(g *Stage) {
				g.still()
				g.See()
				g.sees("still answers")
				g.OnHost(g.ID, "stop")
				g.Ends()
			},
			After: InPod,
		},
		{
			Name: "still-in-every-phase-back", What: "In each phase of a revert a server's process stands still for three seconds: the leader, another voter, the server itself, in turn.",
			Version: Guarded, From: InPod, Sight: true,
			Trigger: func(g *Stage) { g.Disturbed(migration.Revert, 6, StillFor(gap, inTurn)) },
			Verdict: Verdict{Exit: Goes, Says: "runs on its host"},
			Way:     "Nothing: the command waits until they answer again.",
			Recover: func(*Stage) {},
			After:   OnHost,
		},
		{
			Name: "unseen-in-every-phase", What: "The same in each phase of `replace`.",
			Version: Guarded, From: OnHost, Sight: true,
			Trigger: func(g *Stage) { g.Disturbed(migration.Replace, 9, UnseenFor(spell, Blindnesses(), nobody)) },
			Verdict: Verdict{Exit: Goes, Says: "is in sync in pod"},
			Way:     "Nothing: the command says what it does not see and goes on when it does.",
			Recover: func(*Stage) {},
			After:   InPod,
		},
		{
			Name: "not-seen-is-not-gone", Core: true, What: "All servers run in pods, one voter's process stands still, and the leader is to go back to its host, from a machine that reaches no ZooKeeper.",
			Version: Guarded, From: AllInPods, Sight: true, Command: []string{"revert", "{name}", "--id={leader}"},
			Trigger: func(g *Stage) {
				g.ID, g.Other = g.Leader, g.ID
				g.goOn = g.StandsStill(g.Other)
				g.Blind(Dropped)
				g.still = g.Untouched()
			},
			Verdict: Verdict{Code: migration.CodeUnseen, Exit: Waits, Says: othersNotSeen, Next: "run it on a machine that reaches them"},
			Way:     "Nothing has been stopped: the leader and the one that is left are the quorum. When all can be seen and are in sync, the command goes on.",
			Recover: func(g *Stage) { g.still(); g.See(); g.goOn(); g.Ends() },
			After:   OnHost,
		},
	}
}

func reconfigure() []string { return []string{"reconfigure", "{name}"} }

// unseenServer is how a server that was not seen is named.
func unseenServer(id int) string { return fmt.Sprintf("server %d: not seen", id) }

// looks has what only looks tell what it sees, and nothing that it does not.
func (g *Stage) looks(never ...string) {
	g.T.Helper()
	g.Tells(0, []string{"status", g.Name}, nil, never)
	g.Tells(0, []string{"plan", g.Name}, nil, never)
	g.Tells(3, []string{"check", g.Name}, []string{"unknown"}, never)
}

// inTurn is each of the three in turn.
func inTurn(g *Stage, round int) int { return []int{g.Leader, g.Other, g.ID}[round%3] }
