package manifest

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// maxErrors bounds how much is said of one file.
const maxErrors = 20

// walker holds a document against the table.
type walker struct {
	root  Field
	file  string
	lines map[string]int
	errs  []error
}

func (w *walker) refuse(n *yaml.Node, want, format string, args ...any) {
	if len(w.errs) < maxErrors {
		w.errs = append(w.errs, &ensemble.InputError{File: w.file, Line: n.Line, Problem: fmt.Sprintf(format, args...), Want: want})
	}
}

// value judges what is given for a field; path is "" for the root.
func (w *walker) value(n *yaml.Node, f Field, path string) {
	w.lines[path] = n.Line
	name := path
	if name == "" {
		name = "the file"
	}
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		w.refuse(n, "the value itself", "%s: anchors and aliases are not read here", name)
	case n.Style&yaml.TaggedStyle != 0:
		w.refuse(n, "the value without it", "%s: the tag %s is not read here", name, quote.Typed(n.Tag))
	case n.Tag == "!!null":
		w.refuse(n, "a value, or the line left out", "%s: it has no value", name)
	case f.Type == Object:
		w.object(n, f, path, name)
	case f.Type == List || f.Type == Objects:
		w.list(n, f, path)
	case f.Type == Map:
		w.entries(n, f, path)
	default:
		w.scalar(n, f, name)
	}
}

func (w *walker) list(n *yaml.Node, f Field, path string) {
	if n.Kind != yaml.SequenceNode {
		w.refuse(n, "a list, each item on a line that begins with a dash", "%s is not a list", path)
		return
	}
	item := f
	item.Type = map[Type]Type{List: Text, Objects: Object}[f.Type]
	for i, sub := range n.Content {
		w.value(sub, item, fmt.Sprintf("%s[%d]", path, i))
	}
}

// entries judges a map of texts.
func (w *walker) entries(n *yaml.Node, f Field, path string) {
	if n.Kind != yaml.MappingNode {
		w.refuse(n, "lines such as NAME: VALUE", "%s is not a map", path)
		return
	}
	given := map[string]bool{}
	item := f
	item.Type = Text
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, at := n.Content[i], path+"."+quote.Typed(n.Content[i].Value)
		switch {
		case key.Kind != yaml.ScalarNode || key.Anchor != "" || key.Tag != "!!str":
			w.refuse(key, "text", "%s: this is not a name", path)
		case given[key.Value]:
			w.refuse(key, "each name once", "%s stands twice", at)
		default:
			given[key.Value] = true
			w.value(n.Content[i+1], item, at)
		}
	}
}

func (w *walker) object(n *yaml.Node, f Field, path, name string) {
	if n.Kind != yaml.MappingNode {
		w.refuse(n, "fields: "+names(f.Fields), "%s is not an object", name)
		return
	}
	given := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := strings.TrimPrefix(path+"."+quote.Typed(key.Value), ".")
		sub, known := f.Field(key.Value)
		switch before := given[key.Value]; {
		case key.Kind != yaml.ScalarNode || key.Anchor != "" || key.Tag == "!!merge":
			w.refuse(key, "the name of a field", "%s: this is not the name of a field", name)
		case before != nil:
			w.refuse(key, "each field once", "%s stands twice, first on line %d", at, before.Line)
		case !known && ensemble.Secret(key.Value):
			w.refuse(key, "credentials: a file, or secret/NAME, that holds them; see docs/credentials.md", "%s: a manifest holds no passwords", at)
		case !known:
			w.refuse(key, "", "%s: no such field: %s", at, meant(w.root, f, path, key.Value))
		default:
			given[key.Value] = key
			w.value(value, sub, at)
			w.lines[at] = key.Line
		}
	}
	w.together(n, f, name, given)
}

// together judges which fields stand beside each other.
func (w *walker) together(n *yaml.Node, f Field, name string, given map[string]*yaml.Node) {
	for _, sub := range f.Fields {
		key := given[sub.Name]
		switch {
		case key == nil && sub.Required && (sub.With == "" || given[sub.With] != nil):
			w.refuse(n, sub.wants(), "%s: %s is missing", name, sub.Name)
		case key != nil && sub.With != "" && given[sub.With] == nil:
			w.refuse(key, sub.With+" beside it", "%s: %s is given without %s", name, sub.Name, sub.With)
		}
	}
	for _, alike := range [][]string{f.OneOf, f.NotBoth} {
		var some []string
		for _, one := range alike {
			if given[one] != nil {
				some = append(some, one)
			}
		}
		if len(some) > 1 {
			w.refuse(given[some[1]], "one of them", "%s: %s say the same thing in two ways", name, strings.Join(some, " and "))
		}
	}
	if len(f.OneOf) > 0 && !slices.ContainsFunc(f.OneOf, func(one string) bool { return given[one] != nil }) {
		w.refuse(n, strings.Join(f.OneOf, " or "), "%s: neither %s is given", name, strings.Join(f.OneOf, " nor "))
	}
}

func (w *walker) scalar(n *yaml.Node, f Field, name string) {
	typed := quote.Typed(n.Value)
	switch {
	case n.Kind != yaml.ScalarNode:
		w.refuse(n, f.wants(), "%s is not a %s", name, f.Type)
	case f.Type == Number:
		if i, err := strconv.ParseInt(n.Value, 10, 64); err != nil || strconv.FormatInt(i, 10) != n.Value || n.Tag != "!!int" || i < f.Min || i > f.Max {
			w.refuse(n, f.wants(), "%s is %q", name, typed)
		}
	case f.Type == Share && n.Tag == "!!int":
		if i, err := strconv.ParseInt(n.Value, 10, 64); err != nil || i < f.Min || i > f.Max {
			w.refuse(n, f.wants(), "%s is %q", name, typed)
		}
	case f.Type == Quantity:
		if n.Tag != "!!str" && n.Tag != "!!int" && n.Tag != "!!float" {
			w.refuse(n, f.wants(), "%s is %q", name, typed)
		}
	case n.Tag != "!!str":
		w.refuse(n, "text: put it in quotes", "%s is %q, which YAML reads as %s", name, typed, map[string]string{"!!int": "a number", "!!float": "a number", "!!bool": "true or false", "!!timestamp": "a date"}[n.Tag])
	case f.File && n.Value == "":
		w.refuse(n, "a path, or the line left out", "%s is empty", name)
	case len(f.Enum) > 0 && !slices.Contains(f.Enum, n.Value):
		w.refuse(n, f.wants(), "%s is %q", name, typed)
	case f.Pattern != "" && !regexp.MustCompile(f.Pattern).MatchString(n.Value):
		w.refuse(n, f.wants(), "%s is %q", name, typed)
	}
}

// wants says what a field may be, in words.
func (f Field) wants() string {
	switch {
	case f.Want != "":
		return f.Want
	case len(f.Enum) > 0:
		return strings.Join(f.Enum, " or ")
	case f.Type == Quantity:
		return "a Kubernetes quantity such as " + f.Default
	}
	return "a " + string(f.Type)
}

// servers judges what several servers must agree on.
func (w *walker) servers(list []Server) {
	first := map[int64]int{}
	for i, s := range list {
		at := func(field string) *yaml.Node {
			return &yaml.Node{Line: w.lines[fmt.Sprintf("spec.servers[%d].%s", i, field)]}
		}
		if before, twice := first[s.ID]; twice {
			w.refuse(at("id"), "each id once", "spec.servers[%d]: server id %d is also that of spec.servers[%d]", i, s.ID, before)
		}
		first[s.ID] = i
		if field := map[bool]string{true: "host", false: "zooCfg"}[s.ZooCfg == ""]; (s.ZooCfg == "") != (list[0].ZooCfg == "") {
			w.refuse(at(field), "zooCfg for every server, or host for every server", "spec.servers[%d] is given by %s, the first by the other", i, field)
		}
	}
}
