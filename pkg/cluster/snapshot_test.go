package cluster

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestASnapshotAsksPodsWhereItMatters: a pod that serves as a replaced server is
// not asked what its gate reported; any other one is.
func TestASnapshotAsksPodsWhereItMatters(t *testing.T) {
	replaced := func(rec *migration.Record) { at := time.Unix(1, 0); rec.Servers[1].Replaced = &at }
	for name, c := range map[string]struct {
		pod    func(*corev1.Pod)
		record func(*migration.Record)
		asked  bool
		gate   migration.GateState
	}{
		"replaced, and ready": {pod: readyPod, record: replaced, gate: migration.GateStarted},
		"replaced, not ready": {pod: func(*corev1.Pod) {}, record: replaced, asked: true, gate: migration.GateParked},
		"parked":              {pod: func(*corev1.Pod) {}, record: func(*migration.Record) {}, asked: true, gate: migration.GateParked},
		"ready, and on its way": {pod: readyPod, asked: true, record: func(rec *migration.Record) {
			replaced(rec)
			rec.Flight = &migration.Flight{Kind: migration.Revert, ID: 5}
		}},
		"ready, and another one is on its way": {pod: readyPod, gate: migration.GateStarted, record: func(rec *migration.Record) {
			replaced(rec)
			rec.Flight = &migration.Flight{Kind: migration.Revert, ID: 2}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			client := New(fake.NewClientset(podObject(c.pod)))
			asked := false
			client.logs = func(context.Context, string, string, *corev1.PodLogOptions) ([]byte, error) {
				asked = true
				return []byte(reportAt(5, parkedLine)), nil
			}
			rec := record()
			c.record(&rec)
			s, err := client.Snapshot(t.Context(), nil, []migration.Record{rec})
			if err != nil {
				t.Fatal(err)
			}
			views, err := s.Observe(t.Context(), rec)
			if err != nil {
				t.Fatal(err)
			}
			if asked != c.asked || views[5].Pod.Report.State != c.gate {
				t.Errorf("asked %t, gate %q (%s)", asked, views[5].Pod.Report.State, views[5].Pod.Report.Detail)
			}
		})
	}
}
