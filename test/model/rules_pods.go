package model

import (
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// rulesOfPods are those of what comes beside and after a migration: apply, finalize and unwrap.
func rulesOfPods(ids []ensemble.ID) []rule {
	unwrapping := Unwrapping()
	return []rule{
		{
			name: "a pod is made again only while the others can spare it", want: []violation{unsafeStop},
			in: Config{IDs: ids, Version: "3.4.13", Moved: ids, Only: ids[:1], Begins: 1, Faults: 1, Apply: true, Without: []string{"lease", "evict", "reboot", "stop", "blind", "lie", "volume"}},
			without: blind(func(in migration.Intent, o *migration.Observation, _ *migration.ServerView) {
				if in.Kind == migration.Apply {
					everybodyServes(o, in.ID)
					if f := o.Record.Flight; f != nil {
						f.Before = held(o, 0)
					}
				}
			}),
		},
		{
			name: "the leader's pod is made again last", want: []violation{leaderStopped},
			in: Config{IDs: ids, Version: "3.8.0", Moved: ids, Only: ids[2:], Begins: 1, Apply: true},
			without: blind(func(in migration.Intent, o *migration.Observation, _ *migration.ServerView) {
				for i := range o.Servers {
					if in.Kind == migration.Apply && o.Servers[i].ID != in.ID {
						o.Servers[i].Cluster.Pod.Source.Pod.Outdated = false
					}
				}
			}),
		},
		{
			name: "a Service stays while a server's list names it", in: unwrapping, want: []violation{listedGone},
			without: func(in migration.Intent, o migration.Observation) migration.Decision {
				if in.Kind != migration.Unwrap {
					return migration.Decide(in, o)
				}
				o.Servers = append([]migration.ServerView(nil), o.Servers...)
				for i := range o.Servers {
					o.Servers[i].Live.Members, o.Servers[i].Host.Answer.Members = nil, nil
				}
				o.Record.Servers = append([]migration.ServerRecord(nil), o.Record.Servers...)
				for i := range o.Record.Servers {
					o.Record.Servers[i].Reconfigured = nil
				}
				o.Uses = notInUse(o.Uses)
				return migration.Decide(in, o)
			},
		},
		{
			name: "a server that is not seen may run with the Services' addresses", long: true, in: unseenUnwrap(unwrapping), want: []violation{listedGone},
			without: func(in migration.Intent, o migration.Observation) migration.Decision {
				d := migration.Decide(in, o)
				if in.Kind != migration.Unwrap || d.Code != migration.CodeUnseen {
					return d
				}
				o.Servers = append([]migration.ServerView(nil), o.Servers...)
				for i := range o.Servers {
					if v := &o.Servers[i]; !v.Live.Serving() || v.Live.Unread() {
						v.Live = vantage.Sighting{Reach: vantage.Answered, Mode: ensemble.Follower, ServerID: v.ID.Known(), Members: []ensemble.Server{}}
					}
				}
				o.Uses = notInUse(o.Uses)
				return migration.Decide(in, o)
			},
		},
		{
			name: "a pod loses its gate only while the others can spare it", want: []violation{unsafeStop},
			in: Config{IDs: ids, Version: "3.4.13", Moved: ids, Only: ids[:1], Begins: 1, Faults: 1, Finalize: true, Without: []string{"lease", "evict", "reboot", "stop", "blind", "lie", "volume"}},
			without: blind(func(in migration.Intent, o *migration.Observation, _ *migration.ServerView) {
				if in.Plain && o.Record.Pods.Plain {
					everybodyServes(o, in.ID)
					if f := o.Record.Flight; f != nil {
						f.Before = held(o, 0)
					}
				}
			}),
		},
		{
			name: "the StatefulSet gets its pods only when none has a gate", want: []violation{unfinished},
			in: Config{IDs: ids, Version: "3.8.0", Moved: ids, Begins: 3, Finalize: true},
			without: blind(func(in migration.Intent, o *migration.Observation, _ *migration.ServerView) {
				for i := range o.Servers {
					if source := &o.Servers[i].Cluster.Pod.Source.Pod; in.Plain && o.Servers[i].ID != in.ID {
						source.Plain, source.Outdated = true, false
					}
				}
			}),
		},
	}
}
