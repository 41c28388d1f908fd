package cli

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// roomFacts looks at what pods would find that are not there yet, made as the
// record says.
func roomFacts(ctx context.Context, k kube, rec migration.Record, f *preflight.Facts) {
	if rec.Pods.Image == "" || rec.Pods.ZooCfg == "" {
		return
	}
	room, err := k.cluster().Room(ctx, rec)
	if err != nil {
		f.RoomError = "nobody could look: " + plain(err).text
		return
	}
	f.Room = room
}

// parkedFacts are what the parked pods say of their image, and of their ports.
func parkedFacts(o migration.Observation, f *preflight.Facts) {
	wants, _ := ensemble.ParseVersion(o.Record.Settings.Version)
	f.Listening = map[ensemble.ID]bool{}
	for _, v := range o.Servers {
		if pod := v.Cluster.Pod; pod.Parked() {
			f.Listening[v.ID] = pod.Report.Fresh && pod.Report.Listens == migration.Listens
			f.Images = append(f.Images, preflight.Image{Pod: pod.Name, Holds: pod.Report.Version, Wants: wants, Why: pod.Report.Detail})
		}
	}
}

// askRoom refuses a replacement whose own pods would not park, and an apply whose pods would
// find no place, before anything is written, and warns of what keeps other servers' pods from it.
func (o *MoveOptions) askRoom(ctx context.Context, s *session, rec migration.Record) error {
	switch o.kind {
	case migration.Apply:
		rec = madeAgain(rec)
	case migration.Replace, migration.Park:
		if rec.Flight != nil || len(migration.InPods(rec)) == len(rec.Servers) {
			return nil
		}
	default:
		return nil
	}
	f := wrappedFacts(rec)
	roomFacts(ctx, s.kube, rec, &f)
	failed := preflight.Failed(preflight.ForPods(f))
	if sr, ok := rec.ServerOf(o.id); ok && f.Room != nil {
		own := f
		own.Room = f.Room.Only(render.PodName(rec.Name, sr.Ordinal))
		mine := preflight.Failed(preflight.ForPods(own))
		if len(mine) == 0 {
			if o.kind != migration.Apply {
				warnRoom(o.deps.streams.ErrOut, "not all other servers' pods will park", failed)
			}
			return nil
		}
		failed = mine
	}
	if len(failed) == 0 {
		return nil
	}
	e := roomRefusal(rec, failed, s.kube.at())
	if o.kind == migration.Apply {
		e.reason = "the pods would not run with these settings; none was touched and nothing was changed"
	}
	return e
}

// madeAgain is the record as if the pods that serve were still to be created.
func madeAgain(rec migration.Record) migration.Record {
	rec.Flight, rec.Servers = nil, slices.Clone(rec.Servers)
	for i := range rec.Servers {
		rec.Servers[i].Replaced = nil
	}
	return rec
}

func roomRefusal(rec migration.Record, failed []preflight.Finding, at command.At) *refusedError {
	e := &refusedError{code: migration.CodePodNotParked, reason: "the pods would not park; no host was touched and nothing was changed"}
	e.evidence = findingLines(failed)
	if len(failed) == 1 {
		e.next = failed[0].Hint
	}
	e.evidence = append(e.evidence, "a check that is wrong about this cluster is waived by name: "+at.Ours("wrap %s --waive=%s", rec.Name, failed[0].ID))
	return e
}

func warnRoom(w io.Writer, what string, failed []preflight.Finding) {
	if len(failed) == 0 {
		return
	}
	fmt.Fprintf(w, "Warning: %s\n", what)
	for _, line := range findingLines(failed) {
		fmt.Fprintf(w, "  - %s\n", line)
	}
}

// findingLines lists what each failed check found, and its hint.
func findingLines(failed []preflight.Finding) []string {
	var out []string
	for _, fd := range failed {
		for _, d := range fd.Detail {
			out = append(out, fmt.Sprintf("%s %s: %s", fd.ID, fd.Title, d))
		}
		out = append(out, fmt.Sprintf("%s try: %s", fd.ID, fd.Hint))
	}
	return out
}
