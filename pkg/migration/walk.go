package migration

import (
	"fmt"
	"iter"
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
	for at, v := range values(reflect.ValueOf(r)) {
		want := "a field that this release has a rule for"
		if rule := rules[at.key]; rule != nil {
			want = rule(v)
		}
		if want != "" {
			return &FieldError{Field: at.path, Value: shown(v), Want: want}
		}
	}
	return nil
}

// TidyNotes bounds somebody's words and puts them on one line: an error text in
// the audit, say, cannot make a journal that is refused, and one that somebody
// else has put there cannot look like a line of ours.
func (r *Record) TidyNotes() {
	words := notes()
	for at, v := range values(reflect.ValueOf(r).Elem()) {
		if slices.Contains(words, at.key) {
			v.SetString(quote.Line(v.String()))
		}
	}
}

func shown(v reflect.Value) string {
	if v.Kind() == reflect.Slice {
		return fmt.Sprintf("a list of %d", v.Len())
	}
	return fmt.Sprint(v.Interface())
}

// place is where a value stands: path in this record, as servers[1].dataDir, and key in any
// value of the type that has it, as ServerRecord.dataDir, with [] for every element of a list.
type place struct{ path, key string }

// values are all of a record, lists before their elements. Fields that are not there (nil)
// and truth values are left out.
func values(record reflect.Value) iter.Seq2[place, reflect.Value] {
	return func(yield func(place, reflect.Value) bool) { walk(record, place{}, yield) }
}

// walk visits them until visit has seen enough, and reports whether it has not.
func walk(v reflect.Value, at place, visit func(place, reflect.Value) bool) bool {
	switch {
	case v.Type() == reflect.TypeFor[time.Time](), v.Type() == reflect.TypeFor[ensemble.MaybeID]():
		return visit(at, v)
	case v.Kind() == reflect.Bool:
		return true
	case v.Kind() == reflect.Pointer:
		return v.IsNil() || walk(v.Elem(), at, visit)
	case v.Kind() == reflect.Slice:
		if !visit(at, v) {
			return false
		}
		for i := range v.Len() {
			if !walk(v.Index(i), place{fmt.Sprintf("%s[%d]", at.path, i), at.key + "[]"}, visit) {
				return false
			}
		}
		return true
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			f, in := v.Type().Field(i), at
			if !f.Anonymous {
				name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
				in = place{strings.TrimPrefix(at.path+"."+name, "."), v.Type().Name() + "." + name}
			}
			if !walk(v.Field(i), in, visit) {
				return false
			}
		}
		return true
	}
	return visit(at, v)
}
