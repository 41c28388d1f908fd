package render

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// What a pod template sets is applied as it stands, with the values of variables that are called
// like secrets. Where objects and records are only shown, nobody sees those.

// lastApplied repeats a whole object (kubectl/pkg/util, apply.go).
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// HideTemplate is a recorded pod template as it may be shown; empty where it cannot be read.
func HideTemplate(text string) string {
	var doc any
	if text == "" || json.Unmarshal([]byte(text), &doc) != nil {
		return ""
	}
	HideDifference(doc, nil)
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if e.Encode(hideTexts(doc)) != nil {
		return ""
	}
	return strings.TrimSpace(out.String())
}

// HideDifference hides, in two states of an object as JSON has it, the values of variables that
// are called like secrets, and tells which differ.
func HideDifference(before, after any) {
	was, is := map[string]map[string]any{}, map[string]map[string]any{}
	variables(before, "", was)
	variables(after, "", is)
	for at, v := range was {
		if is[at] == nil {
			v["value"] = ensemble.Hidden
		}
	}
	for at, v := range is {
		switch old := was[at]; {
		case old == nil:
			v["value"] = ensemble.Hidden
		case old["value"] != v["value"]:
			old["value"], v["value"] = ensemble.Hidden+" (before)", ensemble.Hidden+" (after)"
		default:
			old["value"], v["value"] = ensemble.Hidden, ensemble.Hidden
		}
	}
}

// variables finds those that are called like secrets and have a value, by where they stand, and
// drops the annotation that repeats them.
func variables(node any, at string, found map[string]map[string]any) {
	switch node := node.(type) {
	case map[string]any:
		delete(node, lastApplied)
		for key, value := range node {
			variables(value, at+"."+key, found)
		}
	case []any:
		for i, value := range node {
			element, _ := value.(map[string]any)
			name, named := element["name"].(string)
			if !named {
				name = fmt.Sprint(i)
			}
			if strings.HasSuffix(at, ".env") && ensemble.Secret(name) && element["value"] != nil {
				found[at+"["+name+"]"] = element
			}
			variables(value, at+"["+name+"]", found)
		}
	}
}

// hideTexts hides secret settings in all texts, such as a program's arguments.
func hideTexts(node any) any {
	switch node := node.(type) {
	case map[string]any:
		for key, value := range node {
			node[key] = hideTexts(value)
		}
	case []any:
		for i, value := range node {
			node[i] = hideTexts(value)
		}
	case string:
		return ensemble.HideSecrets(node)
	}
	return node
}

// hideWords is the same for a command.
func hideWords(words []string) []string {
	out := slices.Clone(words)
	for i, w := range out {
		out[i] = ensemble.HideSecrets(w)
	}
	return out
}
