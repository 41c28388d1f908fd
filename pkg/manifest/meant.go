package manifest

import (
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/strict"
)

// meant suggests a field of the object at path for a name that it does not have: a like
// one, one of that name in another place, or all that there are.
func meant(root, f Field, path, typed string) string {
	var known []string
	for _, sub := range f.Fields {
		known = append(known, sub.Name)
	}
	if near := strict.Meant(typed, known); near != "" {
		return "did you mean " + strings.TrimPrefix(path+"."+near, ".") + "?"
	}
	var elsewhere []string
	for _, leaf := range leaves(root, "") {
		if last := leaf.Path[strings.LastIndexByte(leaf.Path, '.')+1:]; strict.Meant(typed, []string{last}) != "" || leaf.Flag != "" && leaf.Flag == typed {
			elsewhere = append(elsewhere, leaf.Path)
		}
	}
	if len(elsewhere) > 0 {
		return "did you mean " + strings.Join(elsewhere, " or ") + "?"
	}
	return "known are " + names(f.Fields)
}

func names(fields []Field) string {
	var out []string
	for _, f := range fields {
		out = append(out, f.Name)
	}
	return strings.Join(out, ", ")
}
