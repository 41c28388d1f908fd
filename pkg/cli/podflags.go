package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// podSettings are the pods' settings that were said, and how they are said again.
type podSettings struct {
	intake.PodFlags
	again command.Quoted
}

// store keeps settings of pods that change something in the journal, with what was there
// before. Where they could change nothing it says so instead of going on.
//
// Before anything is written, ask judges what the pods would be.
func (f podSettings) store(ctx context.Context, s *session, id ensemble.MaybeID, ask func(migration.Record) error) error {
	rec, err := s.record(ctx)
	if err != nil {
		return err
	}
	to, changed, err := f.change(rec, id, s.kube.at())
	if err != nil {
		return err
	}
	if err := ask(to); err != nil || changed == "" {
		return err
	}
	if in := migration.InPods(rec); len(in) > 0 {
		fmt.Fprintf(s.kube.warn, "Warning: the pods' settings change (%s); servers %v keep what they run with until their pods are recreated\n", changed, in)
	}
	return s.save(ctx, to)
}

// over is the record with the settings, and what they change, empty for nothing.
func (f podSettings) over(rec migration.Record) (to migration.Record, changed string, err error) {
	pods, err := f.Over(rec.Pods, rec.Settings.Version)
	if err != nil || intake.SamePods(pods, rec.Pods) {
		return rec, "", err
	}
	return rec.ChangePods(pods), strings.Join(intake.PodChanges(rec.Pods, pods), ", "), nil
}

// change is over, where the settings reach a pod that is still to be replaced.
func (f podSettings) change(rec migration.Record, id ensemble.MaybeID, at command.At) (to migration.Record, changed string, err error) {
	if to, changed, err = f.over(rec); err != nil || changed == "" {
		return to, changed, err
	}
	if why, next := f.tooLate(rec, id, at); why != "" {
		return rec, changed, &refusedError{reason: fmt.Sprintf("nothing would change: %s (%s)", why, changed), next: next}
	}
	return to, changed, nil
}

// tooLate says why other settings would reach no pod any more.
func (f podSettings) tooLate(rec migration.Record, id ensemble.MaybeID, at command.At) (why, next string) {
	switch intake.SettingsReach(rec, id) {
	case intake.ReachPods:
	case intake.ReachBegun:
		return f.begun(rec, at)
	case intake.ReachServes:
		return fmt.Sprintf("server %d runs in its pod already, and replace does not restart a pod that serves", id.ID),
			at.Ours("apply %s --id=%d %s", rec.Name, id.ID, f.again)
	case intake.ReachAllServe:
		return "all servers run in their pods already, and replace does not restart pods that serve",
			at.Ours("apply %s %s", rec.Name, f.again)
	}
	return "", ""
}

// begun says why an operation under way takes no other settings, and what does.
func (f podSettings) begun(rec migration.Record, at command.At) (why, next string) {
	why = fmt.Sprintf("the %s of server %d has begun with the settings that are recorded", rec.Flight.Kind, rec.Flight.ID)
	switch {
	case rec.Flight.Kind != migration.Apply:
		next = at.Ours("revert %s --id=%d", rec.Name, rec.Flight.ID) + ", then replace it with the new settings"
	case rec.Pods.Plain:
		why = fmt.Sprintf("pods are being made again without a gate, and server %d is on its way", rec.Flight.ID)
		next = at.Ours("finalize %s --undo", rec.Name) + ", then " + at.Ours("apply %s %s", rec.Name, f.again)
	default:
		next = at.Ours("apply %s --id=%d --undo", rec.Name, rec.Flight.ID) + ", then " + at.Ours("apply %s %s", rec.Name, f.again)
	}
	return why, next
}
