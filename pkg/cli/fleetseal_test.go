package cli

import (
	"os"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/manifest"
)

// TestSeal: what the commands of an ensemble read is in the digest, through links as well, and
// nothing else is.
func TestSeal(t *testing.T) {
	const fleetText = `apiVersion: zkmigrate.io/v1alpha1
kind: Fleet
metadata: {name: w, namespace: zk}
spec:
  ensembles:
  - {name: files, hostFiles: "sp ace", hook: ./hook.sh}
  - {name: linked, hostFiles: link}
  - {name: declared, manifest: m/e.yaml}
`
	const declared = "apiVersion: zkmigrate.io/v1alpha1\nkind: Ensemble\nmetadata: {name: declared}\nspec:\n  zooCfg: zoo.cfg\n  hosts: {hook: ./hook.sh}\n  pods: {template: pods.yaml}\n"
	digests := func(t *testing.T) map[string]string {
		t.Helper()
		doc, err := manifest.ParseFleet("f.yaml", []byte(fleetText))
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		for i, e := range doc.Spec.Ensembles {
			r := &resolver{dir: ".", namespace: "zk", doc: doc}
			if err := r.add(t.Context(), "spec.ensembles[0]", e); err != nil {
				t.Fatalf("%d: %v", i, err)
			}
			for name, sum := range r.found[0].member.Digests {
				out[e.Name+" "+name] = sum
			}
		}
		return out
	}
	for file, changes := range map[string]string{
		"sp ace/1/zoo.cfg": "files hostFiles", "sp ace/1/myid": "files hostFiles", "hook.sh": "files hook", "real/1/zoo.cfg": "linked hostFiles",
		"m/zoo.cfg": "declared manifest", "m/e.yaml": "declared manifest", "m/hook.sh": "declared manifest", "m/pods.yaml": "declared manifest",
		"sp ace/notes": "", "sp ace/zkmigrate-fleet-w/1.patch": "",
	} {
		t.Run(file, func(t *testing.T) {
			t.Chdir(t.TempDir())
			put(t, map[string]string{
				"sp ace/1/zoo.cfg": good, "sp ace/1/myid": "1", "sp ace/notes": "", "sp ace/zkmigrate-fleet-w/1.patch": "", "hook.sh": "", "real/1/zoo.cfg": good,
				"m/e.yaml": declared, "m/zoo.cfg": good, "m/hook.sh": "", "m/pods.yaml": "spec:\n  priorityClassName: high\n",
			})
			for _, program := range []string{"hook.sh", "m/hook.sh"} {
				if err := os.Chmod(program, 0o700); err != nil {
					t.Fatal(err)
				}
				// A compiled program may be longer than any file of a host.
				if err := os.Truncate(program, maxFile+1); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Symlink("real", "link"); err != nil {
				t.Fatal(err)
			}
			before := digests(t)
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			more := "# more\n"
			if file == "sp ace/1/myid" {
				more = "\n"
			}
			if err := os.WriteFile(file, append(text, more...), 0o700); err != nil {
				t.Fatal(err)
			}
			after := digests(t)
			for name := range before {
				if changed := before[name] != after[name]; changed != (name == changes) {
					t.Errorf("%s: changed %t", name, changed)
				}
			}
			if before[changes] == "" && changes != "" {
				t.Errorf("%q is not in %v", changes, before)
			}
		})
	}
}
