package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// OpenGate adds the server's line to the gate in a new generation. It changes
// nothing when the line is there: a second generation would make the pod put
// its data aside at its next start.
func (c *Client) OpenGate(ctx context.Context, rec migration.Record, id ensemble.ID, start migration.GateStart) error {
	if err := c.releasable(ctx, rec, id); err != nil {
		return err
	}
	return c.changeGate(ctx, rec, id, func(g *render.GateData, ordinal int, id ensemble.ID) bool { return g.Open(ordinal, id, start) })
}

// RenewGate replaces the server's line of that generation by one of a new
// generation, so that the pod may start from empty once more. A line of another
// generation stays: somebody was here before.
func (c *Client) RenewGate(ctx context.Context, rec migration.Record, id ensemble.ID, start migration.GateStart, generation int) error {
	if err := c.releasable(ctx, rec, id); err != nil {
		return err
	}
	return c.changeGate(ctx, rec, id, func(g *render.GateData, ordinal int, id ensemble.ID) bool {
		return g.Renew(ordinal, id, start, generation)
	})
}

// releasable refuses a gate's opening by a command that was overtaken: the
// Service must select the pod and point to it alone.
func (c *Client) releasable(ctx context.Context, rec migration.Record, id ensemble.ID) error {
	s, svc, b, err := c.find(ctx, rec, id)
	if err != nil {
		return err
	}
	name := render.PodName(rec.Name, s.Ordinal)
	pod, err := c.pod(ctx, rec, s)
	if err != nil {
		return err
	}
	if b.selector != name || !same(b.view().Union, []string{address(s, pod)}) {
		return &Error{Reason: Precondition,
			What: fmt.Sprintf("the gate of server %s stays closed: Service %s/%s selects %q and points to %v, its pod %s has %s",
				s.ID, rec.Namespace, svc.Name, b.selector, b.view().Union, name, address(s, pod)),
			Next: "look at status; another command may be at work"}
	}
	return nil
}

// RestoreGate writes the server's line again as it was: the pod's volume knows
// its generation, so a restart finds its data. In the middle of an operation the
// Service must point to the pod, as for a new line.
func (c *Client) RestoreGate(ctx context.Context, rec migration.Record, id ensemble.ID, line migration.Release) error {
	if rec.Flight != nil {
		if err := c.releasable(ctx, rec, id); err != nil {
			return err
		}
	}
	return c.changeGate(ctx, rec, id, func(g *render.GateData, ordinal int, id ensemble.ID) bool { return g.Restore(ordinal, id, line) })
}

// CloseGate removes the server's line in a new generation, or does nothing when
// it is not there.
func (c *Client) CloseGate(ctx context.Context, rec migration.Record, id ensemble.ID) error {
	return c.changeGate(ctx, rec, id, (*render.GateData).Close)
}

func (c *Client) changeGate(ctx context.Context, rec migration.Record, id ensemble.ID, change func(*render.GateData, int, ensemble.ID) bool) error {
	s, err := server(rec, id)
	if err != nil {
		return err
	}
	cm, g, err := c.gate(ctx, rec)
	if err != nil {
		return err
	}
	if cm == nil {
		return &Error{Reason: NotFound, What: fmt.Sprintf("the gate's ConfigMap %s/%s is gone", rec.Namespace, render.GateName(rec.Name)),
			Next: "all gates are closed without it; run the command again, which makes it anew"}
	}
	if err := c.sameMap(cm, g, rec); err != nil {
		return err
	}
	if !change(&g, s.Ordinal, s.ID) {
		return nil
	}
	return c.saveGate(ctx, cm, g)
}

// sameMap refuses to change a gate whose map, by which pods of an earlier release
// know who they are, is not the journal's.
func (c *Client) sameMap(cm *corev1.ConfigMap, g render.GateData, rec migration.Record) error {
	want, err := render.Members(rec)
	if err != nil {
		return &Error{Reason: Invalid, What: err.Error()}
	}
	if len(g.Members) == 0 || slices.Equal(g.Members, want) {
		return nil
	}
	lines := render.GateData{Members: want}.Data()[render.GateMapKey]
	return &Error{Reason: Precondition,
		What: fmt.Sprintf("key %q of the gate in ConfigMap %s/%s does not say what the journal says, and pods of an earlier release go by it", render.GateMapKey, cm.Namespace, cm.Name),
		Next: fmt.Sprintf("restore it (%s): %s", c.at(cm.Namespace).Kubectl("edit configmap %s", cm.Name), strings.ReplaceAll(strings.TrimSpace(lines), "\n", ", "))}
}

// gate reads the gate; the ConfigMap is nil when there is none.
func (c *Client) gate(ctx context.Context, rec migration.Record) (*corev1.ConfigMap, render.GateData, error) {
	name := render.GateName(rec.Name)
	cm, err := c.read.configMap(ctx, rec, name)
	if apierrors.IsNotFound(err) {
		return nil, render.GateData{}, nil
	}
	if err != nil {
		return nil, render.GateData{}, failed(err, "get", "ConfigMap", rec.Namespace, name)
	}
	g, err := render.ParseGate(cm.Data, rec)
	if err != nil {
		return nil, g, &Error{Reason: Invalid, Err: err,
			What: fmt.Sprintf("the gate in ConfigMap %s/%s cannot be read", rec.Namespace, name),
			Next: fmt.Sprintf("restore it by hand: %s; %s. Pods that have not started refuse it as well", c.at(rec.Namespace).Kubectl("edit configmap %s", name), recorded(rec))}
	}
	return cm, g, nil
}

// recorded says what the released list holds by the journal.
func recorded(rec migration.Record) string {
	var lines []string
	for _, s := range rec.Servers {
		if s.Release != nil {
			lines = append(lines, fmt.Sprintf("%q", fmt.Sprintf("%d %s %d %s", s.Ordinal, s.ID, s.Release.Generation, s.Release.Start)))
		}
	}
	if len(lines) == 0 {
		return "the journal records no released server, so key \"released\" is empty unless a replacement is under way"
	}
	return "the journal records these lines of key \"released\": " + strings.Join(lines, ", ")
}

func (c *Client) saveGate(ctx context.Context, cm *corev1.ConfigMap, g render.GateData) error {
	next := cm.DeepCopy()
	next.Data = g.Data()
	_, err := c.kube.CoreV1().ConfigMaps(cm.Namespace).Update(ctx, next, metav1.UpdateOptions{FieldManager: FieldManager})
	return c.notWritten(err, "update", "ConfigMap", cm.Namespace, cm.Name)
}

// parkGate makes a closed gate, or brings the map of one from an earlier release
// up to date; what is released stays so. A volume remembers the generation its data
// was started in and outlives the gate, so the first generation must be greater than
// any that an earlier gate of the same name has had: it is the time in seconds.
func (c *Client) parkGate(ctx context.Context, rec migration.Record) error {
	cm, have, err := c.gate(ctx, rec)
	if err != nil {
		return err
	}
	if cm == nil {
		fresh := render.Gate(rec, render.GateData{Generation: int(c.now().Unix())})
		_, err := c.kube.CoreV1().ConfigMaps(rec.Namespace).Create(ctx, fresh, metav1.CreateOptions{FieldManager: FieldManager})
		return c.notWritten(err, "create", "ConfigMap", rec.Namespace, fresh.Name)
	}
	next, changes, err := parkedGate(rec, have)
	if err != nil || !changes {
		return err
	}
	return c.saveGate(ctx, cm, next)
}

// parkedGate is a gate with the map as it is recorded.
func parkedGate(rec migration.Record, have render.GateData) (next render.GateData, changes bool, err error) {
	want, err := render.Members(rec)
	if err != nil {
		return have, false, &Error{Reason: Invalid, What: err.Error()}
	}
	if len(have.Members) == 0 || slices.Equal(have.Members, want) {
		return have, false, nil
	}
	have.Members = want
	have.Generation++
	return have, true, nil
}
