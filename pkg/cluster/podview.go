package cluster

import (
	"context"
	"fmt"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// shared is what the pods of one look have in common: what is wrong with each
// ConfigMap of theirs, and the StatefulSet, which is asked for once, by the first that
// needs it.
type shared struct {
	files map[string]confFault
	set   func() (*appsv1.StatefulSet, error)
}

func (c *Client) shared(ctx context.Context, rec migration.Record, files map[string]confFault) shared {
	return shared{files: files, set: sync.OnceValues(func() (*appsv1.StatefulSet, error) {
		return c.read.statefulSet(ctx, rec)
	})}
}

// podView is what the pod's object and its gate say; pod is nil when there is
// none.
func (c *Client) podView(ctx context.Context, rec migration.Record, s migration.ServerRecord, pod *corev1.Pod, all shared) (migration.PodView, error) {
	v, err := c.seePod(ctx, rec, s, pod, all)
	// What kubelets, schedulers and the pod itself say is shown to people.
	v.Problem, v.Report.Detail = quote.Line(v.Problem), quote.Line(v.Report.Detail)
	return v, err
}

func (c *Client) seePod(ctx context.Context, rec migration.Record, s migration.ServerRecord, pod *corev1.Pod, all shared) (v migration.PodView, err error) {
	v = migration.PodView{Name: render.PodName(rec.Name, s.Ordinal)}
	if pod == nil {
		v.Source.Set.Plain, v.Source.Missing, err = setMissing(rec, s, all)
		return v, err
	}
	v.UID, v.IP, v.Node = string(pod.UID), address(s, pod), pod.Spec.NodeName
	v.Terminating = pod.DeletionTimestamp != nil
	if err := template(rec, pod, all, &v); err != nil {
		return v, err
	}
	withFiles(&v, rec, pod, all.files)
	status := containerStatus(pod)
	if status != nil {
		v.Restarts = int(status.RestartCount)
		v.OutOfMemory = outOfMemory(status.State) || status.State.Terminated == nil && outOfMemory(status.LastTerminationState)
	}
	v.Container = containerState(pod, status)
	if !v.Running() {
		v.Problem = problem(pod, status)
		if status != nil && status.State.Waiting != nil && status.State.Waiting.Reason == crashLoop {
			v.EarlierLog = render.ContainerName
		}
		if v.Node == "" {
			claim, err := c.claimProblem(ctx, rec, s)
			if err != nil {
				return v, err
			}
			v.Problem = join(v.Problem, claim)
			if claim != "" && noVolume(pod) {
				v.Unbound = true
			}
		}
		return v, nil
	}
	if lost := nodeLost(pod); lost != "" {
		// Its kubelet is not asked: a look must not wait for each lost node.
		v.Problem, v.NodeLost = lost, true
		return v, nil
	}
	if !c.read.asksPod(rec, s, &v) {
		served(&v)
		return v, nil
	}
	if err := c.readGate(ctx, pod, s, &v); err != nil {
		return v, err
	}
	c.readJoin(ctx, pod, &v)
	return v, nil
}

// setMissing reports whether nothing makes the pod: the StatefulSet is gone, or
// was scaled down; and whether it would be made without a gate.
func setMissing(rec migration.Record, s migration.ServerRecord, all shared) (plain, missing bool, err error) {
	set, err := all.set()
	if apierrors.IsNotFound(err) {
		return false, true, nil
	}
	if err != nil {
		return false, false, failed(err, "get", "StatefulSet", rec.Namespace, render.StatefulSetName(rec.Name))
	}
	return render.IsPlain(set.Spec.Template.Spec), set.Spec.Replicas != nil && int(*set.Spec.Replicas) <= s.Ordinal, nil
}

// confFault is what is wrong with a ConfigMap: it is gone, or foreign, another one in
// its place.
type confFault struct {
	says    string
	foreign bool
}

// files says what is wrong with each ConfigMap that the pods have their zoo.cfg and
// scripts from: without it a node that boots waits for ever.
func (c *Client) files(ctx context.Context, rec migration.Record, pods map[string]*corev1.Pod) (map[string]confFault, error) {
	out := map[string]confFault{}
	for _, pod := range pods {
		name := render.ConfOf(pod.Spec)
		if _, asked := out[name]; asked || name == "" {
			continue
		}
		cm, err := c.read.configMap(ctx, rec, name)
		switch {
		case apierrors.IsNotFound(err):
			out[name] = confFault{says: "ConfigMap " + name + ", which holds its zoo.cfg and scripts, is gone"}
		case apierrors.IsForbidden(err) && (rec.Pods.Image == "" || name != render.Conf(rec).Name):
			// Those of former settings: a Role for one ensemble need not name them, and
			// nothing is known of them.
			out[name] = confFault{}
		case err != nil:
			return nil, failed(err, "get", "ConfigMap", rec.Namespace, name)
		case rec.Finalized == nil && !render.Intact(rec.Name, cm): // later it is its owner's
			out[name] = confFault{"ConfigMap " + name + ", which holds its zoo.cfg and scripts, was replaced by another one of that name", true}
		default:
			out[name] = confFault{}
		}
	}
	return out, nil
}

// withFiles notes what is wrong with the pod's files. Those that the record still
// asks for can be made again.
func withFiles(v *migration.PodView, rec migration.Record, pod *corev1.Pod, files map[string]confFault) {
	name := render.ConfOf(pod.Spec)
	v.Source.Files = files[name].says
	if files[name].foreign {
		v.Source.ForeignFiles = name
	}
	if v.Source.Files != "" && rec.Pods.Image != "" && name == render.Conf(rec).Name {
		v.Source.Missing = true
	}
}

// template compares what the pod was made from with what the record wants.
func template(rec migration.Record, pod *corev1.Pod, all shared, v *migration.PodView) error {
	if rec.Pods.Image == "" {
		// Nobody has said yet how pods are made.
		return nil
	}
	want, err := render.TemplateMark(rec)
	if err != nil {
		return &Error{Reason: Invalid, What: err.Error()}
	}
	v.Source.Pod.Plain = render.IsPlain(pod.Spec)
	marked := pod.Annotations[render.TemplateAnnotation] == want
	v.Source.Pod.Outdated = !marked
	set, err := all.set()
	switch {
	case marked && (apierrors.IsNotFound(err) || apierrors.IsForbidden(err)):
		// Nothing is known that contradicts the pod's mark.
		return nil
	case apierrors.IsNotFound(err):
		v.Source.Set.Outdated = true
		return nil
	case err != nil:
		return failed(err, "get", "StatefulSet", rec.Namespace, render.StatefulSetName(rec.Name))
	}
	v.Source.Set.Plain = render.IsPlain(set.Spec.Template.Spec)
	v.Source.Set.Outdated = set.Spec.Template.Annotations[render.TemplateAnnotation] != want
	if !marked && !v.Source.Pod.Plain && !v.Source.Set.Plain {
		// Its successor could not report either.
		v.Source.Missing = !hasRelay(pod.Spec) && !hasRelay(set.Spec.Template.Spec)
	}
	if v.Source.Set.Outdated {
		return nil
	}
	return drift(rec, set, pod, v)
}

func containerStatus(pod *corev1.Pod) *corev1.ContainerStatus {
	return statusOf(pod, render.ContainerName)
}

func statusOf(pod *corev1.Pod, container string) *corev1.ContainerStatus {
	for i := range pod.Status.ContainerStatuses {
		if pod.Status.ContainerStatuses[i].Name == container {
			return &pod.Status.ContainerStatuses[i]
		}
	}
	return nil
}

// problem says why the container does not run, for somebody who is woken at
// night: what is wrong in plain words, then Kubernetes' own.
func problem(pod *corev1.Pod, status *corev1.ContainerStatus) string {
	if pod.Status.Phase == corev1.PodFailed || pod.Status.Reason != "" {
		return withMessage("the pod was ended by Kubernetes: "+orWord(pod.Status.Reason, "no reason given"), pod.Status.Message)
	}
	for _, cond := range pod.Status.Conditions {
		if cond.Type == corev1.PodScheduled && cond.Status == corev1.ConditionFalse {
			why := "no node takes the pod"
			if strings.Contains(cond.Message, "were unschedulable") {
				why += ", and some are cordoned: uncordon them when their work is done"
			}
			return withMessage(why, cond.Message)
		}
	}
	if status == nil {
		if pod.Spec.NodeName == "" {
			return "no node was chosen for the pod yet"
		}
		return "node " + pod.Spec.NodeName + " has not begun to prepare the pod yet"
	}
	if w := status.State.Waiting; w != nil {
		return waitingProblem(pod, status, w)
	}
	if t := status.State.Terminated; t != nil {
		return ended(t)
	}
	return ""
}

func containerState(pod *corev1.Pod, status *corev1.ContainerStatus) migration.ContainerState {
	switch {
	case status != nil && status.State.Running != nil && status.Ready:
		return migration.ContainerReady
	case status != nil && status.State.Running != nil:
		return migration.ContainerRunning
	case preparing(pod, status):
		return migration.ContainerPreparing
	}
	return migration.ContainerDown
}

// preparing reports whether problem tells of nothing but that it takes time.
func preparing(pod *corev1.Pod, status *corev1.ContainerStatus) bool {
	for _, cond := range pod.Status.Conditions {
		if cond.Type == corev1.PodScheduled && cond.Status == corev1.ConditionFalse {
			return false
		}
	}
	if pod.Status.Phase == corev1.PodFailed || pod.Status.Reason != "" {
		return false
	}
	if status == nil {
		return true
	}
	w := status.State.Waiting
	return w != nil && (w.Reason == "ContainerCreating" || w.Reason == "PodInitializing" || w.Reason == "")
}

// crashLoop is a container that is to be started again, and ended each time.
const crashLoop = "CrashLoopBackOff"

func waitingProblem(pod *corev1.Pod, status *corev1.ContainerStatus, w *corev1.ContainerStateWaiting) string {
	switch w.Reason {
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable", "ImageInspectError":
		return withMessage("image "+image(pod)+" cannot be pulled", w.Message)
	case crashLoop:
		text := "the container keeps ending"
		if t := status.LastTerminationState.Terminated; t != nil {
			text += ": " + ended(t)
		}
		return text
	case "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
		return withMessage("node "+pod.Spec.NodeName+" cannot create the container", w.Message)
	case "ContainerCreating", "PodInitializing", "":
		return "node " + pod.Spec.NodeName + " prepares the pod: volume, network, image"
	}
	return withMessage(w.Reason, w.Message)
}

// ended says how a container ended.
func ended(t *corev1.ContainerStateTerminated) string {
	switch {
	case t.Reason == oomKilled:
		return "it was killed for using more memory than its limit (OOMKilled)"
	case t.Reason == "" || t.Reason == "Error" || t.Reason == "Completed":
		return withMessage(fmt.Sprintf("it ended with exit code %d", t.ExitCode), t.Message)
	}
	return withMessage(fmt.Sprintf("it ended with exit code %d, %s", t.ExitCode, t.Reason), t.Message)
}

// oomKilled is the reason of a container whose main process the kernel ended
// for its cgroup's limit.
const oomKilled = "OOMKilled"

func outOfMemory(s corev1.ContainerState) bool {
	return s.Terminated != nil && s.Terminated.Reason == oomKilled
}

// noVolume reports whether no node takes the pod because no volume can be had
// for its claim: its class does not exist or has none, in the scheduler's words
// (volumebinding, PreFilter and ErrReasonBindConflict). A provisioner that is
// slow looks the same for a while.
func noVolume(pod *corev1.Pod) bool {
	for _, cond := range pod.Status.Conditions {
		if cond.Type == corev1.PodScheduled && cond.Status == corev1.ConditionFalse {
			return strings.Contains(cond.Message, "unbound immediate PersistentVolumeClaims") ||
				strings.Contains(cond.Message, "didn't find available persistent volumes to bind")
		}
	}
	return false
}

// nodeLost tells a container that runs from one of which nobody knows. When a
// node does not report, the node lifecycle controller sets its pods' Ready to
// false, without a reason, and leaves everything else as the kubelet wrote it
// last, ContainersReady among it (MarkPodsNotReady; seen on 1.34); a kubelet
// writes the two alike where a pod has no readiness gates, and ours have none.
// Later the pod is given up (DisruptionTarget).
func nodeLost(pod *corev1.Pod) string {
	is := map[corev1.PodConditionType]corev1.ConditionStatus{}
	message := ""
	for _, cond := range pod.Status.Conditions {
		is[cond.Type] = cond.Status
		if cond.Type == corev1.DisruptionTarget {
			message = cond.Message
		}
	}
	if is[corev1.PodReady] == corev1.ConditionFalse && is[corev1.ContainersReady] == corev1.ConditionTrue || is[corev1.DisruptionTarget] == corev1.ConditionTrue {
		return withMessage("node "+pod.Spec.NodeName+" does not report, or gives the pod up", message)
	}
	return ""
}

func image(pod *corev1.Pod) string {
	for _, c := range pod.Spec.Containers {
		if c.Name == render.ContainerName {
			return c.Image
		}
	}
	return "of the pod"
}

// claimProblem explains a volume claim that is not bound.
func (c *Client) claimProblem(ctx context.Context, rec migration.Record, s migration.ServerRecord) (string, error) {
	name := render.ClaimName(rec.Name, s.Ordinal)
	claim, err := c.kube.CoreV1().PersistentVolumeClaims(rec.Namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return "volume claim " + name + " does not exist yet", nil
	}
	if err != nil {
		return "", failed(err, "get", "PersistentVolumeClaim", rec.Namespace, name)
	}
	switch claim.Status.Phase {
	case corev1.ClaimBound:
		return "", nil
	case corev1.ClaimLost:
		return "volume claim " + name + " has lost its volume", nil
	default:
	}
	class := "the cluster's default storage class, if it has one"
	if claim.Spec.StorageClassName != nil {
		class = fmt.Sprintf("storage class %q", *claim.Spec.StorageClassName)
	}
	return fmt.Sprintf("volume claim %s is not bound (it asks %s)", name, class), nil
}

func withMessage(text, message string) string {
	if message = strings.TrimSpace(message); message == "" {
		return text
	}
	return text + ": " + message
}

func orWord(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}
