package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
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
func (c *Client) Points(ctx context.Context, rec migration.Record, moved ensemble.MaybeID) ([]vantage.Point, error) {
	list, err := c.read.pods(ctx, rec)
	if err != nil {
		return nil, err
	}
	var own *corev1.Pod
	if s, ok := rec.ServerOf(moved); ok {
		own = list[render.PodName(rec.Name, s.Ordinal)]
	}
	var waiting, serving, beside []vantage.Point
	for _, s := range rec.Servers {
		pod := list[render.PodName(rec.Name, s.Ordinal)]
		if pod == nil || pod == own || !asksFrom(pod) {
			continue
		}
		p := pointOf(pod)
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

// Running are the pods of servers in which a program can be run.
func (c *Client) Running(ctx context.Context, rec migration.Record) (map[ensemble.ID]vantage.Point, error) {
	list, err := c.read.pods(ctx, rec)
	if err != nil {
		return nil, err
	}
	out := map[ensemble.ID]vantage.Point{}
	for _, s := range rec.Servers {
		if pod := list[render.PodName(rec.Name, s.Ordinal)]; pod != nil && asksFrom(pod) {
			out[s.ID] = pointOf(pod)
		}
	}
	return out, nil
}

// PodIPs are the addresses of the ensemble's pods, by their names.
func (c *Client) PodIPs(ctx context.Context, rec migration.Record) (map[string]string, error) {
	pods, err := c.read.pods(ctx, rec)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, s := range rec.Servers {
		name := render.PodName(rec.Name, s.Ordinal)
		if pod := pods[name]; pod != nil {
			out[name] = address(s, pod)
		}
	}
	return out, nil
}

func pointOf(pod *corev1.Pod) vantage.Point {
	return vantage.Point{Pod: pod.Name, Node: pod.Spec.NodeName, UID: string(pod.UID)}
}

// asksFrom reports whether a program can be run in the pod.
func asksFrom(pod *corev1.Pod) bool {
	status := containerStatus(pod)
	return pod.DeletionTimestamp == nil && pod.Spec.NodeName != "" && status != nil && status.State.Running != nil
}

// Program runs a program in the ZooKeeper container of exactly that pod; it fits a tunnel.
func (c *Client) Program(namespace string, at vantage.Point) func(ctx context.Context, program []string, stdin io.Reader, stdout, stderr io.Writer) error {
	return func(ctx context.Context, program []string, stdin io.Reader, stdout, stderr io.Writer) error {
		pod, err := c.kube.CoreV1().Pods(namespace).Get(ctx, at.Pod, metav1.GetOptions{})
		switch {
		case err != nil:
			return failed(err, "get", "Pod", namespace, at.Pod)
		case string(pod.UID) != at.UID:
			return fmt.Errorf("pod %s in namespace %s is another one by now", at.Pod, namespace)
		}
		return c.exec(ctx, namespace, at.Pod, program, stdin, stdout, stderr)
	}
}

// probePodWait bounds the time until a probe pod runs.
const probePodWait = 90 * time.Second

// ProbePod makes one and waits until a program can be run in it. It ends by itself when
// nothing has run in it for a minute; drop deletes it sooner, also when the command's time
// is over. Where that fails the next command clears it away, if it may. Where all are in
// use, waiting is called once, with what is waited for: those of commands that were killed
// end within a minute.
func (c *Client) ProbePod(ctx context.Context, rec migration.Record, image string, waiting func(string)) (at vantage.Point, drop func() error, err error) {
	made, err := c.freeProbePod(ctx, rec, image, waiting)
	if err != nil {
		return at, nil, err
	}
	drop = func() error { return c.dropProbePod(context.WithoutCancel(ctx), made) }
	pod := made
	err = wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, probePodWait, true, func(ctx context.Context) (bool, error) {
		now, err := c.kube.CoreV1().Pods(rec.Namespace).Get(ctx, made.Name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err), err == nil && now.UID != made.UID:
			return false, errors.New("somebody deleted it")
		case apierrors.IsForbidden(err):
			return false, failed(err, "get", "Pod", rec.Namespace, made.Name)
		case err == nil:
			pod = now // an API server that does not answer once is asked again
		}
		if isOver(pod) {
			return false, fmt.Errorf("it has ended: %s", whyNot(pod))
		}
		return asksFrom(pod), nil
	})
	if err == nil {
		return pointOf(pod), drop, nil
	}
	_ = drop() // why it does not run says more
	switch {
	case ctx.Err() != nil:
		return at, nil, ctx.Err()
	case wait.Interrupted(err):
		err = fmt.Errorf("it does not run after %s: %s", probePodWait, whyNot(pod))
	}
	return at, nil, fmt.Errorf("probe pod %s in namespace %s, image %s: %w", made.Name, rec.Namespace, quote.Text(image), err)
}

// freeProbePod makes one as soon as a name is free.
func (c *Client) freeProbePod(ctx context.Context, rec migration.Record, image string, waiting func(string)) (*corev1.Pod, error) {
	var made *corev1.Pod
	told := false
	err := wait.PollUntilContextTimeout(ctx, time.Second, probePodWait, true, func(ctx context.Context) (bool, error) {
		var err error
		if made, err = c.makeProbePod(ctx, rec, image); made == nil && err == nil && !told {
			told = true
			waiting(fmt.Sprintf("pods %s in namespace %s are all in use; a pod ends a minute after its command at the latest", strings.Join(render.ProbePodNames(rec.Name), ", "), rec.Namespace))
		}
		return made != nil, err
	})
	if wait.Interrupted(err) && ctx.Err() == nil {
		err = fmt.Errorf("pods %s in namespace %s have all been in use for %s; wait until one of the commands that use them has ended", strings.Join(render.ProbePodNames(rec.Name), ", "), rec.Namespace, probePodWait)
	}
	return made, err
}

// makeProbePod takes the first name that is free, and is nil where none is; a pod that is
// over, which a command that died has left behind, is cleared away.
func (c *Client) makeProbePod(ctx context.Context, rec migration.Record, image string) (*corev1.Pod, error) {
	pods := c.kube.CoreV1().Pods(rec.Namespace)
	for _, name := range render.ProbePodNames(rec.Name) {
		desired, err := render.ProbePod(rec, name, image)
		if err != nil {
			return nil, &Error{Reason: Invalid, What: err.Error()}
		}
		made, err := pods.Create(ctx, desired, metav1.CreateOptions{FieldManager: FieldManager})
		if apierrors.IsAlreadyExists(err) {
			old, getErr := pods.Get(ctx, name, metav1.GetOptions{})
			if getErr != nil || !isOver(old) || old.Labels[render.EnsembleLabel] != rec.Name || old.Labels[render.RoleLabel] != render.RoleProbe {
				continue
			}
			_ = c.dropProbePod(ctx, old) // the name is taken still, then
			made, err = pods.Create(ctx, desired, metav1.CreateOptions{FieldManager: FieldManager})
		}
		if apierrors.IsAlreadyExists(err) {
			continue // another command was faster
		}
		if err != nil {
			return nil, c.notWritten(err, "create", "Pod", rec.Namespace, name)
		}
		return made, nil
	}
	return nil, nil
}

func isOver(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// whyNot says what Kubernetes says of a pod that does not run.
func whyNot(pod *corev1.Pod) string {
	status := containerStatus(pod)
	if status != nil && status.State.Terminated != nil {
		return quote.Line(ended(status.State.Terminated))
	}
	if text := problem(pod, status); text != "" {
		return quote.Line(text)
	}
	return "its state is " + quote.Line(string(pod.Status.Phase))
}

// dropWait bounds the deletion of a probe pod.
const dropWait = 5 * time.Second

// dropProbePod deletes exactly that pod, if it is there.
func (c *Client) dropProbePod(ctx context.Context, pod *corev1.Pod) error {
	ctx, cancel := context.WithTimeout(ctx, dropWait)
	defer cancel()
	err := c.kube.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(pod.UID))})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return failed(err, "delete", "Pod", pod.Namespace, pod.Name)
}
