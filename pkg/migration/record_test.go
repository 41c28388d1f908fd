package migration_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

func TestRecordBeforeIsWriteAhead(t *testing.T) {
	s := healthy("3.8.0", 1, 2, 3)
	f := &migration.Flight{Kind: migration.Replace, ID: 1}
	next, changed := s.o.Record.Before(migration.Decision{Flight: f})
	if !changed || next.Flight == nil || s.o.Record.Flight != nil {
		t.Fatal("the flight must stand in the new record and in that only")
	}
	f.By = "changed later"
	if next.Flight.By != "" {
		t.Error("the record shares the flight with the decision")
	}
	if _, changed := next.Before(migration.Decision{Step: migration.StepFlip}); changed {
		t.Error("a decision without a flight changes nothing")
	}
}

func TestRecordAfterKeepsWhatCannotBeSeen(t *testing.T) {
	at := t0().Add(time.Second)
	in := migration.Intent{Kind: migration.Replace, ID: 1, By: "bob"}
	proof := &migration.Proof{Zxid: 9, Leader: ensemble.ID(3).Known(), At: at}
	confirmed := &migration.Confirmation{At: at, By: "bob", How: "hook"}
	replaced := at
	for name, tc := range map[string]struct {
		step    migration.StepID
		done    bool
		changed bool
		want    func(*migration.Record)
	}{
		"first canary":       {migration.StepProveBefore, true, true, func(r *migration.Record) { r.Flight.Before = proof }},
		"second canary":      {migration.StepProveAfter, true, true, func(r *migration.Record) { r.Flight.After = proof }},
		"third canary":       {migration.StepProveJoined, true, true, func(r *migration.Record) { r.Flight.Joined = proof }},
		"masked":             {migration.StepMaskHost, true, true, func(r *migration.Record) { r.Flight.Fenced = confirmed }},
		"mask only asked":    {migration.StepMaskHost, false, false, nil},
		"unmasked":           {migration.StepUnmaskHost, true, true, func(r *migration.Record) { r.Flight.Unfenced = confirmed }},
		"unmask only asked":  {migration.StepUnmaskHost, false, false, nil},
		"patched":            {migration.StepApplyPatch, true, true, func(r *migration.Record) { r.Flight.Patched = confirmed }},
		"patch only asked":   {migration.StepApplyPatch, false, false, nil},
		"what can be seen":   {migration.StepFlip, true, false, nil},
		"selector cleared":   {migration.StepClearSelector, true, true, func(r *migration.Record) { r.Flight.Cleared = &replaced }},
		"leftovers deleted":  {migration.StepDeleteLeftovers, true, true, func(r *migration.Record) { r.Flight.Cleared = &replaced }},
		"finish":             {migration.StepFinish, true, true, func(r *migration.Record) { r.Servers[0].Replaced, r.Flight = &replaced, nil }},
		"dropped":            {migration.StepForget, true, true, func(r *migration.Record) { r.Flight = nil }},
		"put off":            {migration.StepCancelRestart, true, true, func(r *migration.Record) { r.Flight = nil }},
		"finish of a revert": {migration.StepFinishRevert, true, true, func(r *migration.Record) { r.Servers[0].Replaced, r.Flight = nil, nil }},
	} {
		t.Run(name, func(t *testing.T) {
			s := healthy("3.8.0", 1, 2, 3)
			s.flight(migration.Replace, 1)
			before, _ := json.Marshal(s.o.Record)
			got, changed := s.o.Record.After(in.By, migration.Decision{Server: in.ID, Step: tc.step}, migration.Outcome{At: at, Zxid: 9, Done: tc.done, By: "hook"}, ensemble.ID(3).Known())
			if changed != tc.changed {
				t.Fatalf("changed is %v", changed)
			}
			after, _ := json.Marshal(s.o.Record)
			if diff := cmp.Diff(string(before), string(after)); diff != "" {
				t.Errorf("the record it was called on changed:\n%s", diff)
			}
			want := healthy("3.8.0", 1, 2, 3)
			want.flight(migration.Replace, 1)
			if tc.want != nil {
				tc.want(&want.o.Record)
			}
			if diff := cmp.Diff(want.o.Record, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestAuditIsBounded(t *testing.T) {
	var r migration.Record
	for i := range 1000 {
		r.Note(migration.AuditEntry{ID: ensemble.ID(i).Known()})
	}
	if len(r.Audit) != 400 || !r.Audit[399].ID.Is(999) {
		t.Errorf("%d entries, last %s", len(r.Audit), r.Audit[len(r.Audit)-1].ID)
	}
}

func TestStepsAreDescribed(t *testing.T) {
	seen := map[migration.StepID]bool{}
	for _, s := range migration.Steps() {
		if seen[s.ID] || s.Title == "" || s.Why == "" || s.Phase == "" {
			t.Errorf("step %q", s.ID)
		}
		seen[s.ID] = true
	}
}

// TestLeftoversOfAnotherOperation: what is mended beside an operation, or without
// one, is no news for its timing.
func TestLeftoversOfAnotherOperation(t *testing.T) {
	for name, set := range map[string]func(s *scene){
		"no operation":           func(*scene) {},
		"another's":              func(s *scene) { s.flight(migration.Revert, 2) },
		"another's, was cleared": func(s *scene) { s.flight(migration.Revert, 2).Cleared = ago(time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			s := healthy("3.8.0", 1, 2, 3)
			set(s)
			in := migration.Intent{Kind: migration.Replace, ID: 1, By: "bob"}
			got, changed := s.o.Record.After(in.By, migration.Decision{Server: in.ID, Step: migration.StepDeleteLeftovers}, migration.Outcome{At: t0(), Done: true}, ensemble.ID(3).Known())
			if diff := cmp.Diff(s.o.Record, got); changed || diff != "" {
				t.Errorf("changed %v\n%s", changed, diff)
			}
		})
	}
}
