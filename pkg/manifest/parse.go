package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// MaxSize bounds a manifest, in bytes. One of 1000 servers has a tenth of it.
const MaxSize = 1 << 20

// Document is a manifest that was read.
type Document struct {
	Ensemble
	// File is how messages name it.
	File string
	// lines are where fields stand, by path.
	lines map[string]int
}

// Has reports whether the file gives the field of a path.
func (d Document) Has(path string) bool { return d.Line(path) > 0 }

// At is where a field stands, for a message: FILE:LINE: PATH.
func (d Document) At(path string) string {
	return fmt.Sprintf("%s:%d: %s", d.File, d.lines[path], path)
}

// Line is where a field stands, for one of a server as spec.servers[0].host; 0 where it is
// not given.
func (d Document) Line(path string) int { return d.lines[path] }

// ByAddress reports whether servers are given by their addresses, not by their files.
func (d Document) ByAddress() bool { return len(d.Spec.Servers) > 0 && d.Spec.Servers[0].Host != "" }

// Is reports whether a file is meant to be a manifest, and no zoo.cfg: it says so by its
// apiVersion or its kind.
func Is(data []byte) bool {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	start := `(?m)^`
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		start = `[{,]\s*`
	}
	return regexp.MustCompile(start + `["']?(apiVersion["']?\s*:\s*["']?zkmigrate\.io/|kind["']?\s*:\s*["']?` + Kind + `\b)`).Match(data)
}

// Parse reads a manifest strictly: what the table does not know, and values of other types
// than it says, are errors with file and line, all of them at once.
func Parse(file string, data []byte) (Document, error) {
	d := Document{File: file, lines: map[string]int{}}
	w, err := parse(file, data, Fields(), d.lines, &d.Ensemble)
	if err == nil {
		w.servers(d.Spec.Servers)
		err = errors.Join(w.errs...)
	}
	return d, err
}

// parse reads a file of the kind whose root this is.
func parse(file string, data []byte, root Field, lines map[string]int, into any) (*walker, error) {
	w := &walker{root: root, file: file, lines: lines}
	node, err := read(file, data, root)
	if err != nil {
		return w, err
	}
	w.value(node, root, "")
	if len(w.errs) == 0 {
		if err := node.Decode(into); err != nil {
			return w, &ensemble.InputError{File: file, Problem: "it cannot be read: " + words(err), Want: root.wanted()}
		}
	}
	return w, errors.Join(w.errs...)
}

// kind is what a root's files say of themselves.
func (f Field) kind() string {
	k, _ := f.Field("kind")
	return strings.Join(k.Enum, "")
}

func (f Field) wanted() string {
	see := command.At{}.Ours("explain")
	if f.kind() == FleetKind {
		see = command.At{}.Ours("explain fleet")
	}
	return "a YAML file with apiVersion: " + APIVersion + ", kind: " + f.kind() + ", metadata and spec; see " + see
}

// read is the file's one YAML document. Nothing in it is expanded yet.
func read(file string, data []byte, root Field) (*yaml.Node, error) {
	bad := func(line int, problem, want string) error {
		return &ensemble.InputError{File: file, Line: line, Problem: problem, Want: want}
	}
	if len(data) > MaxSize {
		return nil, bad(0, fmt.Sprintf("the file has %d bytes", len(data)), "a manifest of 1 MiB at most")
	}
	for i, line := range strings.Split(string(data), "\n") {
		indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
		switch {
		case !utf8.ValidString(line):
			return nil, bad(i+1, "there is something in it that is not text", "UTF-8")
		case strings.ContainsFunc(strings.TrimRight(line, "\r"), func(r rune) bool { return r != '\t' && unicode.IsControl(r) }):
			return nil, bad(i+1, "there is a control character in it", "text")
		case strings.Contains(indent, "\t") && strings.TrimSpace(line) != "":
			return nil, bad(i+1, "it is indented with a tab", "spaces, for YAML knows no tabs there")
		}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var first, second yaml.Node
	if err := decoder.Decode(&first); errors.Is(err, io.EOF) {
		return nil, bad(0, "there is nothing in it", root.wanted())
	} else if err != nil {
		return nil, bad(brokenAt(data), "this is not YAML: "+words(err), root.wanted())
	}
	// What follows may be an end of the document, and nothing else.
	switch err := decoder.Decode(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		return nil, bad(brokenAt(data), "this is not YAML: "+words(err), root.wanted())
	case second.Content[0].Tag != "!!null":
		return nil, bad(second.Content[0].Line, "a second document begins here", "one "+root.kind()+" per file")
	}
	return first.Content[0], nil
}

// brokenAt is the line that ends YAML: the parser's own is often that of the block around it.
func brokenAt(data []byte) int {
	lines := bytes.SplitAfter(data, []byte("\n"))
	return 1 + sort.Search(len(lines)-1, func(i int) bool {
		return yaml.Unmarshal(bytes.Join(lines[:i+1], nil), &yaml.Node{}) != nil
	})
}

// words is what the parser says, without its own name and line.
func words(err error) string {
	return regexp.MustCompile(`^(yaml: )?(line \d+: )?`).ReplaceAllString(err.Error(), "")
}
