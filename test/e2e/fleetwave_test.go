//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/fleet"
	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// wave is a fleet in a lab. Its state lives in a namespace of its own. Who runs it has the
// published Role in each ensemble's namespace, and everybody the rights that docs/fleet.md
// lists, and no more.
type wave struct {
	t                        *testing.T
	name                     string
	runner, approver, halter labkit.Lab
	// dirs hold the same files: those of two machines.
	dirs [2]string
	// broken is where a file NAME.unreachable has the hook of an ensemble fail.
	broken  string
	scenes  []*scene.Scene
	entries []string
	runs    int
}

// member is an ensemble of a fleet, with the rest of its entry.
type member struct {
	*scene.Scene
	entry string
}

// fleetHook does what the lab's hook does, unless the ensemble's hosts are made unreachable.
const fleetHook = `#!/bin/sh
if [ -e %[1]s/$1.unreachable ]; then echo "ssh: connect to host: no route to host" >&2; exit 255; fi
shift
exec %[2]s "$@"
`

const runnersRole = `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: fleet-runner}
rules:
- {apiGroups: [""], resources: [configmaps], verbs: [create]}
- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [create]}
- {apiGroups: [""], resources: [configmaps], resourceNames: [%[1]s-zkfleet], verbs: [get, update]}
- {apiGroups: [coordination.k8s.io], resources: [leases], resourceNames: [%[1]s-zkfleet], verbs: [get, update]}
`

const approversRole = `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: fleet-approver}
rules:
- {apiGroups: [""], resources: [configmaps], resourceNames: [%[1]s-zkfleet], verbs: [get, update]}
- {apiGroups: [coordination.k8s.io], resources: [leases], resourceNames: [%[1]s-zkfleet], verbs: [get]}
`

const haltersRole = `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: fleet-halter}
rules:
- {apiGroups: [""], resources: [configmaps], resourceNames: [%[1]s-zkfleet], verbs: [get, patch]}
`

func newWave(t *testing.T, name string, members []member) *wave {
	t.Helper()
	f := &wave{t: t, name: name, dirs: [2]string{t.TempDir(), filepath.Join(t.TempDir(), "elsewhere")}, broken: t.TempDir()}
	f.put("hook.sh", fmt.Sprintf(fleetHook, f.broken, members[0].Lab.HookCommand()))
	published, err := filepath.Abs("../../docs/rbac/role.yaml")
	if err != nil {
		t.Fatal(err)
	}
	user := func(who, namespace, role string) labkit.Lab {
		lab := *members[0].Lab
		path, err := lab.User(t.Context(), who+"-"+name, namespace, role)
		if err != nil {
			t.Fatal(err)
		}
		lab.Kubeconfig = path
		return lab
	}
	for _, m := range members {
		f.scenes, f.entries = append(f.scenes, m.Scene), append(f.entries, m.entry)
		if err := os.Mkdir(filepath.Join(f.dirs[0], m.Name), 0o755); err != nil {
			t.Fatal(err)
		}
		m.DeclareIn(filepath.Join(f.dirs[0], m.Name))
		user("runner", m.Name, published)
	}
	for who, role := range map[*labkit.Lab]string{&f.runner: runnersRole, &f.approver: approversRole, &f.halter: haltersRole} {
		*who = user(map[string]string{runnersRole: "runner", approversRole: "approver", haltersRole: "halter"}[role], name, f.put("role.yaml", fmt.Sprintf(role, name)))
	}
	t.Cleanup(func() {
		after := context.WithoutCancel(t.Context())
		if t.Failed() {
			r, err := f.runner.Zkmigrate(after, "fleet", "report", name, "-n", name)
			t.Logf("%s%s%v", r.Stdout, r.Stderr, err)
		}
		_ = f.scenes[0].Kube.CoreV1().Namespaces().Delete(after, name, *scene.DeleteNow())
	})
	return f
}

// put writes a file of the fleet.
func (f *wave) put(name, text string) string {
	f.t.Helper()
	path := filepath.Join(f.dirs[0], name)
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		f.t.Fatal(err)
	}
	return path
}

// write makes the fleet's file with this goal and budget for the first ensembles, so many, and
// copies everything elsewhere.
func (f *wave) write(until fleet.Goal, electionsPerHour, ensembles int) {
	f.t.Helper()
	text := fmt.Sprintf("apiVersion: zkmigrate.io/v1alpha1\nkind: Fleet\nmetadata: {name: %s, namespace: %[1]s}\nspec:\n  until: %s\n  ensembles:\n", f.name, until)
	for i, s := range f.scenes[:ensembles] {
		entry := f.entries[i]
		if until == fleet.Finalized {
			entry += ", giveUpWayBack: " + s.Name
		}
		text += fmt.Sprintf("  - {name: %s, namespace: %[1]s, manifest: %[1]s/zkmigrate.yaml, hook: ./hook.sh %[1]s, acceptClientLoss: \"100,unknown\", %s}\n", s.Name, entry)
	}
	text += fmt.Sprintf("  strategy:\n    electionsPerHour: %d\n    timeout: 10m\n    stages:\n    - {name: canary, selector: wave=canary, approveAfter: canary-ok}\n    - {name: rest, selector: wave=rest, concurrency: 2}\n", electionsPerHour)
	f.put("fleet.yaml", text)
	if err := os.RemoveAll(f.dirs[1]); err != nil {
		f.t.Fatal(err)
	}
	if err := os.CopyFS(f.dirs[1], os.DirFS(f.dirs[0])); err != nil {
		f.t.Fatal(err)
	}
}

// file is the fleet's file on one of the two machines.
func (f *wave) file(machine int) string { return filepath.Join(f.dirs[machine], "fleet.yaml") }

func (f *wave) zkmigrate(code int, args ...string) labkit.Result {
	f.t.Helper()
	return f.as(f.runner, code, args...)
}

// as runs the plugin as one of the users and wants that exit code.
func (f *wave) as(who labkit.Lab, code int, args ...string) labkit.Result {
	f.t.Helper()
	began := time.Now()
	r, err := who.Zkmigrate(f.t.Context(), append(args, "-n", f.name)...)
	if err != nil {
		f.t.Fatal(err)
	}
	if r.Code != code {
		f.t.Fatalf("kubectl zkmigrate %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), r.Code, code, r.Stdout, r.Stderr)
	}
	f.t.Logf("kubectl zkmigrate %s: %d in %.1f s", strings.Join(args, " "), r.Code, time.Since(began).Seconds())
	return r
}

func (f *wave) approve() {
	f.t.Helper()
	f.as(f.approver, 0, "fleet", "approve", f.name, "--approval=canary-ok", "--reason=e2e")
}

func (f *wave) status(code int) fleet.Overview {
	f.t.Helper()
	return f.overview(code, "status")
}

// overview is what status and report show; the exit code of report says nothing of the run.
func (f *wave) overview(code int, command string) fleet.Overview {
	f.t.Helper()
	var o fleet.Overview
	if err := json.Unmarshal([]byte(f.zkmigrate(code, "fleet", command, f.name, "-o", "json").Stdout), &o); err != nil {
		f.t.Fatal(err)
	}
	return o
}

// start begins or continues the run, on the two machines in turn.
func (f *wave) start(more ...string) *labkit.Process {
	f.t.Helper()
	f.runs++
	args := f.runner.Plugin(append([]string{"fleet", "run", "-f", f.file(f.runs % 2), "--yes", "--wait=false", "-n", f.name, "--output-dir", filepath.Join(f.dirs[f.runs%2], "patches")}, more...)...)
	if f.runs%6 == 0 {
		// A machine of another name: that the process there is gone is not seen from here.
		args = append([]string{"unshare", "--uts", "sh", "-c", `hostname elsewhere; exec "$@"`, "sh"}, args...)
	}
	p, err := f.runner.Start(context.WithoutCancel(f.t.Context()), fmt.Sprintf("run-%d.log", f.runs), args...)
	if err != nil {
		f.t.Fatal(err)
	}
	return p
}

// run has the run go on until it ends by itself with that exit code, and returns what it said.
func (f *wave) run(code int, more ...string) string {
	f.t.Helper()
	began := time.Now()
	p := f.start(more...)
	f.ends(p, code)
	f.t.Logf("run %d: %d in %.0f s", f.runs, code, time.Since(began).Seconds())
	return p.Log()
}

func (f *wave) ends(p *labkit.Process, code int) {
	f.t.Helper()
	got, err := p.Exit(20 * time.Minute)
	if err != nil || got != code {
		f.t.Fatalf("run %d: exit code %d, want %d: %v\n%s", f.runs, got, code, err, p.Log())
	}
}

// within waits for something that a run brings about.
func (f *wave) within(what string, p *labkit.Process, is func() error) {
	f.t.Helper()
	scene.Within(f.t, 15*time.Minute, what, func() error {
		if p.Ended() {
			f.t.Fatalf("%s: run %d has ended:\n%s", what, f.runs, p.Log())
		}
		return is()
	})
}

// killedAtRandom kills the run so many times, each time after some seconds; fewer where it ends
// by itself.
func (f *wave) killedAtRandom(times int) (kills int) {
	f.t.Helper()
	for range times {
		p := f.start()
		// The moment is the fault.
		if code, err := p.Exit(2*time.Second + rand.N(10*time.Second)); p.Ended() {
			if err != nil || code != 0 && code != 4 {
				f.t.Fatalf("run %d: exit code %d: %v\n%s", f.runs, code, err, p.Log())
			}
			return kills
		}
		p.Kill()
		kills++
	}
	return kills
}

// watch starts the witnesses of the addresses.
func (f *wave) watch(scenes []*scene.Scene) []func() {
	f.t.Helper()
	var out []func()
	for _, s := range scenes {
		out = append(out, s.WatchSlices())
	}
	return out
}

// judge: every server is in its pod, and at every event each Service had one address.
func (f *wave) judge(verdicts []func(), scenes []*scene.Scene) {
	f.t.Helper()
	for i, s := range scenes {
		if st := s.Status(); st.Replaced != len(s.IDs) || !st.Healthy {
			f.t.Errorf("%s: %+v", s.Name, st)
		}
		verdicts[i]()
	}
}

// turn is a time in which an ensemble was under way, as the run has recorded it.
type turn struct {
	id         string
	begun, end time.Time
}

func turns(t *testing.T, o fleet.Overview) []turn {
	t.Helper()
	var out []turn
	open := map[string]time.Time{}
	for _, e := range o.Audit {
		switch begun, is := open[e.Target]; {
		case e.What == "begin" && is:
			t.Errorf("%s has begun twice", e.Target)
		case e.What == "begin":
			open[e.Target] = e.At
		case e.What == "done" && is, e.What == "red" && is:
			out = append(out, turn{e.Target, begun, e.At})
			delete(open, e.Target)
		}
	}
	for id := range open {
		t.Errorf("%s has not ended", id)
	}
	return out
}

// neverTogether: those of one consumer were not under way at the same time, nor ever more than
// two ensembles at once.
func (f *wave) neverTogether(o fleet.Overview) {
	f.t.Helper()
	consumer := func(id string) bool {
		i := slices.IndexFunc(f.scenes, func(s *scene.Scene) bool { return id == s.Name+"/"+s.Name })
		return strings.Contains(f.entries[i], "the-client")
	}
	all := turns(f.t, o)
	shared := 0
	for i, a := range all {
		if consumer(a.id) {
			shared++
		}
		atOnce := 1
		for j, b := range all {
			// b was under way when a began.
			if i == j || b.begun.After(a.begun) || !b.end.After(a.begun) {
				continue
			}
			atOnce++
			if consumer(a.id) && consumer(b.id) {
				f.t.Errorf("together: %+v and %+v", a, b)
			}
		}
		if atOnce > 2 {
			f.t.Errorf("%d at once when %s began", atOnce, a.id)
		}
	}
	if shared < 2 {
		f.t.Errorf("%d turns of ensembles with the common consumer: %+v", shared, all)
	}
}
