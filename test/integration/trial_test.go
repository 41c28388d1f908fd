//go:build integration

package integration

import (
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// In a cluster with both controllers the trial finds nothing, again and again, with the
// Role for one ensemble, and leaves nothing behind.
func TestEndpointsAreFollowed(t *testing.T) {
	s := newNarrowSite(t, migration.LegacyEndpoints)
	for range 2 {
		if missing, err := s.c.TryEndpoints(s.ctx, s.rec); err != nil || missing != "" {
			t.Fatalf("missing %q, %v", missing, err)
		}
		s.noTrial()
	}
}

// A cluster may run without either controller (KEP-4974).
func TestEndpointsAreNotFollowed(t *testing.T) {
	cp, err := start(t.Context(), mirroringController)
	if cp != nil {
		t.Cleanup(cp.stop)
	}
	if err != nil {
		t.Fatal(err)
	}
	ns := cp.namespace(t, nil)
	cp.publishedRole(t, ns)
	s := newSiteIn(t, cp, ns, migration.LegacyEndpoints)
	for _, c := range []struct{ without, want string }{
		{mirroringController, "endpointslice-mirroring-controller"},
		{endpointsController, "endpoints-controller"},
	} {
		if err := cp.control(c.without); err != nil {
			t.Fatal(err)
		}
		if missing, err := s.c.TryEndpoints(s.ctx, s.rec); err != nil || missing != c.want {
			t.Errorf("without %s: missing %q, %v", c.without, missing, err)
		}
		s.noTrial()
	}
}

// noTrial waits until the trial's objects are gone.
func (s *site) noTrial() {
	s.t.Helper()
	name := render.TrialName(s.rec.Name)
	eventually(s.t, "the trial leaves nothing", func() (bool, string) {
		_, service := s.cp.admin.CoreV1().Services(s.ns).Get(s.ctx, name, metav1.GetOptions{})
		_, endpoints := s.cp.admin.CoreV1().Endpoints(s.ns).Get(s.ctx, name, metav1.GetOptions{})
		return apierrors.IsNotFound(service) && apierrors.IsNotFound(endpoints), errText(service) + "; " + errText(endpoints)
	})
}
