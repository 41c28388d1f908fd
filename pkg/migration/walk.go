package migration

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// FieldError says which field of the journal does not fit.
type FieldError struct {
	// Field is its path in the JSON, as servers[1].dataDir.
	Field string
	// Value is what stands there.
	Value string
	// Want is what was expected.
	Want string
}

// Error shows the value quoted and shortened: it may be anything.
func (e *FieldError) Error() string {
	return fmt.Sprintf("%s is %s (expected %s)", e.Field, quote.Text(e.Value), e.Want)
}

// checkFields holds every field against its rule; the first that does not fit
// is the error.
func (r Record) checkFields() error {
	rules := fieldRules()
	return walk(reflect.ValueOf(r), "", "", func(path, key string, v reflect.Value) error {
		rule, ok := rules[key]
		if !ok {
			return &FieldError{Field: path, Value: shown(v), Want: "a field that this release has a rule for"}
		}
		if want := rule(v); want != "" {
			return &FieldError{Field: path, Value: shown(v), Want: want}
		}
		return nil
	})
}

// TidyNotes bounds somebody's words and puts them on one line: an error text in
// the audit, say, cannot make a journal that is refused, and one that somebody
// else has put there cannot look like a line of ours.
func (r *Record) TidyNotes() error {
	words := map[string]bool{}
	for _, key := range notes() {
		words[key] = true
	}
	return walk(reflect.ValueOf(r).Elem(), "", "", func(_, key string, v reflect.Value) error {
		if words[key] {
			v.SetString(quote.Line(v.String()))
		}
		return nil
	})
}

func shown(v reflect.Value) string {
	if v.Kind() == reflect.Slice {
		return fmt.Sprintf("a list of %d", v.Len())
	}
	return fmt.Sprint(v.Interface())
}

// walk visits every value of a record, lists before their elements. path has
// the elements' numbers, key has [] in their place. Fields that are not there
// (nil) and truth values are left out.
func walk(v reflect.Value, path, key string, visit func(path, key string, v reflect.Value) error) error {
	switch {
	case v.Type() == reflect.TypeFor[time.Time](), v.Type() == reflect.TypeFor[ensemble.MaybeID]():
		return visit(path, key, v)
	case v.Kind() == reflect.Bool:
		return nil
	case v.Kind() == reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return walk(v.Elem(), path, key, visit)
	case v.Kind() == reflect.Slice:
		if err := visit(path, key, v); err != nil {
			return err
		}
		for i := range v.Len() {
			if err := walk(v.Index(i), fmt.Sprintf("%s[%d]", path, i), key+"[]", visit); err != nil {
				return err
			}
		}
		return nil
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			p, k := dotted(path, name), dotted(key, name)
			if f.Anonymous {
				p, k = path, key
			}
			if err := walk(v.Field(i), p, k, visit); err != nil {
				return err
			}
		}
		return nil
	}
	return visit(path, key, v)
}

func dotted(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
