package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	openapi "k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
	"k8s.io/kube-openapi/pkg/validation/validate"
	"sigs.k8s.io/yaml"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// head are the first two lines of a manifest.
const head = "apiVersion: zkmigrate.io/v1alpha1\nkind: Ensemble\n"

// judgedBySchema are manifests that Parse and the schema must judge alike: those with
// nothing in says are good, of the others each line of what is said must be there.
func judgedBySchema() map[string][]string {
	server := func(s string) string { return head + "spec:\n  servers:\n  - " + s + "\n" }
	return map[string][]string{
		Example():                      nil,
		head:                           nil,
		head + "metadata: {name: a}\n": nil,
		head + "spec:\n  zooCfg: a\n  dynamicFile: b\n":                                                  nil,
		head + "spec:\n  pods: {memory: 2, cpu: 0.5, storageSize: 1Gi}\n":                                nil,
		head + "spec:\n  pods: {storageClass: \"\"}\n":                                                   nil,
		head + "spec:\n  expose: [admin, metrics]\n  waive: [ZK002, TLS001]\n":                           nil,
		server("{id: 0, host: a, peerPort: 1, electionPort: 65535}"):                                     nil,
		server("{id: 4294967295, host: a, peerPort: 1, electionPort: 2, clientPort: 0, role: observer}"): nil,

		"kind: Ensemble\n": {"f:1: the file: apiVersion is missing (expected zkmigrate.io/v1alpha1)"},
		"apiVersion: zkmigrate.io/v1\nkind: Ensemble\n":                          {`f:1: apiVersion is "zkmigrate.io/v1" (expected zkmigrate.io/v1alpha1)`},
		"apiVersion: zkmigrate.io/v1alpha1\nkind: Cluster\n":                     {`f:2: kind is "Cluster" (expected Ensemble)`},
		server("{id: 1, host: 'fd00::1', peerPort: 1, electionPort: 2}"):         nil,
		server("{id: 1, host: zk-1.example.com., peerPort: 1, electionPort: 2}"): nil,
		server("{id: 1, host: '', peerPort: 1, electionPort: 2}"):                {`f:5: spec.servers[0].host is "" (expected a host name or an address, without brackets and port)`},
		server("{id: 1, host: '[fd00::1]', peerPort: 1, electionPort: 2}"):       {`spec.servers[0].host is "[fd00::1]"`},
		server("{id: 1, host: '10.1.0.1:2181', peerPort: 1, electionPort: 2}"):   {`spec.servers[0].host is "10.1.0.1:2181"`},
		server("{id: 1, host: ' a', peerPort: 1, electionPort: 2}"):              {`spec.servers[0].host is " a"`},
		head + "spec: text\n":                                                       {"f:3: spec is not an object"},
		head + "spec:\n  servers: text\n":                                           {"f:4: spec.servers is not a list"},
		head + "spec:\n  expose: admin\n":                                           {"f:4: spec.expose is not a list"},
		head + "spec:\n  expose: [peer]\n":                                          {`f:4: spec.expose[0] is "peer" (expected admin or metrics)`},
		head + "spec:\n  waive: [zk2]\n":                                            {`f:4: spec.waive[0] is "zk2" (expected the id of a check, such as ZK002)`},
		head + "spec:\n  pods:\n    memroy: 1Gi\n":                                  {"f:5: spec.pods.memroy: no such field: did you mean spec.pods.memory?"},
		head + "spec:\n  memory: 1Gi\n":                                             {"f:4: spec.memory: no such field: did you mean spec.pods.memory?"},
		head + "spec:\n  host-hook: a\n":                                            {"did you mean spec.hosts.hook?"},
		head + "spec:\n  frobnicate: a\n":                                           {"no such field: known are zooCfg, dynamicFile, servers"},
		head + "spec:\n  credentials:\n    password: s3cr3t\n":                      {"f:5: spec.credentials is not a string"},
		head + "spec:\n  hosts:\n    sshPassword: s3cr3t\n":                         {"f:5: spec.hosts.sshPassword: a manifest holds no passwords (expected credentials: a file, or secret/NAME"},
		head + "spec:\n  pods:\n    runAsUser: 0\n":                                 {`f:5: spec.pods.runAsUser is "0" (expected a uid other than root's`},
		head + "spec:\n  pods:\n    runAsUser: \"1\"\n":                             {`f:5: spec.pods.runAsUser is "1"`},
		head + "spec:\n  pods:\n    image: 3.8\n":                                   {`f:5: spec.pods.image is "3.8", which YAML reads as a number (expected text: put it in quotes)`},
		head + "spec:\n  pods:\n    jvmFlags: true\n":                               {`f:5: spec.pods.jvmFlags is "true", which YAML reads as true or false`},
		head + "spec:\n  pods:\n    memory: [1]\n":                                  {"f:5: spec.pods.memory is not a quantity"},
		head + "spec:\n  pods:\n    memory: true\n":                                 {`f:5: spec.pods.memory is "true" (expected a Kubernetes quantity such as 2Gi)`},
		head + "spec:\n  pods:\n    storageClass:\n":                                {"f:5: spec.pods.storageClass: it has no value (expected a value, or the line left out)"},
		head + "spec:\n  zooCfg: \"\"\n":                                            {"f:4: spec.zooCfg is empty"},
		head + "spec:\n  dynamicFile: a\n":                                          {"f:4: spec: dynamicFile is given without zooCfg"},
		head + "spec:\n  zooCfg: a\n  servers: [{id: 1, zooCfg: a}]\n":              {"f:5: spec: zooCfg and servers say the same thing in two ways"},
		head + "metadata:\n  name: Zk_1\n":                                          {`f:4: metadata.name is "Zk_1" (expected lower-case letters`},
		server("{zooCfg: a}"):                                                       {"f:5: spec.servers[0]: id is missing"},
		server("{id: 1}"):                                                           {"f:5: spec.servers[0]: neither zooCfg nor host is given (expected zooCfg or host)"},
		server("{id: -1, zooCfg: a}"):                                               {`f:5: spec.servers[0].id is "-1" (expected a server's id, 0 to 4294967295)`},
		server("{id: 4294967296, zooCfg: a}"):                                       {`spec.servers[0].id is "4294967296"`},
		server("{id: 1, zooCfg: a, host: b, peerPort: 1, electionPort: 2}"):         {"zooCfg and host say the same thing in two ways"},
		server("{id: 1, zooCfg: a, peerPort: 1}"):                                   {"spec.servers[0]: peerPort is given without host"},
		server("{id: 1, host: a, peerPort: 1}"):                                     {"spec.servers[0]: electionPort is missing (expected a port"},
		server("{id: 1, host: a, peerPort: 1, electionPort: 65536}"):                {`electionPort is "65536" (expected a port, 1 to 65535)`},
		server("{id: 1, host: a, peerPort: 1, electionPort: 2, role: king}"):        {`role is "king" (expected participant or observer)`},
		head + "spec:\n  endpointsAPI: slices\n  address: name\n  nope: {a: [b]}\n": {"f:4: ", "f:5: ", "f:6: spec.nope: no such field"},
	}
}

// judgedByParse are what no schema can judge, or what is no YAML.
func judgedByParse() map[string][]string {
	return map[string][]string{
		"":                      {"f: there is nothing in it"},
		head + "---\n":          nil,
		head + "---\n" + head:   {"f:4: a second document begins here (expected one Ensemble per file)"},
		head + "kind: Ensemble": {"f:3: kind stands twice, first on line 2"},
		head + "spec:\n  pods:\n    cpu: 1\n    cpu: 2\n":             {"f:6: spec.pods.cpu stands twice, first on line 5"},
		head + "spec:\n\tpods: {}\n":                                  {"f:4: it is indented with a tab"},
		head + "spec:\n  pods:\n    image: a\n   cpu: 1\n  dns: {}\n": {"f:6: this is not YAML"},
		head + "spec:\n  zooCfg: \"a\n":                               {"f:4: this is not YAML"},
		head + "spec: &a {}\n":                                        {"f:3: spec: anchors and aliases are not read here"},
		head + "spec:\n  pods: *a\n":                                  {"f:4: "},
		head + "spec:\n  <<: {zooCfg: a}\n":                           {"f:4: spec: this is not the name of a field"},
		head + "spec: !foo {}\n":                                      {"f:3: spec: the tag !foo is not read here"},
		head + "? [a]\n: b\n":                                         {"f:3: "},
		head + "spec:\n  zooCfg: a\x01b\n":                            {"f:4: there is a control character in it"},
		head + "spec:\n  zooCfg: \xff\n":                              {"f:4: there is something in it that is not text"},
		strings.Repeat("[", 20000):                                    {"f:1: this is not YAML"},
		strings.Repeat("#", MaxSize+1):                                {"a manifest of 1 MiB at most"},
		"a=1\nb=2\n":                                                  {"f:1: the file is not an object"},
		head + "spec:\n  servers:\n  - {id: 010, zooCfg: a}\n":        {`id is "010"`},
		head + "spec:\n  servers:\n  - {id: 1, zooCfg: a}\n  - {id: 1, zooCfg: b}\n":                             {"f:6: spec.servers[1]: server id 1 is also that of spec.servers[0]"},
		head + "spec:\n  servers:\n  - {id: 1, zooCfg: a}\n  - {id: 2, host: b, peerPort: 1, electionPort: 2}\n": {"f:6: spec.servers[1] is given by host, the first by the other"},
	}
}

func TestParse(t *testing.T) {
	for _, table := range []map[string][]string{judgedBySchema(), judgedByParse()} {
		for text, says := range table {
			_, err := Parse("f", []byte(text))
			if (err != nil) != (says != nil) {
				t.Errorf("%.300s\ngives %v", text, err)
			}
			for _, want := range says {
				if err != nil && !strings.Contains(err.Error(), want) {
					t.Errorf("%.300s\ngives %v\nwant %s", text, err, want)
				}
			}
			if err != nil && (strings.Contains(err.Error(), "s3cr3t") || !errors.As(err, new(*ensemble.InputError))) {
				t.Errorf("%.300s\ngives %v", text, err)
			}
		}
	}
}

// TestAliasBomb: nothing is expanded before it is refused.
func TestAliasBomb(t *testing.T) {
	text := head + "a0: &a0 [x, x]\n"
	for i := range 60 {
		text += fmt.Sprintf("a%d: &a%d [*a%d, *a%d]\n", i+1, i+1, i, i)
	}
	if _, err := Parse("f", []byte(text)); err == nil || strings.Count(err.Error(), "\n") > maxErrors {
		t.Errorf("%v", err)
	}
}

// TestSchemaAgrees holds the schema against the strict decoder.
func TestSchemaAgrees(t *testing.T) {
	data, err := Schema(Fields())
	if err != nil {
		t.Fatal(err)
	}
	var schema openapi.Schema
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	for text, says := range judgedBySchema() {
		var doc any
		if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		if err := validate.AgainstSchema(&schema, doc, strfmt.Default); (err != nil) != (says != nil) {
			t.Errorf("%s\nthe schema says %v, Parse %v", text, err, says)
		}
	}
}

// TestTableAndStructure: each has the fields of the other, with types that fit.
func TestTableAndStructure(t *testing.T) {
	kinds := map[Type]reflect.Kind{Text: reflect.String, Quantity: reflect.String, List: reflect.Slice, Object: reflect.Struct, Objects: reflect.Slice, Map: reflect.Map, Share: reflect.String}
	var compare func(f Field, typ reflect.Type)
	compare = func(f Field, typ reflect.Type) {
		var inTable, inStruct []string
		for _, sub := range f.Fields {
			inTable = append(inTable, sub.Name)
		}
		for i := range typ.NumField() {
			name, _, _ := strings.Cut(typ.Field(i).Tag.Get("yaml"), ",")
			inStruct = append(inStruct, name)
			sub, _ := f.Field(name)
			is := typ.Field(i).Type
			switch want := kinds[sub.Type]; {
			case sub.Type == Number && !strings.Contains(is.String(), "int"), sub.Type != Number && is.Kind() != want:
				t.Errorf("%s.%s is %s, in the table %s", f.Name, name, is, sub.Type)
			case sub.Type == Object:
				compare(sub, is)
			case sub.Type == Objects:
				compare(sub, is.Elem())
			}
		}
		if diff := cmp.Diff(inTable, inStruct); diff != "" {
			t.Errorf("%s (-table +structure):\n%s", f.Name, diff)
		}
	}
	compare(Fields(), reflect.TypeFor[Ensemble]())
	compare(FleetFields(), reflect.TypeFor[Fleet]())
	for _, leaf := range Leaves("") {
		if new(Ensemble).Pointer(leaf.Path) == nil || leaf.Doc == "" || strings.HasSuffix(leaf.Doc, ".") {
			t.Errorf("%s: %+v", leaf.Path, leaf.Field)
		}
	}
}

// TestPrintAgain: what is printed is what was read.
func TestPrintAgain(t *testing.T) {
	d, err := Parse("f", []byte(Example()))
	if err != nil {
		t.Fatal(err)
	}
	text, err := Print(d.Ensemble)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse("f", text)
	if diff := cmp.Diff(d.Ensemble, again.Ensemble); diff != "" || err != nil {
		t.Errorf("%v\n%s\n%s", err, diff, text)
	}
	if !d.Has("spec.pods.memory") || d.Has("spec.dns.zone") || d.At("spec.servers") != "f:7: spec.servers" {
		t.Errorf("places: %s", d.At("spec.servers"))
	}
}

func TestIs(t *testing.T) {
	for text, want := range map[string]bool{
		head: true, "# c\n" + head: true, "\ufeff" + head: true, "kind: \"Ensemble\"\n": true, "apiVersion: zkmigrate.io/v9\n": true,
		`{"metadata": {}, "kind": "Ensemble"}`: true, "{\n  \"apiVersion\": \"zkmigrate.io/v1alpha1\"\n}": true,
		"tickTime=2000\n": false, "apiVersion: v1\nkind: Pod\n": false, "# kind: Ensemble\n": false, "kind: Ensembles\n": false, `{"tickTime": 2000}`: false, "": false,
	} {
		if Is([]byte(text)) != want {
			t.Errorf("%q: want %v", text, want)
		}
	}
}

func TestExplain(t *testing.T) {
	for path, says := range map[string][]string{
		"":                        {"KIND:       Ensemble", "  spec\t<object>", "apiVersion\t<string> -required-"},
		"ensemble.spec.pods":      {"FIELD: pods <object>", "  memory\t<quantity>", "Memory request and limit"},
		"spec.pods.memory":        {"FIELD: memory <quantity>", "(default 2Gi).", "FLAG: --memory"},
		"Ensemble.spec.address":   {"ENUM:\n    ip\n    dns"},
		"ensemble.spec.servers":   {"  peerPort\t<integer> -required with host-", "clientPort\t<integer> -with host-"},
		"ensemble.spec.pod":       {"error: spec.pod: no such field: did you mean spec.pods?"},
		"ensemble.memory":         {"error: memory: no such field: did you mean spec.pods.memory?"},
		"ensemble.spec.zooCfg.id": {"error: spec.zooCfg has no fields"},
	} {
		text := ""
		root, f, err := Find(path)
		if err != nil {
			text = "error: " + err.Error()
		} else {
			text = Explain(root, f, false)
		}
		for _, want := range says {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is not in\n%s", path, want, text)
			}
		}
	}
	all := Explain(Fields(), Fields(), true)
	for _, leaf := range Leaves("") {
		if name := leaf.Path[strings.LastIndexByte(leaf.Path, '.')+1:]; !strings.Contains(all, " "+name+"\t<"+string(leaf.Type)+">") {
			t.Errorf("--recursive lacks %s:\n%s", name, all)
		}
	}
}
