//go:build integration

package integration

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/cluster"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// Everything an operator with the published Role does is allowed, and
// everything the Role allows is used.
func TestTheRoleIsEnoughAndNotMore(t *testing.T) {
	used := map[string]bool{}
	for _, api := range []migration.EndpointsAPI{migration.EndpointSlices, migration.LegacyEndpoints} {
		s := newSite(t, api)
		s.wholeRoad()
		_, err := journal.List(s.ctx, s.kube, journal.In(s.ns), command.Via{})
		s.must("list", err)
		// What of it asks about the whole cluster is refused here, and then unknown.
		_, err = s.c.Room(s.ctx, s.rec)
		s.must("room", err)
		s.keepsPasswords()
		for _, what := range s.used.list() {
			used[what] = true
		}
		// A server-side apply is a patch, and is checked for "create" as well
		// when the object is new (apiserver, patch.go).
		for _, resource := range []string{"services", "configmaps", "apps/statefulsets", "policy/poddisruptionbudgets"} {
			used[resource+" create"] = true
		}
	}
	// A ClusterRole's, in no Role; they were refused.
	for _, what := range []string{"nodes list", "persistentvolumes list", "storage.k8s.io/storageclasses list"} {
		delete(used, what)
	}
	// No pod runs here; streams into one are opened end to end (test/e2e), and refused in
	// TestThroughAPodWithLess.
	used["pods/exec get"], used["pods/exec create"] = true, true
	data, err := os.ReadFile("../../docs/rbac/role.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var role rbacv1.Role
	if err := yaml.UnmarshalStrict(data, &role); err != nil {
		t.Fatal(err)
	}
	var granted, asked []string
	for _, r := range role.Rules {
		for _, v := range r.Verbs {
			granted = append(granted, strings.TrimPrefix(r.APIGroups[0]+"/"+r.Resources[0], "/")+" "+v)
		}
	}
	for what := range used {
		asked = append(asked, what)
	}
	slices.Sort(granted)
	slices.Sort(asked)
	if diff := cmp.Diff(asked, granted); diff != "" {
		t.Errorf("the Role (-used +granted):\n%s", diff)
	}
}

// keepsPasswords makes the Secret of the lines that nobody may read; made again it is the
// same one, which is known without reading it.
func (s *site) keepsPasswords() {
	s.t.Helper()
	secret, err := render.Private(s.rec, render.PrivateLines{All: "ssl.keyStore.password=s3cr3t\n"})
	s.must("render", err)
	for _, want := range []cluster.Result{cluster.Created, cluster.Unchanged} {
		result, err := s.c.MakeSecret(s.ctx, secret)
		s.must("make", err)
		if result != want {
			s.t.Errorf("the Secret was %s, want %s", result, want)
		}
	}
}

// Without the Role every error says what is missing and where it is written.
func TestWithoutTheRole(t *testing.T) {
	s := newSite(t, migration.EndpointSlices)
	s.must("unbind", s.cp.admin.RbacV1().RoleBindings(s.ns).Delete(s.ctx, "zkmigrate-"+operatorUser, deleteNow()))
	eventually(t, "the authorizer has noticed", func() (bool, string) {
		_, err := s.c.Observe(s.ctx, s.rec)
		return cluster.IsReason(err, cluster.Forbidden) && strings.Contains(err.Error(), "kubectl zkmigrate rbac"), errText(err)
	})
	_, err := s.c.Wrap(s.ctx, s.rec, false)
	if !cluster.IsReason(err, cluster.Forbidden) {
		t.Errorf("wrap: %v", err)
	}
	if lacking := s.lacking(); len(lacking) < 20 {
		t.Errorf("missing: %v", lacking)
	}
}

// Two operators at the same journal and lock, on a real API server.
func TestJournalAndLockAgainstARealServer(t *testing.T) {
	s := newSite(t, migration.EndpointSlices)
	a, b := journal.New(s.kube, s.ns, "main"), journal.New(s.kube, s.ns, "main")
	s.must("create", a.Create(s.ctx, s.rec))
	if err := b.Create(s.ctx, s.rec); !journal.IsExists(err) {
		t.Errorf("second create: %v", err)
	}
	_, err := b.Load(s.ctx)
	s.must("load", err)
	other := s.rec
	other.Note(migration.AuditEntry{By: "alice", Step: "park"})
	s.must("save", a.Save(s.ctx, other))
	if err := b.Save(s.ctx, s.rec); !journal.IsStale(err) {
		t.Errorf("save on an old view: %v", err)
	}
	alice := journal.Lease{Kube: s.kube, Namespace: s.ns, Name: "main", Holder: "alice@laptop/1/a", Duration: 2 * time.Second, Renew: 200 * time.Millisecond}
	dying, kill := context.WithCancel(s.ctx)
	if _, err := alice.Acquire(dying); err != nil {
		t.Fatal(err)
	}
	bob := alice
	bob.Holder = "bob@server/2/b"
	if _, err := bob.Acquire(s.ctx); err == nil {
		t.Error("the lock was taken from a living holder")
	} else if held, ok := journal.IsHeld(err); !ok || held.Holder != alice.Holder {
		t.Errorf("refusal: %v", err)
	}
	kill()
	eventually(t, "the lock of a dead holder is free", func() (bool, string) {
		lock, err := bob.Acquire(s.ctx)
		if err != nil {
			return false, err.Error()
		}
		return lock.Release(s.ctx) == nil, ""
	})
}
