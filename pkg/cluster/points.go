package cluster

import (
	"context"
	"fmt"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// Points are the pods of the ensemble from which servers can be asked, those that wait
// before those that serve. The pod of the server that is moved is a witness of its own: it
// is not among them, and one on its node only where there is no other.
func (c *Client) Points(ctx context.Context, rec migration.Record, moved ensemble.ID) ([]vantage.Point, error) {
	list, err := c.read.pods(ctx, rec)
	if err != nil {
		return nil, err
	}
	var own *corev1.Pod
	if s, ok := rec.Server(moved); ok {
		own = list[render.PodName(rec.Name, s.Ordinal)]
	}
	var waiting, serving, beside []vantage.Point
	for _, s := range rec.Servers {
		pod := list[render.PodName(rec.Name, s.Ordinal)]
		if pod == nil || pod == own || !asksFrom(pod) {
			continue
		}
		p := vantage.Point{Pod: pod.Name, Node: pod.Spec.NodeName}
		switch {
		case own != nil && p.Node == own.Spec.NodeName:
			beside = append(beside, p)
		case containerStatus(pod).Ready:
			serving = append(serving, p)
		default:
			waiting = append(waiting, p)
		}
	}
	if elsewhere := append(waiting, serving...); len(elsewhere) > 0 {
		return elsewhere, nil
	}
	return beside, nil
}

// asksFrom reports whether a program can be run in the pod.
func asksFrom(pod *corev1.Pod) bool {
	status := containerStatus(pod)
	return pod.DeletionTimestamp == nil && pod.Spec.NodeName != "" && status != nil && status.State.Running != nil
}

// Program runs a program in a pod's ZooKeeper container; it fits a tunnel.
func (c *Client) Program(namespace, pod string) func(ctx context.Context, program []string, stdin io.Reader, stdout, stderr io.Writer) error {
	return func(ctx context.Context, program []string, stdin io.Reader, stdout, stderr io.Writer) error {
		return c.exec(ctx, namespace, pod, program, stdin, stdout, stderr)
	}
}

// probePodWait bounds the time until a probe pod runs.
const probePodWait = 90 * time.Second

// ProbePod makes one and waits until a program can be run in it. It ends by itself when
// nothing has run in it for a minute; DropProbePod is sooner.
func (c *Client) ProbePod(ctx context.Context, rec migration.Record, image string) (vantage.Point, error) {
	c.dropEndedProbePods(ctx, rec)
	desired, err := render.ProbePod(rec, image)
	if err != nil {
		return vantage.Point{}, &Error{Reason: Invalid, What: err.Error()}
	}
	pods := c.kube.CoreV1().Pods(rec.Namespace)
	made, err := pods.Create(ctx, desired, metav1.CreateOptions{FieldManager: FieldManager})
	if err != nil {
		return vantage.Point{}, failed(err, "create", "Pod", rec.Namespace, desired.GenerateName)
	}
	pod := made
	err = wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, probePodWait, true, func(ctx context.Context) (bool, error) {
		now, err := pods.Get(ctx, made.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return false, fmt.Errorf("somebody deleted it")
		}
		if err == nil {
			pod = now
		}
		if isOver(pod) {
			return false, fmt.Errorf("it has ended: %s", whyNot(pod))
		}
		return asksFrom(pod), nil // an API server that does not answer once is asked again
	})
	if err != nil {
		c.DropProbePod(context.WithoutCancel(ctx), rec.Namespace, made.Name)
		if ctx.Err() != nil {
			return vantage.Point{}, ctx.Err()
		}
		why := err.Error()
		if wait.Interrupted(err) {
			why = fmt.Sprintf("it does not run after %s: %s", probePodWait, whyNot(pod))
		}
		return vantage.Point{}, fmt.Errorf("probe pod %s in namespace %s, image %s: %s", made.Name, rec.Namespace, quote.Text(image), why)
	}
	return vantage.Point{Pod: pod.Name, Node: pod.Spec.NodeName}, nil
}

func isOver(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// whyNot says what Kubernetes says of a pod that does not run.
func whyNot(pod *corev1.Pod) string {
	if s := containerStatus(pod); s != nil {
		switch {
		case s.State.Waiting != nil && s.State.Waiting.Reason != "":
			return quote.Line(s.State.Waiting.Reason + " " + s.State.Waiting.Message)
		case s.State.Terminated != nil:
			return quote.Line(s.State.Terminated.Reason + " " + s.State.Terminated.Message)
		}
	}
	for _, cond := range pod.Status.Conditions {
		if cond.Type == corev1.PodScheduled && cond.Status != corev1.ConditionTrue && cond.Message != "" {
			return quote.Line(cond.Message)
		}
	}
	if pod.Status.Message != "" {
		return quote.Line(pod.Status.Message)
	}
	return "its state is " + quote.Line(string(pod.Status.Phase))
}

// dropWait bounds the deletion of a probe pod.
const dropWait = 5 * time.Second

// DropProbePod deletes one, whether the command's time is over or not.
func (c *Client) DropProbePod(ctx context.Context, namespace, pod string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dropWait)
	defer cancel()
	_ = c.kube.CoreV1().Pods(namespace).Delete(ctx, pod, metav1.DeleteOptions{}) // it ends by itself, and the next command deletes it
}

// dropEndedProbePods deletes those that commands have left behind.
func (c *Client) dropEndedProbePods(ctx context.Context, rec migration.Record) {
	selector := render.EnsembleLabel + "=" + rec.Name + "," + render.RoleLabel + "=" + render.RoleProbe
	list, err := c.kube.CoreV1().Pods(rec.Namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return
	}
	for i := range list.Items {
		if isOver(&list.Items[i]) {
			c.DropProbePod(ctx, rec.Namespace, list.Items[i].Name)
		}
	}
}
