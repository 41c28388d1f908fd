package cluster

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

const (
	// logWait bounds the wait for a node that does not answer; without it one
	// lost node would stop every look.
	logWait  = 5 * time.Second
	logLines = int64(40)
	logBytes = int64(256 << 10)
	// relayDelay bounds the time from a report to its line in the log, by the same
	// node's clock; it may be told in whole seconds.
	relayDelay = 3 * time.Second
)

// readGate completes the view with the gate's latest report, read from the log of
// the relay, which ZooKeeper does not write to. A waiting gate reports at least
// every 5 s. The first question is for lines that are young by the node's own clock
// (sinceSeconds is counted by the kubelet); clocks of nodes are never compared with
// ours.
func (c *Client) readGate(ctx context.Context, pod *corev1.Pod, s migration.ServerRecord, v *migration.PodView) error {
	if v.Source.Pod.Plain {
		v.Report = migration.Report{State: migration.GateStarted, Detail: "it has no gate"}
		return nil
	}
	if !hasRelay(pod.Spec) {
		if v.Ready() {
			served(v)
		} else if v.Problem == "" {
			v.Problem = earlierRelease
		}
		return nil
	}
	if why := relayProblem(pod); why != "" && !v.Ready() {
		v.Problem, v.EarlierLog = join(v.Problem, why), render.RelayName
		return nil
	}
	young := int64(migration.ReportFresh / time.Second)
	for _, since := range []*int64{&young, nil} {
		lines, answered, err := c.tail(ctx, pod, since, v)
		if err != nil {
			return err
		}
		if !answered {
			break // nor would it the next time, and a look is not to last so long
		}
		r, at, ok := lastReport(lines, pod)
		if !ok {
			continue
		}
		switch why := contradiction(r, at, pod, s); {
		case why == earlierRun && v.Ready() && r.State == migration.GateStarted:
			// A gate that opened in the second in which its container started told so
			// once, and became ZooKeeper.
			served(v)
			return nil
		case why != "":
			v.Report.Detail = "its report does not count: " + why
			return nil
		}
		v.Report = r.Report
		v.Report.Fresh = since != nil && at.Sub(r.At) <= relayDelay
		return nil
	}
	if v.Ready() {
		served(v)
	}
	return nil
}

// earlierRelease is said of a waiting pod that has no relay.
const earlierRelease = "an earlier release of this tool created it, and its reports are no evidence: " +
	"anybody who can reach the server can write them into its log; the pod has to be recreated"

// served takes Kubernetes' word, for want of another: the readiness probe asks
// ZooKeeper itself, and fails at the gate.
func served(v *migration.PodView) {
	v.Report = migration.Report{State: migration.GateStarted, Detail: "its readiness probe passes"}
}

// relayProblem says why the relay does not run, which is no news while the node
// still creates it.
func relayProblem(pod *corev1.Pod) string {
	status := statusOf(pod, render.RelayName)
	if status == nil || status.State.Running != nil {
		return ""
	}
	why := "it has ended"
	if w := status.State.Waiting; w != nil {
		if w.Reason == "ContainerCreating" || w.Reason == "" {
			return ""
		}
		why = withMessage(w.Reason, w.Message)
	}
	return fmt.Sprintf("its container %s, which passes on the gate's reports, does not run: %s", render.RelayName, why)
}

func hasRelay(spec corev1.PodSpec) bool {
	for _, c := range spec.Containers {
		if c.Name == render.RelayName {
			return true
		}
	}
	return false
}

// earlierRun is said of a report that may be of the container's run before this one.
const earlierRun = "it is older than this run of the container"

// contradiction says why a report of this pod is none that counts now: written for
// another run of the container, for another server, or against what Kubernetes
// says of the container. at is when it reached the log.
func contradiction(r render.GateReport, at time.Time, pod *corev1.Pod, s migration.ServerRecord) string {
	status := containerStatus(pod)
	switch {
	case status == nil || status.State.Running == nil || status.State.Running.StartedAt.IsZero():
		return "Kubernetes does not say since when its container runs"
	// Kubernetes tells whole seconds.
	case r.At.Before(status.State.Running.StartedAt.Add(time.Second)):
		return earlierRun
	case r.At.Sub(at) > relayDelay:
		return "its time lies ahead of the node's"
	case r.State != migration.GateStarted && status.Ready:
		return fmt.Sprintf("it says %s, and Kubernetes says that the server is ready", r.State)
	case r.State == migration.GateRefused && r.ID == 0:
		return ""
	case r.Ordinal != s.Ordinal || r.ID != s.ID:
		return fmt.Sprintf("it is one of server %s, ordinal %d", r.ID, r.Ordinal)
	}
	return ""
}

// tail reads the end of the log. That a node does not answer is something to
// show, not a reason to see nothing at all; that we may not read logs is.
func (c *Client) tail(ctx context.Context, pod *corev1.Pod, since *int64, v *migration.PodView) (lines []logLine, answered bool, err error) {
	n, limit := logLines, logBytes
	data, err := c.readLog(ctx, pod.Namespace, pod.Name, &corev1.PodLogOptions{
		Container: render.RelayName, Timestamps: true, TailLines: &n, LimitBytes: &limit, SinceSeconds: since,
	})
	switch {
	case ctx.Err() != nil:
		return nil, false, ctx.Err()
	case apierrors.IsForbidden(err):
		return nil, false, failed(err, "read the log of", "Pod", pod.Namespace, pod.Name)
	case err != nil:
		if v.Problem == "" {
			v.Problem = "its log cannot be read, so its gate is unknown: " + err.Error()
		}
		return nil, false, nil
	}
	return splitLog(data), true, nil
}

// readLog reads the end of a container's log, in the time that a node has.
func (c *Client) readLog(ctx context.Context, namespace, pod string, o *corev1.PodLogOptions) ([]byte, error) {
	if c.slots != nil {
		select {
		case c.slots <- struct{}{}:
			defer func() { <-c.slots }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	ctx, cancel := context.WithTimeout(ctx, logWait)
	defer cancel()
	return c.logs(ctx, namespace, pod, o)
}

// logLine is a line of a log that was asked for with timestamps.
type logLine struct {
	at   time.Time
	text string
}

func splitLog(data []byte) []logLine {
	var out []logLine
	for _, raw := range bytes.Split(data, []byte("\n")) {
		stamp, text, _ := strings.Cut(string(raw), " ")
		at, err := time.Parse(time.RFC3339Nano, stamp)
		if err != nil || strings.TrimSpace(text) == "" {
			continue
		}
		out = append(out, logLine{at: at, text: text})
	}
	return out
}

// lastReport is the newest report of that pod that can be read.
func lastReport(lines []logLine, pod *corev1.Pod) (render.GateReport, time.Time, bool) {
	for i := len(lines) - 1; i >= 0; i-- {
		if r, err := render.ParseGateLine(lines[i].text); err == nil && r.Pod == string(pod.UID) {
			return r, lines[i].at, true
		}
	}
	return render.GateReport{}, time.Time{}, false
}
