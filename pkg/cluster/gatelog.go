package cluster

import (
	"bytes"
	"context"
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
)

// readGate completes the view with the gate's latest report. A waiting gate
// writes at least every 5 s. The first question is for lines that are young by
// the node's own clock (sinceSeconds is counted by the kubelet); clocks of
// nodes are never compared with ours.
func (c *Client) readGate(ctx context.Context, pod *corev1.Pod, v *migration.PodView) error {
	young := int64(migration.ReportFresh / time.Second)
	lines, err := c.tail(ctx, pod, &young, v)
	if err != nil {
		return err
	}
	if report, at, ok := lastReport(lines); ok {
		setReport(v, report, at)
		v.GateFresh = true
		return nil
	}
	if lines, err = c.tail(ctx, pod, nil, v); err != nil {
		return err
	}
	if report, at, ok := lastReport(lines); ok {
		setReport(v, report, at)
		return nil
	}
	// Nothing but the gate's lines is written before ZooKeeper starts. Where
	// the whole tail is somebody else's, the gate has done its work and its
	// last line has scrolled by. Where it ends with the gate's own words, and
	// they cannot be read, that is a gate, and no ZooKeeper.
	if len(lines) > 0 && render.IsGateLine(lines[len(lines)-1].text) {
		v.Problem = "it waits at the gate of another release of this tool, whose reports cannot be read: finish with that release what it has begun; a new replacement makes the pod anew"
		return nil
	}
	if len(lines) > 0 {
		v.Gate, v.GateDetail, v.GateAt = migration.GateStarted, "ZooKeeper writes the log", lines[len(lines)-1].at
	}
	return nil
}

func setReport(v *migration.PodView, r render.GateReport, at time.Time) {
	v.Gate, v.GateDetail, v.GateGeneration, v.HostClosed, v.GateAt = r.State, r.Detail, r.Generation, r.HostClosed(), at
	v.HostClosedFor = r.HostClosedFor
	v.GateCause, v.Seeded, v.NeverSynced, v.NeverStarted, v.Outlived = r.Cause, r.Seed, r.NeverSynced, r.NeverStarted, r.Outlived
	v.DataGeneration, v.VolumeSince = r.Data, r.Since
}

// tail reads the end of the log. That a node does not answer is something to
// show, not a reason to see nothing at all; that we may not read logs is.
func (c *Client) tail(ctx context.Context, pod *corev1.Pod, since *int64, v *migration.PodView) ([]logLine, error) {
	ctxLog, cancel := context.WithTimeout(ctx, logWait)
	defer cancel()
	n, limit := logLines, logBytes
	data, err := c.logs(ctxLog, pod.Namespace, pod.Name, &corev1.PodLogOptions{
		Container: render.ContainerName, Timestamps: true, TailLines: &n, LimitBytes: &limit, SinceSeconds: since,
	})
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case apierrors.IsForbidden(err):
		return nil, failed(err, "read the log of", "Pod", pod.Namespace, pod.Name)
	case err != nil:
		if v.Problem == "" {
			v.Problem = "its log cannot be read, so its gate is unknown: " + err.Error()
		}
		return nil, nil
	}
	return splitLog(data), nil
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

// lastReport is the newest line of the gate that can be read.
func lastReport(lines []logLine) (render.GateReport, time.Time, bool) {
	for i := len(lines) - 1; i >= 0; i-- {
		if !render.IsGateLine(lines[i].text) {
			continue
		}
		if r, err := render.ParseGateLine(lines[i].text); err == nil {
			return r, lines[i].at, true
		}
	}
	return render.GateReport{}, time.Time{}, false
}
