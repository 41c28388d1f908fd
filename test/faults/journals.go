package faults

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// journals are faults of our own record and of its lock.
func journals() []Fault {
	return []Fault{
		{
			Name: "journal-garbled", What: "The journal is edited by hand and is not JSON any more.",
			Version: Unguarded, From: OnHost,
			Trigger: func(g *Stage) { g.setJournal("{") },
			Verdict: Verdict{Exit: 1, Says: "the journal in ConfigMap {name}/{name}-zkmigrate is not JSON", Next: "restore what was there, from a backup of the ConfigMap"},
			Way:     "Put back what was there, or let `wrap` put back its copy, as printed.",
			Recover: func(g *Stage) { g.Zkmigrate(0, "wrap", g.Name); g.Again() },
			After:   InPod,
		},
		{
			Name: "journal-edited", What: "The journal says by a hand's mistake that another server is on its way.",
			Version: Unguarded, From: OnHost,
			Trigger: func(g *Stage) { g.editJournal(func(r *migration.Record) { r.Flight = flightOf(g) }) },
			Verdict: Verdict{Code: migration.CodeOneAtATime, Exit: 4, Says: "is in the middle of replace of server {other}, begun by somebody", Next: "replace {name} --id={other}"},
			Way:     "Do what is printed: it either goes on with it or brings it back (`revert`).",
			Recover: func(g *Stage) {
				g.Begin("revert", g.Name, g.fill("--id={other}"))
				g.Ends()
				g.Again()
			},
			After: InPod,
		},
		{
			Name: "journal-deleted", What: "The journal is deleted by hand, all servers on their hosts.",
			Version: Unguarded, From: OnHost,
			Trigger: func(g *Stage) { g.deleteJournal() },
			Verdict: Verdict{Exit: 3, Says: "the journal of ensemble {name} in namespace {name} is gone", Next: "wrap {name} -n {name}"},
			Way:     "`wrap`, as printed, puts its copy back.",
			Recover: func(g *Stage) { g.Follow(); g.Ends(); g.Again() },
			After:   InPod,
		},
		{
			Name: "journal-deleted-in-pod", What: "The journal is deleted by hand while the server runs in its pod.",
			Version: Guarded, From: InPod,
			Trigger: func(g *Stage) { g.deleteJournal() },
			Verdict: Verdict{Exit: 3, Says: "the journal of ensemble {name} in namespace {name} is gone", Next: "wrap {name} -n {name}"},
			Way:     "`wrap`, as printed, puts its copy back.",
			Recover: func(g *Stage) { g.Follow(); g.Ends(); g.Again() },
			After:   InPod,
		},
		{
			Name: "journal-deleted-after-release", What: "The journal is deleted by hand in the middle of a replacement whose pod serves already; its copy knows nothing of that.",
			Version: Unguarded, From: OnHost, When: migration.StepProveJoined,
			Trigger: func(g *Stage) { g.deleteJournal() },
			Verdict: Verdict{Exit: 1, Says: "the journal of ensemble {name} in namespace {name} is gone", Next: "wrap {name} -n {name}"},
			Way:     "`wrap`, as printed, puts its copy back. The next `replace` sees that the gate is open and prints `revert`, which begins with the others' proof, for the host's data is old; then `replace` again.",
			Recover: func(g *Stage) {
				g.Disagrees()
				g.sees("the host's data is stale")
				g.Ends()
				g.Again()
			},
			After: InPod,
		},
		{
			Name: "journal-deleted-on-the-way-back", What: "The journal is deleted by hand in the middle of a revert, when the server has just started on its host; its copy says that it runs in its pod.",
			Version: Guarded, From: InPod, Command: []string{"revert", "{name}", "--id={id}"}, When: migration.StepStartHost,
			Trigger: func(g *Stage) {
				g.Answers(g.ID)
				g.deleteJournal()
			},
			Verdict: Verdict{Exit: 1, Says: "the journal of ensemble {name} in namespace {name} is gone", Next: "wrap {name} -n {name}"},
			Way:     "`wrap`, as printed, puts its copy back. `revert`, which `status` prints then, brings the journal up to date; the server is not stopped.",
			Recover: func(g *Stage) {
				g.Follow()
				g.Ends()
				g.Begin(g.command()...)
				g.sees("only the journal does not say so")
				g.Ends()
			},
			After: OnHost,
		},
		{
			Name: "journal-of-the-middle", What: "In the middle of a revert somebody puts a backup of the journal back that was made in the middle of the replacement before.",
			Version: Unguarded, From: OnHost, When: migration.StepMaskHost,
			Trigger: func(g *Stage) {
				g.putBack(func() {
					g.Begin("revert", g.Name, g.fill("--id={id}"))
					g.hold(migration.StepDeletePod)
					g.tool.Kill()
				})
			},
			Verdict: Verdict{Code: migration.CodeJournalDisagrees, Exit: 4, Says: "a journal of an earlier time", Next: "revert {name} --id={id}"},
			Way:     "The journal says that nothing was released, and the gate says otherwise. `revert`, as printed, begins with the others' proof, for the host's data is old; then `replace` again.",
			Recover: func(g *Stage) {
				g.followBack()
				g.Again()
			},
			After: InPod,
		},
		{
			Name: "journal-of-long-ago", What: "A backup of the journal that was made in the middle of a replacement is put back when that server and another one run in their pods.",
			Version: Unguarded, From: OnHost, When: migration.StepMaskHost,
			Trigger: func(g *Stage) {
				g.putBack(func() { g.Replace(0, g.fill("--id={other}")) })
			},
			Verdict: Verdict{Code: migration.CodeJournalDisagrees, Exit: 4, Says: "the journal says server {other} runs on its host, but its gate is open", Next: "revert {name} --id={id}"},
			Way:     "One goes back after the other, as printed; each revert begins with the others' proof. Then `replace` again.",
			Recover: func(g *Stage) {
				g.followBack()
				g.Begin(g.command()...)
				g.Stopped(3, migration.CodeJournalDisagrees)
				g.followBack()
				g.Again()
			},
			After: InPod,
		},
		{
			Name: "holder-dead", What: "The command is killed on another machine and leaves its lock behind.",
			Version: Guarded, From: OnHost,
			Trigger: func(g *Stage) {
				g.start(append([]string{"unshare", "--uts", "sh", "-c", `hostname elsewhere && exec "$@"`, "sh"}, g.replacing()...)...)
				g.sees("ok    " + migration.StepByID(migration.StepBegin).Title)
				g.tool.Kill()
				g.tool = nil
			},
			Verdict: Verdict{Exit: Goes, Says: "@elsewhere#"},
			Way:     "Nothing: the lock is watched, and taken when nobody renews it.",
			Recover: func(*Stage) {},
			After:   InPod,
		},
		{
			Name: "holder-slept", Core: true, What: "The machine of the command sleeps right before the stop, and wakes when somebody else, on another machine, has replaced the server.",
			Version: Guarded, From: OnHost,
			Trigger: func(g *Stage) {
				g.start(append([]string{"unshare", "--uts", "sh", "-c", `hostname elsewhere && exec "$@"`, "sh"}, g.replacing()...)...)
				g.hold(migration.StepNoteBefore)
				g.first, g.tool = g.tool, nil
			},
			Verdict: Verdict{Exit: Goes, Says: "@elsewhere#"},
			Way:     "Nothing: the lock is taken when nobody renews it, and the one that wakes does nothing more.",
			Recover: func(g *Stage) {
				g.tool = g.first
				g.resume()
				g.ends(4, "so the lock is no longer its own; it did nothing since")
			},
			After: InPod,
		},
		{
			Name: "two-operators", What: "A second person runs the command, on another machine.",
			Version: Unguarded, From: OnHost,
			Hook: `[ "$ZKMIGRATE_ACTION" = stop ] && [ ! -e "$0.go" ] && exit 0; exec {zklab}`,
			Trigger: func(g *Stage) {
				g.start(append([]string{"unshare", "--uts", "sh", "-c", `hostname elsewhere && exec "$@"`, "sh"}, g.replacing()...)...)
				g.sees("still answers")
				g.first = g.tool
				g.tool = nil
			},
			Verdict: Verdict{Exit: 3, Says: "@elsewhere#", Next: "let it finish, or interrupt it there"},
			Way:     "Let the first one finish, as printed.",
			Recover: func(g *Stage) {
				g.write("hook.sh.go", "")
				g.tool = g.first
				g.Ends()
			},
			After: InPod,
		},
		apiServerGone("api-server-gone-before-stop", "The API server is killed and stays away for a minute, before the server is stopped.", migration.StepMaskHost),
		apiServerGone("api-server-gone-after-stop", "The same after the server was stopped on its host.", migration.StepStopHost),
		controllersGone("controllers-gone", "The hand-made slice has the pod's address all the time, and the pod waits. The controllers are started again, the command goes on by itself.", InPod,
			func(g *Stage) {
				g.daemon("start", controllers)
				g.Ends()
			}),
		controllersGone("controllers-gone-for-long", "`revert`, as printed, moves the address back to the host; it needs no controller.", OnHost,
			func(g *Stage) {
				g.Follow()
				g.Ends()
			}),
	}
}

// flightOf is a replacement of another server that nobody began.
func flightOf(g *Stage) *migration.Flight {
	return &migration.Flight{Kind: migration.Replace, ID: idOf(g.Other), By: "somebody"}
}

// journal is the record as it stands in its ConfigMap.
func (g *Stage) journal() string {
	g.T.Helper()
	return g.Kubectl("get", "configmap", render.JournalName(g.Name), "-o", `jsonpath={.data.record\.json}`)
}

func (g *Stage) deleteJournal() {
	g.T.Helper()
	g.Kubectl("delete", "configmap", render.JournalName(g.Name))
}

func (g *Stage) setJournal(text string) {
	g.T.Helper()
	g.patch("configmap", render.JournalName(g.Name), map[string]any{"data": map[string]string{"record.json": text}})
}

// putBack lets the command that is held end, and something more happen, puts the
// journal of now back then, and begins the command again.
func (g *Stage) putBack(meanwhile func()) {
	g.T.Helper()
	backup := g.journal()
	g.resume()
	g.Ends()
	meanwhile()
	g.setJournal(backup)
	g.Begin(g.command()...)
}

// followBack follows a printed revert of a pod that has served to its end.
func (g *Stage) followBack() {
	g.T.Helper()
	g.Follow()
	g.sees("the host's data is stale")
	g.Ends()
}

func (g *Stage) editJournal(edit func(*migration.Record)) {
	g.T.Helper()
	var rec migration.Record
	if err := json.Unmarshal([]byte(g.journal()), &rec); err != nil {
		g.T.Fatal(err)
	}
	edit(&rec)
	data, err := json.Marshal(rec)
	if err != nil {
		g.T.Fatal(err)
	}
	g.setJournal(string(data))
}

// replacing is the command line of a replacement of the server in question.
func (g *Stage) replacing() []string {
	words := strings.Fields(fmt.Sprintf("kubectl zkmigrate replace %s --id=%d --yes --verbose -n %s --host-hook", g.Name, g.ID, g.Name))
	return append(words, g.hook)
}
