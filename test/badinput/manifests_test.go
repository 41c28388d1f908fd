package badinput

import (
	"fmt"
	"io"
	"strings"
)

// manifestRows are bad Ensemble manifests, given to commands that write and to one that looks.
func manifestRows() []row {
	const head = "apiVersion: zkmigrate.io/v1alpha1\nkind: Ensemble\nmetadata: {name: demo, namespace: zk}\n"
	good := head + "spec:\n  zooCfg: zoo.cfg\n"
	bomb := head + "a0: &a0 [x, x]\n"
	for i := range 60 {
		bomb += fmt.Sprintf("a%d: &a%d [*a%d, *a%d]\n", i+1, i+1, i, i)
	}
	var out []row
	add := func(name string, r row) {
		r.code = 2
		for _, command := range [][]string{{"wrap", "--dry-run=client"}, {"wrap"}, {"replace", "--id=1", "--yes"}, {"status"}} {
			r := r
			r.name = "manifest/" + name + "/" + strings.Join(command, " ")
			r.args = append(append([]string{}, command...), append([]string{"-f", "a"}, r.args...)...)
			out = append(out, r)
		}
	}
	text := func(name, content string, says ...string) {
		add(name, row{files: map[string]string{"a": content, "zoo.cfg": zooCfg}, says: says})
	}
	text("unknown field", good+"  pods:\n    memroy: 2Gi\n", "a:7: spec.pods.memroy: no such field", "did you mean spec.pods.memory?")
	text("a field at the wrong place", good+"  memory: 2Gi\n", "a:6: spec.memory", "did you mean spec.pods.memory?")
	text("a flag's name", good+"  host-hook: x\n", "a:6: spec.host-hook", "did you mean spec.hosts.hook?")
	text("a password", good+"  credentialsPassword: s3cr3t\n", "a:6: spec.credentialsPassword: a manifest holds no passwords", "docs/credentials.md")
	text("a key twice", good+"  zooCfg: b\n", "a:6: spec.zooCfg stands twice, first on line 5")
	text("two documents", good+"---\n"+good, "a:7: a second document begins here")
	text("a tab", good+"\tpods: {}\n", "a:6: it is indented with a tab", "expected spaces")
	text("no YAML", good+"  pods: {\n", "this is not YAML")
	text("a wrong type", good+"  pods:\n    memory: [2Gi]\n", "a:7: spec.pods.memory is not a quantity")
	text("a number for text", good+"  pods:\n    image: 3.8\n", "a:7: ", "put it in quotes")
	text("a value beyond all", good+"  pods:\n    memory: 1Ei\n", "a:7: spec.pods.memory", "at most")
	text("another version", strings.Replace(good, "v1alpha1", "v9", 1), "a:1: apiVersion", "expected zkmigrate.io/v1alpha1")
	text("another kind", strings.Replace(good, "kind: Ensemble", "kind: Cluster", 1), "a:2: kind", "expected Ensemble")
	text("files and servers", good+"  servers: [{id: 1, zooCfg: b}]\n", "a:6: ", "say the same thing in two ways")
	text("an alias bomb", bomb, "a:4: a0: no such field")
	text("an anchor", head+"spec: &a {}\n", "a:4: spec: anchors and aliases are not read here")
	text("deep", strings.Replace(good, "zoo.cfg", strings.Repeat("[", 50000), 1), "this is not YAML: exceeded max depth")
	text("control characters", good+"  dns: {zone: \"\x1b[2J\"}\n", "a:6: there is a control character in it")
	text("long", good+strings.Repeat("# comment\n", 1<<17), "a manifest of 1 MiB at most")
	add("another name", row{files: map[string]string{"a": good, "zoo.cfg": zooCfg}, args: []string{"other"}, says: []string{"a:3: metadata.name is demo, the command line says other", "leave one of them out"}})
	add("another namespace", row{files: map[string]string{"a": good, "zoo.cfg": zooCfg}, args: []string{"-n", "other"}, says: []string{"a:3: metadata.namespace is zk, --namespace says other", "leave one of them out"}})
	add("and stdin", row{files: map[string]string{"a": good, "zoo.cfg": zooCfg}, args: []string{"-f", "-"}, stdin: func() io.Reader { return strings.NewReader(zooCfg) }, says: []string{"give nothing else"}})
	return out
}
