package model

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestFlightIsWhole: the model keeps a flight in little. A field that is added
// to migration.Flight must be kept here, too, or the model would forget it.
func TestFlightIsWhole(t *testing.T) {
	w := newWorld(Config{IDs: three(), Version: "3.8.0"}, migration.Decide)
	full := flight{
		on: true, kind: revert, id: 2, wasLeader: true, fenced: true, unfenced: true, patched: true, aborted: true, served: true,
		before: proof{on: true, complete: true, z: zx(3, 4), age: old}, after: proof{on: true, z: zx(3, 5), age: fresh},
		joined: proof{on: true, complete: true, z: zx(4, 1), age: old}, stopAsked: old, deadSince: fresh, released: old, kicked: fresh,
		cleared: old, reportAtStop: 1, podUID: 2,
		copied: true, seed: true, renewed: true, seedAsked: old, renewing: fresh,
		gate: changed, line: 3, lineFor: 2, returning: old, unmasking: fresh, reclaimed: old,
	}
	expanded := full.migration(w)
	if got := w.flightFrom(expanded); got != full {
		t.Errorf("expanded and taken in again:\n%+v\n%+v", full, got)
	}
	// Decide does not look at these; they are for people. The model's pods do not
	// tell for how long they have watched, so a report to compare that with says
	// nothing there.
	told := map[string]bool{"Paths": true, "Epoch": true, "DeadReport": true, "OutOfMemory": true}
	v := reflect.ValueOf(*expanded)
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if v.Field(i).IsZero() && !told[name] {
			t.Errorf("the model forgets Flight.%s", name)
		}
	}
}

// TestDecideDoesNotReadWhatTheModelForgets: the fields that are for people make
// no difference to a decision.
func TestDecideDoesNotReadWhatTheModelForgets(t *testing.T) {
	w := newWorld(Config{IDs: three(), Version: "3.8.0", Begins: 1, Only: three()[:1]}, migration.Decide)
	st := w.start()
	for range 60 {
		o := w.observe(&st)
		in := migration.Intent{Kind: migration.Replace, ID: 1, By: "model"}
		d := migration.Decide(in, o)
		if f := o.Record.Flight; f != nil {
			f.Epoch, f.Started, f.By = 99, time.Unix(5, 0), "somebody"
			for _, p := range []*migration.Proof{f.Before, f.After, f.Joined} {
				if p != nil {
					p.Leader = ensemble.ID(77).Known()
				}
			}
			e := migration.Decide(in, o)
			if diff := cmp.Diff([]any{d.Kind, d.Code, d.Step}, []any{e.Kind, e.Code, e.Step}); diff != "" {
				t.Errorf("-before +after:\n%s", diff)
			}
		}
		if next, _, ok := w.look(&st, o, replace, 0, 0); ok {
			st = next
			if st.tool[0].on {
				st = w.carryOut(st)
			}
		} else {
			w.elapse(&st)
		}
		w.quiet(&st)
	}
	if !st.s[0].replaced {
		t.Error("the way was not walked to its end")
	}
}

func TestCanonicalStatesStayThemselves(t *testing.T) {
	cfg := Quick()[2]
	w := newWorld(cfg, migration.Decide)
	st := w.start()
	for range 300 {
		if c := w.canonical(st); c != st {
			t.Fatalf("renamed twice, it is another state:\n%+v\n%+v", st, c)
		}
		any := false
		w.next(&st, func(_ label, next state) { st, any = next, true })
		if !any {
			break
		}
	}
}
