package render

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	kjson "sigs.k8s.io/json"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/strict"
)

// ReadTemplate reads an operator's pod template, a PodTemplateSpec in YAML or JSON, and
// returns it as compact JSON: what is kept in the journal. It is empty for one that sets
// nothing. Errors name the file and line: a field that Kubernetes does not know, and one
// that would break the gate or an invariant (templateRules).
func ReadTemplate(file string, data []byte) (string, error) {
	doc, err := parseTemplate(file, data)
	if err != nil || doc == nil {
		return "", err
	}
	text, err := sigsyaml.YAMLToJSON(data)
	if err != nil {
		return "", &ensemble.InputError{File: file, Problem: "it is not YAML"}
	}
	if err := doc.known(text); err != nil {
		return "", err
	}
	if err := doc.judge(); err != nil {
		return "", err
	}
	out := quote.Visible(string(text))
	if strict.Template(out) != "" {
		return "", tooLong(file)
	}
	_, err = mergeTemplate(corev1.PodTemplateSpec{}, out)
	return out, err
}

// TemplateFields are what a template sets, in short: "spec.tolerations",
// "spec.containers[log]", "spec.containers[zookeeper].resources.limits.cpu".
func TemplateFields(text string) []string {
	doc, err := parseTemplate("", []byte(text))
	if err != nil || doc == nil {
		return nil
	}
	var out []string
	doc.walk(func(f templateField) bool {
		p := f.path
		switch {
		case len(p) < 2, p[0] == "metadata" && len(p) < 3:
			return true
		case p[0] == "spec" && strings.HasSuffix(strings.ToLower(p[1]), "containers") && (len(p) == 2 || ourContainer(p)):
			if f.value.Kind != yaml.ScalarNode && (len(p) <= 3 || !named(p[len(p)-2])) {
				return true
			}
			if p[len(p)-1] == "name" {
				return false
			}
		case p[0] == "spec" && len(p) == 2 && f.value.Kind != yaml.ScalarNode && slices.Contains([]string{"volumes", "affinity", "securityContext"}, p[1]):
			return true
		}
		out = append(out, f.String())
		return false
	})
	return out
}

func ourContainer(path []string) bool {
	return path[1] == "containers" && (path[2] == ContainerName || path[2] == RelayName)
}

// applyTemplate merges the recorded template over ours. The journal is somebody's input:
// it is judged as if an operator had given it now.
func applyTemplate(base corev1.PodTemplateSpec, text string, ports []ensemble.Port) (corev1.PodTemplateSpec, error) {
	if text == "" {
		return base, nil
	}
	if _, err := ReadTemplate("", []byte(text)); err != nil {
		return base, fmt.Errorf("the pod template: %w", err)
	}
	merged, err := mergeTemplate(base, text)
	if err != nil {
		return base, err
	}
	for _, c := range slices.Concat(merged.Spec.InitContainers, merged.Spec.Containers) {
		for _, p := range c.Ports {
			taken := func(ours ensemble.Port) bool { return int32(ours.Number) == p.ContainerPort }
			if c.Name != ContainerName && slices.ContainsFunc(ports, taken) {
				return base, fmt.Errorf("the pod template: spec.containers[%s].ports: %d is a port of ZooKeeper, which listens at it in the same pod", c.Name, p.ContainerPort)
			}
		}
	}
	return merged, nil
}

// mergeTemplate is the strategic merge of kubectl and kustomize.
func mergeTemplate(base corev1.PodTemplateSpec, text string) (corev1.PodTemplateSpec, error) {
	var out corev1.PodTemplateSpec
	ours, err := json.Marshal(base)
	if err != nil {
		return out, err
	}
	merged, err := strategicpatch.StrategicMergePatch(ours, []byte(text), corev1.PodTemplateSpec{})
	if err != nil {
		return out, fmt.Errorf("the pod template cannot be merged: %w", err)
	}
	return out, json.Unmarshal(merged, &out)
}

// templateDoc is a template with the numbers of its lines.
type templateDoc struct {
	file string
	root *yaml.Node
}

func tooLong(file string) error {
	return &ensemble.InputError{File: file, Problem: "it is too long for a pod template", Want: fmt.Sprintf("at most %d KiB", strict.MaxTemplate>>10)}
}

// parseTemplate returns nil for an empty document.
func parseTemplate(file string, data []byte) (*templateDoc, error) {
	if len(data) > strict.MaxTemplate {
		return nil, tooLong(file)
	}
	d := &templateDoc{file: file}
	dec := yaml.NewDecoder(strings.NewReader(string(data)))
	var node, next yaml.Node
	switch err := dec.Decode(&node); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, &ensemble.InputError{File: file, Problem: "it is not YAML: " + strings.TrimPrefix(err.Error(), "yaml: ")}
	}
	if err := dec.Decode(&next); !errors.Is(err, io.EOF) {
		return nil, &ensemble.InputError{File: file, Problem: "it has more than one document", Want: "one pod template"}
	}
	if len(node.Content) == 0 || node.Content[0].Tag == "!!null" {
		return nil, nil
	}
	d.root = node.Content[0]
	if d.root.Kind != yaml.MappingNode {
		return nil, d.problem(d.root, "it is not a pod template", "keys metadata and spec, as in the template of a StatefulSet")
	}
	if err := d.plain(d.root); err != nil {
		return nil, err
	}
	if len(d.root.Content) == 0 {
		return nil, nil
	}
	return d, nil
}

// plain refuses what JSON has not, and what would remove something: values are set.
func (d *templateDoc) plain(n *yaml.Node) error {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0:
		return d.problem(n, "an alias, an anchor or a tag", "the value itself")
	case n.Tag == "!!null":
		return d.problem(n, "null removes a field", "a value, or leave the field out")
	}
	seen := map[string]bool{}
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			switch {
			case c.Kind != yaml.ScalarNode || c.Tag != "!!str":
				return d.problem(c, "a key that is not text", "a field's name")
			case seen[c.Value]:
				return d.problem(c, fmt.Sprintf("%q appears twice", c.Value), "")
			case strings.HasPrefix(c.Value, "$"):
				return d.problem(c, "a directive of the strategic merge can remove what the pods need", "only values that are set or added")
			}
			seen[c.Value] = true
		}
		if err := d.plain(c); err != nil {
			return err
		}
	}
	return nil
}

func (d *templateDoc) problem(n *yaml.Node, problem, want string) error {
	// The line itself may hold a password, and is not shown.
	return &ensemble.InputError{File: d.file, Line: n.Line, Problem: problem, Want: want}
}

// known refuses what no PodTemplateSpec has.
func (d *templateDoc) known(text []byte) error {
	var spec corev1.PodTemplateSpec
	unknown, err := kjson.UnmarshalStrict(text, &spec)
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong):
		at := wrong.Field
		return d.problem(d.find(at), fmt.Sprintf("%s is of the wrong kind (%s)", at, wrong.Value), "what Kubernetes has there")
	case err != nil:
		return &ensemble.InputError{File: d.file, Problem: err.Error()}
	case len(unknown) > 0:
		_, field, _ := strings.Cut(unknown[0].Error(), `"`)
		field = strings.TrimSuffix(field, `"`)
		return d.problem(d.find(field), "a pod template has no field "+field, "")
	}
	return nil
}

// find is the node at a path as "spec.containers[0].name", or the last one on the way.
func (d *templateDoc) find(path string) *yaml.Node {
	at := d.root
	for _, key := range strings.Split(strings.NewReplacer("[", ".", "]", "").Replace(path), ".") {
		next := child(at, key)
		if next == nil {
			return at
		}
		at = next
	}
	return at
}

// child is the key's line for a scalar, the value for what has something below it.
func child(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Kind == yaml.MappingNode && n.Content[i].Value == key {
			if v := n.Content[i+1]; v.Kind != yaml.ScalarNode {
				return v
			}
			return n.Content[i]
		}
	}
	var index int
	if _, err := fmt.Sscanf(key, "%d", &index); err == nil && n.Kind == yaml.SequenceNode && index < len(n.Content) {
		return n.Content[index]
	}
	return nil
}

// templateField is one field of a template, or one element of a list.
type templateField struct {
	path  []string
	line  *yaml.Node
	value *yaml.Node
}

// String is the path as people write it.
func (f templateField) String() string {
	var b strings.Builder
	for i, word := range f.path {
		switch {
		case i > 0 && named(f.path[i-1]) || strings.ContainsAny(word, "./"):
			fmt.Fprintf(&b, "[%s]", word)
		case i > 0:
			b.WriteString("." + word)
		default:
			b.WriteString(word)
		}
	}
	return b.String()
}

// named reports whether the elements of a list have names.
func named(list string) bool {
	return slices.Contains([]string{"containers", "initContainers", "ephemeralContainers", "volumes", "env", "volumeMounts", "volumeDevices", "ports"}, list)
}

// walk visits every field from the top; below one for which visit is false it goes no
// further.
func (d *templateDoc) walk(visit func(templateField) bool) { walkTemplate(nil, d.root, visit) }

func walkTemplate(path []string, n *yaml.Node, visit func(templateField) bool) {
	at := func(word string, line, value *yaml.Node) {
		if f := (templateField{append(slices.Clone(path), word), line, value}); visit(f) {
			walkTemplate(f.path, value, visit)
		}
	}
	switch n.Kind {
	case yaml.DocumentNode, yaml.ScalarNode, yaml.AliasNode: // no fields
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			at(n.Content[i].Value, n.Content[i], n.Content[i+1])
		}
	case yaml.SequenceNode:
		for i, c := range n.Content {
			at(elementName(c, i), c, c)
		}
	}
}

// elementName is what the strategic merge knows an element of a list by.
func elementName(n *yaml.Node, index int) string {
	for _, key := range []string{"mountPath", "containerPort", "name"} {
		if v := scalar(n, key); v != "" {
			return v
		}
	}
	return fmt.Sprint(index)
}

func scalar(n *yaml.Node, key string) string {
	for i := 0; i+1 < len(n.Content) && n.Kind == yaml.MappingNode; i += 2 {
		if n.Content[i].Value == key && n.Content[i+1].Kind == yaml.ScalarNode {
			return n.Content[i+1].Value
		}
	}
	return ""
}
