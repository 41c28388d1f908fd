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

// store keeps flags of pods that change something in the journal, with what was there
// before. Where they could change nothing it says so instead of going on.
//
// Before anything is written, ask judges what the pods would be.
func (s *session) store(ctx context.Context, f intake.PodFlags, id ensemble.MaybeID, ask func(migration.Record) error) error {
	rec, err := s.record(ctx)
	if err != nil {
		return err
	}
	pods, err := f.Over(rec.Pods, rec.Settings.Version)
	if err != nil {
		return err
	}
	if intake.SamePods(pods, rec.Pods) {
		return ask(rec)
	}
	changed := strings.Join(intake.PodChanges(rec.Pods, pods), ", ")
	if why, next := tooLate(rec, id, s.kube.at()); why != "" {
		return &refusedError{reason: fmt.Sprintf("nothing would change: %s (%s)", why, changed), next: next}
	}
	to := rec.ChangePods(pods)
	if err := ask(to); err != nil {
		return err
	}
	if in := migration.InPods(rec); len(in) > 0 {
		fmt.Fprintf(s.kube.warn, "Warning: the pods' settings change (%s); servers %v keep what they run with until their pods are recreated\n", changed, in)
	}
	return s.save(ctx, to)
}

// tooLate says why other settings would reach no pod any more.
func tooLate(rec migration.Record, id ensemble.MaybeID, at command.At) (why, next string) {
	switch intake.SettingsReach(rec, id) {
	case intake.ReachPods:
	case intake.ReachBegun:
		return fmt.Sprintf("the %s of server %d has begun with the settings that are recorded", rec.Flight.Kind, rec.Flight.ID),
			at.Ours("revert %s --id=%d", rec.Name, rec.Flight.ID) + ", then replace it with the new settings"
	case intake.ReachServes:
		return fmt.Sprintf("server %d runs in its pod already, and a pod that serves is not restarted for its settings", id.ID),
			at.Ours("revert %s --id=%d", rec.Name, id.ID) + ", then replace it with the new settings"
	case intake.ReachAllServe:
		return "all servers run in their pods already, and pods that serve are not restarted for their settings",
			at.Ours("status %s", rec.Name)
	}
	return "", ""
}
