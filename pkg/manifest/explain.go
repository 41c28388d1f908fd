package manifest

import (
	"fmt"
	"strings"
)

// Sentence is what is said of a field, as one or more sentences.
func (f Field) Sentence() string {
	s := f.Doc
	if f.Default != "" && !strings.Contains(s, "(default ") {
		s += fmt.Sprintf(" (default %s)", f.Default)
	}
	return s + "."
}

// Kinds are the root objects of all kinds of files.
func Kinds() []Field { return []Field{Fields(), FleetFields()} }

// Find is the field of a path such as spec.pods.memory, and the root that it belongs to,
// with the root's name before it or, of an ensemble, without; the root for that alone. An
// error names one that may be meant.
func Find(path string) (root, f Field, err error) {
	root, at := Fields(), ""
	head, rest, _ := strings.Cut(path, ".")
	for _, kind := range Kinds() {
		if strings.EqualFold(head, kind.Name) {
			root, path = kind, rest
			break
		}
	}
	if f = root; path == "" {
		return root, f, nil
	}
	for _, name := range strings.Split(path, ".") {
		sub, known := f.Field(name)
		if !known && len(f.Fields) == 0 {
			return root, f, fmt.Errorf("%s has no fields: look at it itself", at)
		}
		if !known {
			return root, f, fmt.Errorf("%s: no such field: %s", strings.TrimPrefix(at+"."+name, "."), meant(root, f, at, name))
		}
		f, at = sub, strings.TrimPrefix(at+"."+name, ".")
	}
	return root, f, nil
}

// Explain says what a field of a root is, in the form of kubectl explain; recursive lists
// all fields below it by name and type only.
func Explain(root, f Field, recursive bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "KIND:       %s\nVERSION:    %s\n\n", root.kind(), APIVersion)
	if f.Name != root.Name {
		fmt.Fprintf(&b, "FIELD: %s <%s>%s\n\n", f.Name, f.Type, f.required())
	}
	b.WriteString("DESCRIPTION:\n")
	paragraph(&b, "    ", f.Sentence())
	if len(f.Enum) > 0 {
		b.WriteString("\nENUM:\n    " + strings.Join(f.Enum, "\n    ") + "\n")
	}
	if f.Flag != "" {
		b.WriteString("\nFLAG: --" + f.Flag + "\n")
	}
	if len(f.Fields) > 0 {
		b.WriteString("\nFIELDS:\n")
		list(&b, "  ", f.Fields, recursive)
	}
	return b.String()
}

func list(b *strings.Builder, indent string, fields []Field, recursive bool) {
	for _, f := range fields {
		fmt.Fprintf(b, "%s%s\t<%s>%s\n", indent, f.Name, f.Type, f.required())
		if recursive {
			list(b, indent+"  ", f.Fields, true)
			continue
		}
		paragraph(b, indent+"  ", f.Sentence())
		b.WriteString("\n")
	}
}

func (f Field) required() string {
	switch {
	case f.Required && f.With != "":
		return " -required with " + f.With + "-"
	case f.Required:
		return " -required-"
	case f.With != "":
		return " -with " + f.With + "-"
	}
	return ""
}

// paragraph writes a text in lines of 80 characters or one word.
func paragraph(b *strings.Builder, indent, text string) {
	line := indent
	for _, word := range strings.Fields(text) {
		if len(line)+len(word) > 80 && line != indent {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line = indent
		}
		line += word + " "
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
}
