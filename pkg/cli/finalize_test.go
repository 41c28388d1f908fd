package cli

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/access"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// TestKustomizeBase: every object but a Secret has a file, and kustomization.yaml lists all.
func TestKustomizeBase(t *testing.T) {
	service := func(name string) render.Object {
		return &corev1.Service{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}, ObjectMeta: metav1.ObjectMeta{Name: name}}
	}
	secret := &corev1.Secret{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}}
	files, err := kustomizeBase([]render.Object{secret, service("zk1-1"), service("zk1-2")})
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

// TestStorePlainFiles: what pods without a gate mount is not made before the rules allow it, made
// again where it is gone, and refused where it would differ from pod to pod.
func TestStorePlainFiles(t *testing.T) {
	s, out := wrapped(t, "3.8.0"), &bytes.Buffer{}
	ctx, client := t.Context(), s.kube.client
	files := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "files", Namespace: "zk"}, Data: map[string][]byte{"jvm-flags": []byte("-Da=lab-secret")}}
	if _, err := client.CoreV1().Secrets("zk").Create(ctx, files, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	stored := func(giveUp string, plain bool, flags string) (migration.Record, error) {
		t.Helper()
		files.Data["jvm-flags"] = []byte(flags)
		if _, err := client.CoreV1().Secrets("zk").Update(ctx, files, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		rec, err := s.record(ctx)
		if err != nil {
			t.Fatal(err)
		}
		rec.Pods.ZooCfg, rec.Pods.FilesSecret, rec.Pods.Plain = "dataDir=/zookeeper/data\n", "files", plain
		err = s.locked(ctx, func(ctx context.Context) error { return (&ending{giveUp: giveUp}).store(ctx, s, rec, out) })
		after, failed := s.record(ctx)
		if failed != nil {
			t.Fatal(failed)
		}
		return after, err
	}
	ours := func() (names []string) {
		t.Helper()
		list, err := client.CoreV1().Secrets("zk").List(ctx, metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range list.Items {
			if secret.Name != "files" {
				names = append(names, secret.Name)
			}
		}
		return names
	}
	if rec, err := stored("demo", false, "-Da=lab-secret"); err != nil || rec.Pods.PlainFiles != nil || len(ours()) != 0 {
		t.Errorf("the name alone writes: %v, %+v, %v", err, rec.Pods.PlainFiles, ours())
	}
	rec, err := s.record(ctx)
	if err != nil {
		t.Fatal(err)
	}
	rec.Pods.ZooCfg, rec.Pods.FilesSecret = "dataDir=/zookeeper/data\n", "files"
	if err := s.locked(ctx, func(ctx context.Context) error {
		if rec.Pods.PlainFiles, err = s.kube.cluster().Ungate(ctx, rec); err != nil {
			return err
		}
		return s.save(ctx, rec)
	}); err != nil {
		t.Fatal(err)
	}
	if rec.Pods.PlainFiles == nil || len(ours()) != 1 || ours()[0] != rec.Pods.PlainFiles.Secret {
		t.Fatalf("%+v, %v", rec.Pods.PlainFiles, ours())
	}
	if err := client.CoreV1().Secrets("zk").Delete(ctx, rec.Pods.PlainFiles.Secret, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := stored("", true, "-Da=lab-secret"); err != nil || len(ours()) != 0 {
		t.Errorf("made without the name: %v, %v", err, ours())
	}
	if _, err := stored("demo", true, "-Da=lab-secret"); err != nil || len(ours()) != 1 {
		t.Errorf("it is not made again: %v, %v", err, ours())
	}
	var refused *refusedError
	if _, err := stored("demo", true, "-Da=another"); !errors.As(err, &refused) || !strings.Contains(refused.next, "finalize demo --undo") || len(ours()) != 1 {
		t.Errorf("%v, %v", err, ours())
	}
	if strings.Contains(out.String(), "lab-secret") || !strings.Contains(out.String(), "secret/demo-conf-") {
		t.Errorf("it says %q", out)
	}
}

// TestFinalizeNeeds: Secrets are read on the way to the end alone.
func TestFinalizeNeeds(t *testing.T) {
	ended := migration.Record{Finalized: &migration.Confirmation{}}
	for name, c := range map[string]struct {
		end   ending
		rec   migration.Record
		reads bool
	}{
		"on the way":    {ending{giveUp: "zk1"}, migration.Record{}, true},
		"back":          {ending{undo: true}, migration.Record{}, false},
		"after the end": {ending{giveUp: "zk1", helpers: true}, ended, false},
	} {
		o := &MoveOptions{kind: migration.Apply, end: &c.end}
		reads := slices.ContainsFunc(o.needs(c.rec), func(n access.Need) bool { return n.When == access.Finalizing })
		if reads != c.reads {
			t.Errorf("%s: it asks to read Secrets: %v", name, reads)
		}
	}
}
