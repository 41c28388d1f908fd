//go:build integration

package integration

import (
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/access"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// newNarrowSite is a site whose operator has just the Role that is printed for
// its ensemble.
func newNarrowSite(t *testing.T, api migration.EndpointsAPI) *site {
	t.Helper()
	cp, ns := plain(t)
	cp.grant(t, ns, access.Of(ensembleRecord(ns, api), true).Role(), operatorUser)
	return newSiteIn(t, cp, ns, api)
}

// The Role for one ensemble is enough for the whole road and back, with both
// endpoints APIs, and for no other ensemble.
func TestTheNarrowRoleIsEnough(t *testing.T) {
	for _, api := range []migration.EndpointsAPI{migration.EndpointSlices, migration.LegacyEndpoints} {
		t.Run(string(api), func(t *testing.T) {
			s := newNarrowSite(t, api)
			s.wholeRoad()
			s.off("another ensemble's Service", func() error {
				_, err := s.kube.CoreV1().Services(s.ns).Patch(s.ctx, "other-1", types.ApplyPatchType,
					[]byte(`{"apiVersion":"v1","kind":"Service","metadata":{"name":"other-1"},"spec":{"ports":[{"port":1}]}}`), metav1.PatchOptions{FieldManager: "x"})
				return err
			})
			s.off("another ConfigMap", func() error {
				_, err := s.kube.CoreV1().ConfigMaps(s.ns).Get(s.ctx, "other-zkmigrate", metav1.GetOptions{})
				return err
			})
			s.off("all ConfigMaps", func() error {
				_, err := journal.List(s.ctx, s.kube, journal.In(s.ns), command.Via{})
				return err
			})
			s.off("another pod", func() error { return s.kube.CoreV1().Pods(s.ns).Delete(s.ctx, "other-pod-0", metav1.DeleteOptions{}) })
			s.off("its Service", func() error { return s.kube.CoreV1().Services(s.ns).Delete(s.ctx, "main-5", metav1.DeleteOptions{}) })
		})
	}
}

// off wants the API server to refuse.
func (s *site) off(what string, f func() error) {
	s.t.Helper()
	if err := f(); !apierrors.IsForbidden(err) {
		s.t.Errorf("%s: %v", what, err)
	}
}

// wholeRoad wraps, parks, replaces a server and takes it back, with journal and
// lock, as the commands do.
func (s *site) wholeRoad() {
	s.t.Helper()
	s.wrap()
	s.wrap()
	s.must("park", s.c.Park(s.ctx, s.rec))
	w := follow(s.t, s.cp, s.ns, "main-5")
	s.t.Cleanup(w.stop)
	w.waitFor("10.1.0.5")
	s.replaceAndRevert(w, "10.1.0.5", "10.244.9.1", "10.244.9.2")
	j := journal.New(s.kube, s.ns, "main")
	s.must("journal", j.Create(s.ctx, s.rec))
	_, err := j.Load(s.ctx)
	s.must("load", err)
	s.must("save", j.Save(s.ctx, s.rec))
	lock, err := journal.Lease{Kube: s.kube, Namespace: s.ns, Name: "main", Holder: "alice@laptop/1/a"}.Acquire(s.ctx)
	s.must("lock", err)
	s.must("release", lock.Release(s.ctx))
	if lacking := s.lacking(); len(lacking) > 0 {
		s.t.Errorf("the Role lacks %v", lacking)
	}
}
