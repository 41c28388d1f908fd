package model

import (
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// Margins are rules whose absence breaks nothing in this model: the other
// proofs are enough while its assumptions hold. They stay in Decide for when
// one does not.
func Margins(ids []ensemble.ID) []rule {
	in := Config{IDs: ids, Version: "3.4.13", Only: ids[:1], Begins: 1, Faults: 1, Writes: 1, Without: []string{"lease"}}
	forgetful := Config{IDs: ids, Version: "3.4.13", Moved: ids[:1], Only: ids[:1], Begins: 1, Reverts: 1, Faults: 1, Writes: 1, Backups: true, Forgetful: true, Without: onlyJournal()}
	return []rule{
		{
			name: "watchdog before 3.6", in: in,
			without: func(i migration.Intent, o migration.Observation) migration.Decision {
				o.Record.Settings.Version = "3.8.0"
				return migration.Decide(i, o)
			},
		},
		{
			name: "no election between the two proofs", in: in,
			without: flying(migration.Replace, func(f *migration.Flight, _ *migration.Observation, _ *migration.ServerView) {
				f.WasLeader = true
			}),
		},
		{name: "what a parked pod notes of its host", in: forgetful, without: migration.Decide},
		{
			name: "the canary on all n before the stop", in: in,
			without: flying(migration.Replace, func(f *migration.Flight, o *migration.Observation, _ *migration.ServerView) {
				if f.Before == nil && !o.Leader().IsZero() {
					f.Before = held(o, 0)
				}
			}),
		},
	}
}
