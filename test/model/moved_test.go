//go:build model && former

package model

import (
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// moved gives a field of PodView as it was called before the pod's source and its
// gate's report were values of their own; nil for any other.
func moved(field string) func(*migration.PodView) any {
	volume := func(state migration.VolumeState) func(*migration.PodView) any {
		return func(p *migration.PodView) any { return p.Report.Volume.State == state }
	}
	return map[string]func(*migration.PodView) any{
		"Found":          func(p *migration.PodView) any { return p.UID != "" },
		"Claim":          func(p *migration.PodView) any { return p.Claim() },
		"Running":        func(p *migration.PodView) any { return p.Running() },
		"Ready":          func(p *migration.PodView) any { return p.Ready() },
		"Preparing":      func(p *migration.PodView) any { return p.Container == migration.ContainerPreparing },
		"Outdated":       func(p *migration.PodView) any { return p.Source.Pod.Outdated },
		"Drift":          func(p *migration.PodView) any { return p.Source.Pod.Drift },
		"SetOutdated":    func(p *migration.PodView) any { return p.Source.Set.Outdated },
		"SetDrift":       func(p *migration.PodView) any { return p.Source.Set.Drift },
		"Unmade":         func(p *migration.PodView) any { return p.Source.Missing },
		"Files":          func(p *migration.PodView) any { return p.Source.Files },
		"ForeignFiles":   func(p *migration.PodView) any { return p.Source.ForeignFiles },
		"Unbound":        func(p *migration.PodView) any { return map[bool]string{true: p.Claim()}[p.Unbound] },
		"LogSays":        func(p *migration.PodView) any { return p.Log.Says },
		"Snapshots":      func(p *migration.PodView) any { return p.Log.Snapshots },
		"Gate":           func(p *migration.PodView) any { return p.Report.State },
		"GateDetail":     func(p *migration.PodView) any { return p.Report.Detail },
		"GateGeneration": func(p *migration.PodView) any { return p.Report.Generation },
		"GateCause":      func(p *migration.PodView) any { return p.Report.Cause },
		"GateAt":         func(p *migration.PodView) any { return p.Report.At },
		"GateFresh":      func(p *migration.PodView) any { return p.Report.Fresh },
		"HostClosed":     func(p *migration.PodView) any { return p.Report.HostClosed() },
		"HostClosedFor": func(p *migration.PodView) any {
			if !p.Report.HostClosed() {
				return time.Duration(0)
			}
			return *p.Report.HostClosedFor
		},
		"Seeded":         func(p *migration.PodView) any { return p.Report.Volume.Seed },
		"NeverSynced":    volume(migration.VolumeUnsynced),
		"NeverStarted":   volume(migration.VolumeUnused),
		"Outlived":       volume(migration.VolumeOutlived),
		"DataGeneration": func(p *migration.PodView) any { return p.Report.Volume.Generation },
		"VolumeSince":    func(p *migration.PodView) any { return p.Report.Volume.Since },
		"Version":        func(p *migration.PodView) any { return p.Report.Version },
		"Listens":        func(p *migration.PodView) any { return p.Report.Listens },
	}[field]
}
