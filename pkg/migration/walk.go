package migration

import (
	"fmt"
	"reflect"
	"slices"
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
	return walk(reflect.ValueOf(r), place{}, func(p place, v reflect.Value) error {
		rule, ok := rules[p.key]
		if !ok {
			return &FieldError{Field: p.String(), Value: shown(v), Want: "a field that this release has a rule for"}
		}
		if want := rule(v); want != "" {
			return &FieldError{Field: p.String(), Value: shown(v), Want: want}
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
	return walk(reflect.ValueOf(r).Elem(), place{}, func(p place, v reflect.Value) error {
		if words[p.key] {
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

// place is where in a record a value stands. key has [] for the number of each element; at has
// these numbers.
type place struct {
	key string
	at  []int
}

// String is the path, as servers[1].dataDir.
func (p place) String() string {
	path := p.key
	for _, n := range p.at {
		path = strings.Replace(path, "[]", fmt.Sprintf("[%d]", n), 1)
	}
	return path
}

func (p place) element(n int) place { return place{p.key + "[]", append(slices.Clip(p.at), n)} }

func (p place) field(name string) place {
	if p.key == "" {
		return place{name, p.at}
	}
	return place{p.key + "." + name, p.at}
}

// walk visits every value of a record, lists before their elements. Fields that are not
// there (nil) and truth values are left out.
func walk(v reflect.Value, p place, visit func(p place, v reflect.Value) error) error {
	switch {
	case v.Type() == reflect.TypeFor[time.Time](), v.Type() == reflect.TypeFor[ensemble.MaybeID]():
		return visit(p, v)
	case v.Kind() == reflect.Bool:
		return nil
	case v.Kind() == reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return walk(v.Elem(), p, visit)
	case v.Kind() == reflect.Slice:
		if err := visit(p, v); err != nil {
			return err
		}
		for i := range v.Len() {
			if err := walk(v.Index(i), p.element(i), visit); err != nil {
				return err
			}
		}
		return nil
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			f, at := v.Type().Field(i), p
			if !f.Anonymous {
				name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
				at = p.field(name)
			}
			if err := walk(v.Field(i), at, visit); err != nil {
				return err
			}
		}
		return nil
	}
	return visit(p, v)
}
