//go:build model && former

package model

import (
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/test/model/former"
)

// statusEvery is after how many decisions status is compared as well.
const statusEvery = 8

// TestSame runs the rules of an earlier commit beside those of now, in every state of
// all whole configurations and in walks: make test-same FORMER=COMMIT.
func TestSame(t *testing.T) {
	into := recast(reflect.TypeFor[migration.Observation](), reflect.TypeFor[former.Observation]())
	intent := recast(reflect.TypeFor[migration.Intent](), reflect.TypeFor[former.Intent]())
	back := recast(reflect.TypeFor[former.Decision](), reflect.TypeFor[migration.Decision]())
	status := recast(reflect.TypeFor[former.EnsembleStatus](), reflect.TypeFor[migration.EnsembleStatus]())
	var asked, compared atomic.Int64
	both := func(in migration.Intent, o migration.Observation) migration.Decision {
		n := compared.Add(1)
		now := migration.Decide(in, o)
		var fo former.Observation
		var fin former.Intent
		var was migration.Decision
		into(reflect.ValueOf(&fo).Elem(), reflect.ValueOf(&o).Elem())
		intent(reflect.ValueOf(&fin).Elem(), reflect.ValueOf(&in).Elem())
		fd := former.Decide(fin, fo)
		back(reflect.ValueOf(&was).Elem(), reflect.ValueOf(&fd).Elem())
		diff := differs(was, now)
		if n%statusEvery == 0 && diff == "" {
			var st migration.EnsembleStatus
			fst := former.Summarize(fo)
			status(reflect.ValueOf(&st).Elem(), reflect.ValueOf(&fst).Elem())
			diff = differs(saysNow(st), saysNow(migration.Summarize(o)))
		}
		if diff != "" {
			panic(fmt.Sprintf("the rules of then and of now differ (-then +now):\n%s\nintent %+v\nobservation %s", diff, in, cmp.Diff(migration.Observation{}, o)))
		}
		return now
	}
	once := func() decideFunc {
		known := remember(both)
		return func(in migration.Intent, o migration.Observation) migration.Decision {
			asked.Add(1)
			return known(in, o)
		}
	}
	explored := func(cfg Config, limit int) func(*testing.T) {
		return func(t *testing.T) {
			if cfg.Limit > 0 {
				limit = cfg.Limit
			}
			r := Explore(cfg, once(), limit)
			t.Logf("%d states, whole %v, %s", r.States, r.Whole, r.Took)
		}
	}
	for _, cfg := range Quick() {
		t.Run("quick/"+strings.ReplaceAll(cfg.Name, " ", "_"), explored(cfg, 1_000_000))
	}
	for _, cfg := range Walks() {
		t.Run("walks/"+strings.ReplaceAll(cfg.Name, " ", "_"), func(*testing.T) { Walk(cfg, once(), 100_000, 1) })
	}
	for _, cfg := range Whole() {
		t.Run("whole/"+strings.ReplaceAll(cfg.Name, " ", "_")+"_"+cfg.Version, explored(cfg, stateLimit))
	}
	t.Logf("asked %d times, both of them %d different questions: every decision was the same", asked.Load(), compared.Load())
}

// saysNow leaves out the name of the phase that an operation has come to, which is a
// word for people.
func saysNow(st migration.EnsembleStatus) migration.EnsembleStatus {
	for i := range st.Servers {
		st.Servers[i].Phase, _, _ = strings.Cut(st.Servers[i].Phase, ":")
	}
	for i := range st.Problems {
		st.Problems[i].Text, _, _ = strings.Cut(st.Problems[i].Text, ", and has come to: ")
	}
	return st
}

// differs compares without building text first.
func differs[T any](a, b T) string {
	if reflect.DeepEqual(a, b) {
		return ""
	}
	return cmp.Diff(a, b)
}

// copier sets a value of one type from a value of another that has fields of the same names.
type copier func(to, from reflect.Value)

// recast returns the copier between two types; fields that only one of them has are
// left out.
func recast(from, to reflect.Type) copier {
	if from == to {
		return func(to, from reflect.Value) { to.Set(from) }
	}
	switch from.Kind() {
	case reflect.Struct:
		var parts []copier
		for i := range to.NumField() {
			field, ok := from.FieldByName(to.Field(i).Name)
			if read := moved(to.Field(i).Name); read != nil && from == reflect.TypeFor[migration.PodView]() && (!ok || field.Type.Kind() != to.Field(i).Type.Kind()) {
				parts = append(parts, func(to, from reflect.Value) {
					pod, _ := from.Addr().Interface().(*migration.PodView)
					to.Field(i).Set(reflect.ValueOf(read(pod)).Convert(to.Field(i).Type()))
				})
				continue
			}
			if part := to.Field(i); !ok && part.Anonymous {
				whole := recast(from, part.Type)
				parts = append(parts, func(to, from reflect.Value) { whole(to.Field(i), from) })
			}
			if !ok {
				continue
			}
			part := recast(field.Type, to.Field(i).Type)
			parts = append(parts, func(to, from reflect.Value) { part(to.Field(i), from.FieldByIndex(field.Index)) })
		}
		return func(to, from reflect.Value) {
			for _, part := range parts {
				part(to, from)
			}
		}
	case reflect.Pointer:
		part := recast(from.Elem(), to.Elem())
		return func(to, from reflect.Value) {
			if from.IsNil() {
				return
			}
			to.Set(reflect.New(to.Type().Elem()))
			part(to.Elem(), from.Elem())
		}
	case reflect.Slice:
		part := recast(from.Elem(), to.Elem())
		return func(to, from reflect.Value) {
			if from.IsNil() {
				return
			}
			to.Set(reflect.MakeSlice(to.Type(), from.Len(), from.Len()))
			for i := range from.Len() {
				part(to.Index(i), from.Index(i))
			}
		}
	}
	return func(to, from reflect.Value) { to.Set(from.Convert(to.Type())) }
}
