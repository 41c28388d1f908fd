package cluster

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/fake"
)

// TestALostNodeHoldsNobodyUp: a look that waits for each node that does not answer
// would come too seldom for what has to be so at every look for some time.
func TestALostNodeHoldsNobodyUp(t *testing.T) {
	for name, c := range map[string]struct {
		conditions []corev1.PodCondition
		lost       bool
		asked      int
	}{
		"Kubernetes says that it is lost": {[]corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse}, {Type: corev1.ContainersReady, Status: corev1.ConditionTrue}}, true, 0},
		"it does not answer":              {nil, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			client := New(fake.NewClientset(podObject(func(p *corev1.Pod) {
				p.Status.Conditions = c.conditions
				p.Status.ContainerStatuses[0].RestartCount = 1
			})))
			asked := 0
			client.logs = func(context.Context, string, string, *corev1.PodLogOptions) ([]byte, error) {
				asked++
				return nil, context.DeadlineExceeded
			}
			views, err := client.Observe(t.Context(), record())
			if err != nil {
				t.Fatal(err)
			}
			if p := views[5].Pod; p.NodeLost != c.lost || p.Problem == "" || asked != c.asked {
				t.Errorf("lost %t (%s), asked %d times", p.NodeLost, p.Problem, asked)
			}
		})
	}
}
