package main

import (
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/manifest"
)

// fleetPage is the page about fleets.
func fleetPage() string {
	var b strings.Builder
	b.WriteString(note + "# Fleet: many ensembles, in stages\n\n" +
		"`fleet` moves the ensembles that one file names, each with the `wrap`, `reconfigure`, `replace` and `finalize` that move one, and by the same rules. The file says who goes\n" +
		"first, how many at once, what must be approved, in which windows, and how many leader elections an hour may bring ([ADR 28](adr/0028-fleets.md)).\n\n" +
		"## From inventory to report\n\n" +
		"1. **Inventory.** One entry per ensemble: its name and namespace, the copies of its hosts' files (a directory, or its [Ensemble manifest](ensemble.md)), the\n" +
		"   [hook](host-hook.md) that stops and starts its servers, [credentials](credentials.md) by reference, how critical it is, and who uses it. Ensembles that are wrapped\n" +
		"   already can be found by labels on their journals: `kubectl label configmap zk1-zkmigrate team=search`.\n" +
		"2. **Strategy.** A canary stage first, with a soak and an approval after it. Leave `concurrency` at 1 until a stage has gone well. Write down consumers: two ensembles\n" +
		"   with a common one are never under way together.\n" +
		"3. **`kubectl zkmigrate fleet plan -f wave-1.yaml`** looks at every ensemble and says which are not ready, why, and what helps; how many elections there will be; and the\n" +
		"   order. `-o markdown` and `-o html` are for the change request. Once an ensemble of the run was moved, it also says when the run would end, by the rules that move it\n" +
		"   (windows, soaks, budget), and what other concurrencies would change.\n" +
		"4. **`kubectl zkmigrate fleet run -f wave-1.yaml`** freezes the plan and begins. Kill it at any time: the same command, on any machine with the same files, goes on, first\n" +
		"   with what was under way. It prints what the commands of each ensemble print, with the ensemble's name before each line;\n" +
		"   patches that lie in its directory of `--output-dir` as they are now are named in one line, with since when.\n" +
		"5. **`fleet status wave-1 -w`** beside it, from anywhere. `fleet approve`, `pause`, `resume`, `skip` and `retry` write one word into the run's state, with your name.\n" +
		"   STALL is the longest that an election can have kept clients from writing: from the last look that saw a leader to the first that saw its successor, as the last command\n" +
		"   that moved the ensemble saw it.\n" +
		"6. **`fleet report wave-1 -o markdown`** is what happened: who did what when, how long each ensemble took, how many elections it has forced.\n\n" +
		"```yaml\n" + manifest.FleetExample() + "```\n\n" +
		"Editors check it against [fleet.schema.json](fleet.schema.json); `kubectl zkmigrate explain fleet.spec.strategy` says the same as this page.\n\n" +
		"## Rules\n\n" +
		"- What has begun goes on to its end: after a kill, past the end of a window, in a paused run, in a stage that is red. Only a halt stops it.\n" +
		"- A stage begins when every ensemble of the one before is done or skipped, its soak is over and its approvals are given.\n" +
		"- An ensemble begins when every server of it serves and nothing of its own is missing. Nothing begins while an ensemble that the run has moved is not healthy.\n" +
		"- An ensemble that fails is **red**. It stays as it is, no worse than after one `replace` that was killed. What is under way ends; nothing else of its stage\n" +
		"  begins, unless `tolerate` allows it, and nothing that has a consumer in common with it. `fleet status` prints what it said and, as next, the\n" +
		"  `fleet retry` that has it go on where it stands; behind that, what must be fixed first (its own way out) and the `fleet skip` that leaves it out.\n" +
		"- Elections: the rolling restart forces one, the replacements one, `finalize` one. What an ensemble may force is set aside when it begins, and counts until an hour after its end: within\n" +
		"  no hour do planned elections come to more than `electionsPerHour`. If it has forced more, as its epochs show, that many count.\n" +
		"- The plan is frozen when a run begins, with the SHA-256 of manifests, hosts' files and hooks. What differs later is named, and the run does not go on: restore it, or begin\n" +
		"  a new run with `--restart`, which passes over ensembles that have reached the goal.\n" +
		"- The hosts' files are copies, and stay as they were when the run began: what its patches change on the hosts is not put into them before the run is over.\n" +
		"- `until: finalized` gives up the way back to the hosts, so each ensemble says so by its name: `giveUpWayBack: zk1`. Without it the file is refused; what a selector finds\n" +
		"  is never finalized. Better is a fleet of its own, weeks after the last replacement ([finalize](finalize.md)).\n" +
		"- Programs and files are those of the file on your machine. What is recorded in the cluster chooses none.\n\n" +
		"## Stop it now\n\n" +
		"`fleet pause` has nothing else begin. To stop what is under way as well, before its next server, set an annotation, with nothing but kubectl:\n\n" +
		"```sh\nkubectl annotate configmap wave-1-zkfleet -n zkmigrate zkmigrate.io/halt='the site is slow'\nkubectl annotate configmap zk1-zkmigrate -n search zkmigrate.io/halt='ask the search team'\n```\n\n" +
		"The first one halts the whole run. The second one, for who may write only an ensemble's own objects, stops that ensemble before its next server and has nothing else\n" +
		"begin; others that are under way go on to their ends. A server that is away when it is set comes back first. Take the annotation away (`zkmigrate.io/halt-`) and run the\n" +
		"fleet again.\n\n" +
		"## Rights\n\n" +
		"| who | where | what |\n|---|---|---|\n" +
		"| runs the fleet | each ensemble's namespace | the Role that `rbac` prints: a run does what its commands do, and no more |\n" +
		"| runs the fleet | the fleet's namespace | `create` on ConfigMaps and Leases; `get` and `update` on the ConfigMap and the Lease FLEET-zkfleet |\n" +
		"| uses a `selector` | those namespaces | `list` on ConfigMaps |\n" +
		"| plans | each ensemble's namespace | what `plan` needs |\n" +
		"| approves, pauses, skips, retries | the fleet's namespace | `get` and `update` on that ConfigMap, `get` on that Lease |\n" +
		"| looks (`status`, `report`) | the fleet's namespace | `get` on both; `list`, without a name also on ConfigMaps; and `get` or `list` on the ensembles' journals, for their halts |\n" +
		"| halts | either | `get` and `patch` on one of the ConfigMaps |\n\n" +
		"Who may write the fleet's ConfigMap can approve, skip and halt, in anybody's name: Kubernetes keeps who wrote it in its audit log, not in the object. It cannot make a run\n" +
		"do anything that its plan does not say, nor start a program.\n\n" +
		"## Exit codes\n\n" +
		"`run`: 0 all done; 4 red, paused, halted, or with `--wait=false` waiting; 3 the plan has changed. `status`: 0 done or going on; 1 an ensemble is red; 4 paused, halted, or an approval\n" +
		"is missing.\n\n" +
		"## Fields\n\n| field | type | flag | what it says |\n|---|---|---|---|\n")
	rows(&b, "", manifest.FleetFields())
	return b.String()
}
