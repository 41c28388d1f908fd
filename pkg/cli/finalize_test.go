package cli

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// TestKustomizeBase: every object has a file, and kustomization.yaml lists all.
func TestKustomizeBase(t *testing.T) {
	service := func(name string) render.Object {
		return &corev1.Service{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}, ObjectMeta: metav1.ObjectMeta{Name: name}}
	}
	files, err := kustomizeBase([]render.Object{service("zk1-1"), service("zk1-2")})
	if err != nil || len(files) != 3 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	list := string(files[2].data)
	for _, f := range files[:2] {
		if !strings.Contains(list, "- "+f.name+"\n") || !strings.Contains(string(f.data), "kind: Service") {
			t.Errorf("%s is not listed, or is not its object:\n%s\n%s", f.name, list, f.data)
		}
	}
}

// TestEnding: flags that exclude each other, and what is asked of Decide.
func TestEnding(t *testing.T) {
	for name, c := range map[string]struct {
		end    ending
		dryRun string
		ok     bool
	}{
		"the name":            {ending{giveUp: "zk1", helpers: true}, "none", true},
		"back":                {ending{undo: true}, "none", true},
		"both":                {ending{undo: true, giveUp: "zk1"}, "none", false},
		"back, and deleted":   {ending{undo: true, helpers: true}, "none", false},
		"asks the API server": {ending{}, dryRunServer, false},
	} {
		if err := c.end.check(c.dryRun); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	in := (&ending{giveUp: "zk1"}).wants(migration.Intent{})
	if back := (&ending{undo: true}).wants(migration.Intent{}); !in.Plain || in.Regate || in.GiveUp != "zk1" || back.Plain || !back.Regate {
		t.Errorf("%+v, %+v", in, back)
	}
}

// TestNothingBeginsAgain: of an ensemble that was finalized no command but finalize takes the
// lock; once its journal is a report, nobody takes its name for a free one.
func TestNothingBeginsAgain(t *testing.T) {
	s := wrapped(t, "3.8.0")
	refused := func(what string, err error) {
		t.Helper()
		if r := (*refusedError)(nil); !errors.As(err, &r) || r.code != migration.CodeFinalized || !strings.Contains(r.next, "rollout status statefulset "+render.StatefulSetName(s.name)) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := s.archived(t.Context()); err != nil {
		t.Errorf("before the end: %v", err)
	}
	rec, err := s.record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rec.Finalized = &migration.Confirmation{At: time.Now(), By: "ada"}
	if err := s.journal.Save(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	worked := false
	work := func(context.Context) error { worked = true; return nil }
	refused("a command that writes", s.locked(t.Context(), work))
	if worked {
		t.Error("it has worked")
	}
	s.ending = true
	if err := s.locked(t.Context(), work); err != nil || !worked {
		t.Errorf("finalize itself: %v", err)
	}

	if err := s.journal.Archive(t.Context()); err != nil {
		t.Fatal(err)
	}
	refused("wrap", s.archived(t.Context()))
	_, err = s.record(t.Context())
	refused("any other command", err)
	if !(&ending{}).over(err) || (&ending{undo: true}).over(err) || (&ending{}).over(nil) {
		t.Error("finalize has nothing left to do, and nothing else has")
	}
	maps := s.kube.client.CoreV1().ConfigMaps(s.kube.namespace)
	report, err := maps.Get(t.Context(), render.ReportName(s.name), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	report.Data = map[string]string{journal.Key: "{"}
	if _, err := maps.Update(t.Context(), report, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	refused("wrap beside a garbled report", s.archived(t.Context()))
}
