package manifest

import (
	"encoding/json"
	"strings"
	"testing"

	openapi "k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
	"k8s.io/kube-openapi/pkg/validation/validate"
	"sigs.k8s.io/yaml"
)

const fleetHead = "apiVersion: zkmigrate.io/v1alpha1\nkind: Fleet\nmetadata: {name: w}\n"

// fleetsJudgedBySchema are fleets that ParseFleet and the schema must judge alike.
func fleetsJudgedBySchema() map[string]string {
	one := func(fields string) string { return fleetHead + "spec:\n  ensembles:\n  - {" + fields + "}\n" }
	stage := func(fields string) string {
		return one("name: a") + "  strategy:\n    stages:\n    - {" + fields + "}\n"
	}
	return map[string]string{
		FleetExample():                                  "",
		one("name: a"):                                  "",
		one("selector: a=b, hook: x, tier: 1"):          "",
		one("name: a, labels: {a: b, c: d_e.f}"):        "",
		stage("name: s, concurrency: 3, soak: 1h30m"):   "",
		stage("name: s, concurrency: 25%, tolerate: 2"): "",
		fleetHead: "spec is missing",
		"apiVersion: zkmigrate.io/v1alpha1\nkind: Fleet\nmetadata: {}\nspec: {ensembles: [{name: a}]}\n": "f:3: metadata: name is missing",
		one("name: a, selector: b"):                               "name and selector say the same thing in two ways",
		one(`selector: ""`):                                       "a label selector, as stage=canary",
		one("tier: 1"):                                            "neither name nor selector is given",
		one("name: a, manifest: b, hostFiles: c"):                 "manifest and hostFiles say the same thing in two ways",
		one("name: a, tier: 10"):                                  "tier is \"10\" (expected 1 (most critical) to 9)",
		one("name: a, labels: [b]"):                               "labels is not a map",
		one("name: a, labels: {b: 1}"):                            "spec.ensembles[0].labels.b is \"1\", which YAML reads as a number",
		one("name: a, labels: {b: 'c d'}"):                        "labels.b is \"c d\" (expected the value of a label)",
		stage("name: s, concurrency: 0"):                          "concurrency is \"0\" (expected a number from 1 to 50",
		stage("name: s, concurrency: 51"):                         "concurrency is \"51\"",
		stage("name: s, concurrency: 0%"):                         "concurrency is \"0%\"",
		stage("name: s, concurrency: 101%"):                       "concurrency is \"101%\"",
		stage("name: s, concurrency: many"):                       "concurrency is \"many\"",
		stage("name: s, soak: 1d"):                                "soak is \"1d\" (expected a duration such as 30m",
		stage("name: s, toleratd: 1"):                             "toleratd: no such field: did you mean",
		stage("name: S"):                                          "name is \"S\" (expected lower-case letters",
		one("name: a, giveUpWayBack: a") + "  until: finalized\n": "",
		one("name: a") + "  until: gone\n":                        "until is \"gone\"",
		one("name: a") + "  strategy: {electionsPerHour: 1}\n":    "electionsPerHour is \"1\"",
	}
}

func TestParseFleet(t *testing.T) {
	for text, says := range fleetsJudgedBySchema() {
		_, err := ParseFleet("f", []byte(text))
		if (err != nil) != (says != "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%s\ngives %v\nwant %s", text, err, says)
		}
	}
	one := func(fields string) string { return fleetHead + "spec:\n  ensembles:\n  - {" + fields + "}\n" }
	for text, says := range map[string]string{
		fleetHead + "spec: {ensembles: [{name: a}], strategy: {stages: [{name: s}, {name: s}]}}\n": "there is a stage s already",
		fleetHead + "spec: {ensembles: [{selector: a=b, manifest: x}]}\n":                          "files belong to one ensemble",
		fleetHead + "spec: {ensembles: [{name: a, labels: {b: c, b: d}}]}\n":                       "labels.b stands twice",
		one("name: a") + "  until: finalized\n":                                                    "spec.ensembles[0]: its way back is not given up by name (expected giveUpWayBack: a)",
		one("name: a, giveUpWayBack: b"):                                                           "spec.ensembles[0]: giveUpWayBack is \"b\", and it is a (expected giveUpWayBack: a)",
		one("selector: a=b") + "  until: finalized\n":                                              "each by its name, with giveUpWayBack",
		one("selector: a=b, giveUpWayBack: b"):                                                     "each by its name, with giveUpWayBack",
		fleetHead + "spec: {ensembles: []}\n---\n" + fleetHead:                                     "one Fleet per file",
	} {
		if _, err := ParseFleet("f", []byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s\ngives %v\nwant %s", text, err, says)
		}
	}
	d, err := ParseFleet("f", []byte(FleetExample()))
	if err != nil || d.Spec.Strategy.Stages[1].Concurrency != "2" || d.Spec.Ensembles[1].Labels["stage"] != "rest" || d.Spec.Ensembles[1].Tier != 3 {
		t.Errorf("%v, %+v", err, d.Fleet)
	}
}

func TestFleetSchemaAgrees(t *testing.T) {
	data, err := Schema(FleetFields())
	if err != nil {
		t.Fatal(err)
	}
	var schema openapi.Schema
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	for text, says := range fleetsJudgedBySchema() {
		var doc any
		if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		if err := validate.AgainstSchema(&schema, doc, strfmt.Default); (err != nil) != (says != "") {
			t.Errorf("%s\nthe schema says %v, ParseFleet %s", text, err, says)
		}
	}
}

func TestExplainFleet(t *testing.T) {
	for path, want := range map[string]string{
		"fleet":                             "KIND:       Fleet",
		"fleet.spec.strategy.stages":        "FIELD: stages <[]object>",
		"Fleet.spec.ensembles.labels":       "FIELD: labels <map[string]string>",
		"fleet.spec.strategy.stages.nonexi": "no such field",
	} {
		root, f, err := Find(path)
		text := ""
		if err != nil {
			text = err.Error()
		} else {
			text = Explain(root, f, false)
		}
		if !strings.Contains(text, want) {
			t.Errorf("%s: %s", path, text)
		}
	}
}
