package cli

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// TestEndpointsThatNobodyFollows: no controller runs here, neither the mirroring one nor
// the garbage collector.
func TestEndpointsThatNobodyFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := wrapped(t, "3.8.0")
		rec, err := s.record(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.tryEndpoints(t.Context(), rec, "the way"); err != nil {
			t.Errorf("slices need no trial: %v", err)
		}
		rec.EndpointsAPI = migration.LegacyEndpoints
		var refused *refusedError
		err = s.tryEndpoints(t.Context(), rec, "the way")
		if !errors.As(err, &refused) || refused.next != "the way" || !strings.Contains(strings.Join(refused.evidence, "\n"), "endpointslice-mirroring-controller did nothing") {
			t.Errorf("not refused, or without its reason: %+v", err)
		}
		if _, err := s.kube.client.CoreV1().Endpoints("zk").Get(t.Context(), render.TrialName("demo"), metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("the trial's Endpoints are still there: %v", err)
		}
		err = s.tryEndpoints(t.Context(), rec, "the way")
		if err == nil || !strings.Contains(err.Error(), "delete service demo-zkmigrate-trial") {
			t.Errorf("a Service that stays is not told: %v", err)
		}
	})
}
