package manifest

import (
	"reflect"
	"strconv"
	"strings"
)

// Type is what a field holds.
type Type string

// The types, as explain and the docs name them. A quantity is one of Kubernetes', written
// as text or as a number.
const (
	Text     Type = "string"
	Number   Type = "integer"
	Quantity Type = "quantity"
	List     Type = "[]string"
	Object   Type = "object"
	Objects  Type = "[]object"
	// Map holds texts by names, Share a number or a percentage.
	Map   Type = "map[string]string"
	Share Type = "number or percentage"
)

// Field is one field: everything that is said of it anywhere.
type Field struct {
	Name string
	Type Type
	// Doc is one sentence, without a period, or a few.
	Doc string
	// Flag is that of commands which says the same, File that it is a file's path, which
	// begins in the manifest's own directory.
	Flag string
	File bool
	// Default is what holds where nobody has said anything, now or before.
	Default string
	// Enum are the values of a Text or List, Pattern what others must match; Want puts that
	// into words. Min and Max bound a Number.
	Enum     []string
	Pattern  string
	Want     string
	Min, Max int64
	// Required is one that must be given; with With, where the field beside it that With
	// names is given, and nowhere else.
	Required bool
	With     string
	// Fields are those of an Object, or of each of Objects. Of those in OneOf exactly one is
	// given, of those in NotBoth at most one.
	Fields         []Field
	OneOf, NotBoth []string
}

// Field finds a field of an object by its name.
func (f Field) Field(name string) (Field, bool) {
	for _, sub := range f.Fields {
		if sub.Name == name {
			return sub, true
		}
	}
	return Field{}, false
}

// DefaultNumber is the default of a Number.
func (f Field) DefaultNumber() int64 {
	n, _ := strconv.ParseInt(f.Default, 10, 64) // the table's own; none is 0
	return n
}

// Leaf is a field with its path from the root, as spec.pods.memory; items of lists have
// none of their own.
type Leaf struct {
	Path string
	Field
}

// Leaves are all fields of an ensemble below path that are no objects, in order; below ""
// all of them.
func Leaves(path string) []Leaf { return leaves(Fields(), path) }

func leaves(root Field, path string) []Leaf {
	var out []Leaf
	var walk func(at string, f Field)
	walk = func(at string, f Field) {
		if f.Type != Object {
			if at == path || path == "" || strings.HasPrefix(at, path+".") {
				out = append(out, Leaf{at, f})
			}
			return
		}
		for _, sub := range f.Fields {
			walk(strings.TrimPrefix(at+"."+sub.Name, "."), sub)
		}
	}
	walk("", root)
	return out
}

// Pointer is where an ensemble keeps the field of a path: a *string, *int64, *[]string or
// *[]Server; nil where there is none.
func (e *Ensemble) Pointer(path string) any {
	v := reflect.ValueOf(e).Elem()
	for _, name := range strings.Split(path, ".") {
		if v = named(v, name); !v.IsValid() {
			return nil
		}
	}
	return v.Addr().Interface()
}

// named is the field of a structure that has a name in YAML.
func named(v reflect.Value, name string) reflect.Value {
	if v.Kind() != reflect.Struct {
		return reflect.Value{}
	}
	for i := range v.NumField() {
		if tag, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ","); tag == name {
			return v.Field(i)
		}
	}
	return reflect.Value{}
}
