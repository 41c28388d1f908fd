package journal

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

func record(namespace, name string) migration.Record {
	return migration.Record{
		APIVersion: migration.RecordVersion, Kind: Kind, Name: name, Namespace: namespace,
		EndpointsAPI: migration.EndpointSlices,
		Servers: []migration.ServerRecord{{
			Server: ensemble.Server{ID: 2, Role: ensemble.Participant, Weight: 1, ClientPort: 2181,
				PeerAddress: ensemble.PeerAddress{Host: "zk2", PeerPort: 2888, ElectionPort: 3888}},
			HostIP: "10.1.0.2", Service: name + "-2",
		}},
	}
}

func TestJournalRoundTrip(t *testing.T) {
	ctx := context.Background()
	kube := versioned(t)
	j := New(kube, "zk", "main")
	if _, err := j.Load(ctx); !IsNotFound(err) {
		t.Fatalf("Load of nothing: %v", err)
	}
	want := record("zk", "main")
	if err := j.Create(ctx, want); err != nil {
		t.Fatal(err)
	}
	if err := New(kube, "zk", "main").Create(ctx, want); !IsExists(err) {
		t.Errorf("second Create: %v", err)
	}
	want.Note(migration.AuditEntry{By: "alice", Step: "park"})
	if err := j.Save(ctx, want); err != nil {
		t.Fatalf("Save after Create: %v", err)
	}
	if err := j.Save(ctx, want); err != nil {
		t.Fatalf("Save after Save: %v", err)
	}
	got, err := New(kube, "zk", "main").Load(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	cm, err := kube.CoreV1().ConfigMaps("zk").Get(ctx, "main-zkmigrate", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if cm.Labels[render.EnsembleLabel] != "main" {
		t.Errorf("labels %v", cm.Labels)
	}
}

func TestJournalSaveLosesAgainstAnotherWriter(t *testing.T) {
	ctx := context.Background()
	kube := versioned(t)
	a, b := New(kube, "zk", "main"), New(kube, "zk", "main")
	rec := record("zk", "main")
	if err := a.Save(ctx, rec); err == nil {
		t.Error("Save without Load went through")
	}
	if err := a.Create(ctx, rec); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Load(ctx); err != nil {
		t.Fatal(err)
	}
	if err := a.Save(ctx, rec); err != nil {
		t.Fatal(err)
	}
	if err := b.Save(ctx, rec); !IsStale(err) {
		t.Errorf("Save on an old view: %v", err)
	}
	if _, err := b.Load(ctx); err != nil {
		t.Fatal(err)
	}
	if err := b.Save(ctx, rec); err != nil {
		t.Errorf("Save after a new look: %v", err)
	}
}

func TestJournalRefusesWhatItCannotRead(t *testing.T) {
	tests := map[string]struct{ data, want string }{
		"later":     {`{"apiVersion":"zkmigrate.io/v1","name":"main","namespace":"zk"}`, "reads \"zkmigrate.io/v1alpha1\" only"},
		"no json":   {`x`, "is not JSON"},
		"two":       {`{"apiVersion":"zkmigrate.io/v1alpha1","name":"main","namespace":"zk"} {}`, "garbled at byte 71 of 72"},
		"words":     {`{"apiVersion":"zkmigrate.io/v1alpha1","name":"main","namespace":"zk"} # by hand`, "garbled at byte 71 of 79"},
		"a brace":   {`{"apiVersion":"zkmigrate.io/v1alpha1","name":"main","namespace":"zk"}}`, "garbled at byte 70 of 70"},
		"later two": {`{"apiVersion":"zkmigrate.io/v1","name":"main","namespace":"zk"} x`, "is not JSON"},
		"bad types": {`{"apiVersion":"zkmigrate.io/v1alpha1","servers":3}`, "cannot be read"},
		"copied":    {`{"apiVersion":"zkmigrate.io/v1alpha1","name":"main","namespace":"other"}`, "copied"},
		"other": {`{"apiVersion":"zkmigrate.io/v1alpha1","name":"x","namespace":"zk","servers":[{"id":1,"role":"participant","weight":1,
			"hostIP":"10.1.0.1","clientPort":2181,"peerPort":2888,"electionPort":3888}]}`, "is that of ensemble"},
		"no key": {"", "no key"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "main-zkmigrate", Namespace: "zk"}}
			if tc.data != "" {
				cm.Data = map[string]string{Key: tc.data}
			}
			_, err := New(versioned(t, cm), "zk", "main").Load(context.Background())
			var e *FormatError
			if !errors.As(err, &e) || !strings.Contains(err.Error(), tc.want) || !e.Permanent() {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

// TestJournalOfAnotherRelease: what a later release has added under the same
// version would be gone after the next save, and with it a proof or a
// confirmation; nor is such a journal taken for a garbled one.
func TestJournalOfAnotherRelease(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		old, with string
		broken    bool
		says      string
	}{
		"a field of the record":  {`"servers"`, `"quorumSeen": true, "servers"`, false, "quorumSeen"},
		"a field of a server":    {`"hostIP"`, `"zone": "a", "hostIP"`, false, "zone"},
		"servers without a vote": {`"weight": 1`, `"weight": 0`, true, "vote"},
		"a type that is none":    {`"weight": 1`, `"weight": "one"`, true, "weight"},
	} {
		t.Run(name, func(t *testing.T) {
			kube := versioned(t)
			j := New(kube, "zk", "main")
			if err := j.Create(ctx, record("zk", "main")); err != nil {
				t.Fatal(err)
			}
			cm, err := kube.CoreV1().ConfigMaps("zk").Get(ctx, "main-zkmigrate", metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			cm.Data[Key] = strings.Replace(cm.Data[Key], c.old, c.with, 1)
			if _, err := kube.CoreV1().ConfigMaps("zk").Update(ctx, cm, metav1.UpdateOptions{}); err != nil {
				t.Fatal(err)
			}
			_, err = j.Load(ctx)
			if err == nil || !strings.Contains(err.Error(), c.says) || IsBroken(err) != c.broken {
				t.Errorf("broken %t: %v", IsBroken(err), err)
			}
		})
	}
}
