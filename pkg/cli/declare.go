package cli

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/manifest"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// manifest is what is recorded, and what this command was told besides, as a file that
// wrap -f takes and that changes nothing then.
func (o *WrapOptions) manifest(rec migration.Record, desc intake.Description) ([]byte, error) {
	var err error
	if rec.Pods, err = o.pods.Over(rec.Pods, rec.Settings.Version); err != nil {
		return nil, err
	}
	e := intake.Manifest(rec)
	intake.DeclareFiles(&e, desc.Hosts, func(source string) bool { return source != "stdin" })
	for _, leaf := range manifest.Leaves("spec") {
		o.said.declare(&e, leaf)
	}
	if desc.Config != nil {
		e.Spec.Expose = intake.Exposed(rec)
	}
	text, err := manifest.Print(e)
	return fmt.Appendf(nil, "# %s says what each field means.\n%s", command.At{}.Ours("explain ensemble"), text), err
}

// declare puts a field that is not recorded as it was said, and waivers beside those that are.
func (s *said) declare(e *manifest.Ensemble, leaf manifest.Leaf) {
	to, from := reflect.ValueOf(e.Pointer(leaf.Path)).Elem(), reflect.ValueOf(s.Pointer(leaf.Path)).Elem()
	fromFile := s.doc != nil && s.doc.Has(leaf.Path)
	if fromFile {
		from = reflect.ValueOf(s.raw.Pointer(leaf.Path)).Elem() // with paths as they stand there
	}
	switch {
	case leaf.Flag == "waive":
		for _, w := range s.Spec.Waive {
			if !slices.Contains(e.Spec.Waive, w) {
				e.Spec.Waive = append(e.Spec.Waive, w)
			}
		}
	case fromFile && leaf.Flag == "" || s.given(leaf.Flag) && to.IsZero():
		to.Set(from)
	}
}

// warnUndone tells of what a manifest asks for and this command does not bring about.
func (s *said) warnUndone(at *session, rec migration.Record) {
	if s.doc == nil {
		return
	}
	undone := intake.Undone(rec, *s.doc, func(flag string) bool { return s.cmd.Flags().Lookup(flag) != nil })
	for _, u := range undone {
		fmt.Fprintf(s.deps.streams.ErrOut, "Warning: %s\n", u)
	}
	if len(undone) > 0 {
		fmt.Fprintf(s.deps.streams.ErrOut, "so that it is taken over: %s\n", at.kube.at().Ours("wrap %s -f FILE", rec.Name))
	}
}
