package hostreport

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// Bounds of a file of reports.
const (
	// MaxBytes is its size.
	MaxBytes = 8 << 20
	// MaxReports is how many lines it has.
	MaxReports = 64
)

// Error says what of a file is not a report.
type Error struct {
	// Name is the file's.
	Name string
	// Line counts from 1; 0 where it is about the whole file.
	Line int
	// Field is the path of the field, such as paths[2].port; empty where it is about
	// the whole line.
	Field string
	// Found is what stands there; empty where something is missing.
	Found string
	// Want is what was expected.
	Want string
}

// Error names the file, the line, the field, what it is and what was expected.
func (e *Error) Error() string {
	where := "host report " + quote.Line(e.Name)
	if e.Line > 0 {
		where += fmt.Sprintf(", line %d", e.Line)
	}
	if e.Field != "" {
		where += ": " + e.Field
	}
	switch {
	case e.Found == "" && e.Field != "":
		return fmt.Sprintf("%s is missing (expected %s)", where, e.Want)
	case e.Found == "":
		return fmt.Sprintf("%s: expected %s", where, e.Want)
	case e.Field != "":
		return fmt.Sprintf("%s is %s (expected %s)", where, e.Found, e.Want)
	}
	return fmt.Sprintf("%s: %s (expected %s)", where, e.Found, e.Want)
}

// Parse reads a file that has one report per line. A line that does not fit refuses
// the file.
func Parse(r io.Reader, name string) ([]Report, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("host report %s cannot be read: %w", quote.Line(name), err)
	}
	if len(data) > MaxBytes {
		return nil, &Error{Name: name, Found: "the file is too large", Want: "8 MiB at most"}
	}
	var out []Report
	number := 0
	for line := range bytes.Lines(data) {
		number++
		line = bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\uFEFF")))
		if len(line) == 0 {
			continue
		}
		if len(out) == MaxReports {
			return nil, &Error{Name: name, Line: number, Found: "too many reports", Want: fmt.Sprintf("%d per file at most", MaxReports)}
		}
		report, err := parseLine(line)
		var wrong *Error
		if errors.As(err, &wrong) {
			wrong.Name, wrong.Line = name, number
		}
		if err != nil {
			return nil, err
		}
		out = append(out, report)
	}
	if len(out) == 0 {
		return nil, &Error{Name: name, Found: "the file is empty", Want: "the line of JSON that the host script prints"}
	}
	return out, nil
}

func parseLine(line []byte) (Report, error) {
	if line[0] != '{' {
		return Report{}, errNotReport()
	}
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.UseNumber()
	w := walker{dec: dec, rules: rules()}
	tree, err := w.value("", "")
	if err != nil {
		return Report{}, err
	}
	if dec.InputOffset() != int64(len(line)) {
		return Report{}, &Error{Found: "something follows the report on its line", Want: "one report per line"}
	}
	clean, err := json.Marshal(tree)
	if err != nil {
		return Report{}, err
	}
	var out Report
	if err := json.Unmarshal(clean, &out); err != nil {
		return Report{}, err
	}
	return out, nil
}

// walker reads a document and holds each field against its rule.
type walker struct {
	dec   *json.Decoder
	rules map[string]rule
}

// errNotReport: the line is something else, or is cut off.
func errNotReport() error {
	return &Error{Found: "the line is not a report, or only part of one", Want: "the whole line that the host script prints, and nothing else"}
}

// value reads the value at a path. The key is the path as the rules have it.
func (w walker) value(path, key string) (any, error) {
	token, err := w.dec.Token()
	if err != nil {
		return nil, errNotReport()
	}
	r := w.rules[key]
	bad := func(found, want string) error { return &Error{Field: path, Found: found, Want: want} }
	switch v := token.(type) {
	case nil:
		if r.need || strings.HasSuffix(key, "[]") {
			return nil, bad("null", string(r.kind))
		}
		return nil, nil
	case json.Delim:
		switch {
		case v == '{' && r.kind == isObject:
			return w.object(path, key)
		case v == '[' && r.kind == isList:
			return w.list(path, key, r.high)
		case v == '{':
			return nil, bad(string(isObject), string(r.kind))
		default:
			return nil, bad(string(isList), string(r.kind))
		}
	case string:
		if r.kind != isText {
			return nil, bad(quote.Text(v), string(r.kind))
		}
		if want := r.text(v); want != "" {
			return nil, bad(quote.Text(v), want)
		}
		return tidy(v), nil
	case json.Number:
		if r.kind != isNumber {
			return nil, bad(quote.Line(v.String()), string(r.kind))
		}
		n, err := v.Int64()
		if err != nil || n < r.low || n > r.high {
			return nil, bad(quote.Line(v.String()), between(r.low, r.high))
		}
		return n, nil
	case bool:
		if r.kind != isTruth {
			return nil, bad(fmt.Sprint(v), string(r.kind))
		}
		return v, nil
	}
	return nil, errNotReport()
}

func (w walker) object(path, key string) (any, error) {
	out := map[string]any{}
	for w.dec.More() {
		token, err := w.dec.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return nil, errNotReport()
		}
		at := join(path, name)
		if _, known := w.rules[join(key, name)]; !known || name == "" || strings.ContainsAny(name, ".[]") {
			return nil, &Error{Field: quote.Line(quote.Short(at, quote.MaxText)), Found: "not a field of a report", Want: "what the script prints that this release writes"}
		}
		if _, twice := out[name]; twice {
			return nil, &Error{Field: at, Found: "there twice", Want: "each field once"}
		}
		if out[name], err = w.value(at, join(key, name)); err != nil {
			return nil, err
		}
	}
	if _, err := w.dec.Token(); err != nil {
		return nil, errNotReport()
	}
	return out, w.complete(out, path, key)
}

// complete refuses an object that lacks a field.
func (w walker) complete(have map[string]any, path, key string) error {
	missing := ""
	for at, r := range w.rules {
		name, mine := strings.CutPrefix(at, key)
		name = strings.TrimPrefix(name, ".")
		if _, there := have[name]; !mine || !r.need || there || at == key || join(key, name) != at || strings.ContainsAny(name, ".[]") {
			continue
		}
		if missing == "" || name < missing {
			missing = name
		}
	}
	if missing == "" {
		return nil
	}
	return &Error{Field: join(path, missing), Want: string(w.rules[join(key, missing)].kind)}
}

func (w walker) list(path, key string, limit int64) (any, error) {
	out := []any{}
	for w.dec.More() {
		if int64(len(out)) == limit {
			return nil, &Error{Field: path, Found: "too long", Want: fmt.Sprintf("at most %d entries", limit)}
		}
		v, err := w.value(fmt.Sprintf("%s[%d]", path, len(out)), key+"[]")
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	if _, err := w.dec.Token(); err != nil {
		return nil, errNotReport()
	}
	return out, nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func between(low, high int64) string {
	if low == high {
		return fmt.Sprint(low)
	}
	return fmt.Sprintf("a number from %d to %d", low, high)
}

// tidy is a text on one line that a terminal shows as it is, without passwords.
func tidy(s string) string {
	s = strings.NewReplacer("\n", `\n`, "\t", " ").Replace(quote.Visible(s))
	return ensemble.HideSecrets(s)
}
