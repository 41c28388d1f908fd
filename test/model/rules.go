package model

import (
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// rule is a rule of Decide that can be taken out, by showing Decide a world in
// which it is met or by changing what it says. Production has no such switch.
type rule struct {
	name string
	// without is Decide without the rule.
	without decideFunc
	// in is where its absence shows, want what goes wrong first.
	in   Config
	want []violation
	// long ones take more than a second or two.
	long bool
}

// blind lets Decide see a changed observation.
func blind(change func(in migration.Intent, o *migration.Observation, v *migration.ServerView)) decideFunc {
	return func(in migration.Intent, o migration.Observation) migration.Decision {
		o.Servers = append([]migration.ServerView(nil), o.Servers...)
		if f := o.Record.Flight; f != nil {
			g := *f
			o.Record.Flight = &g
		}
		for i := range o.Servers {
			if o.Servers[i].ID == in.ID {
				change(in, &o, &o.Servers[i])
			}
		}
		return migration.Decide(in, o)
	}
}

// flying lets Decide see a changed flight of one kind.
func flying(kind migration.FlightKind, change func(f *migration.Flight, o *migration.Observation, v *migration.ServerView)) decideFunc {
	return blind(func(in migration.Intent, o *migration.Observation, v *migration.ServerView) {
		if f := o.Record.Flight; f != nil && f.Kind == kind && f.ID == in.ID {
			change(f, o, v)
		}
	})
}

// skip has Decide's step replaced by the one it would take next.
func skip(step migration.StepID, change func(f *migration.Flight, v *migration.ServerView)) decideFunc {
	return func(in migration.Intent, o migration.Observation) migration.Decision {
		d := migration.Decide(in, o)
		if d.Step != step {
			return d
		}
		return blind(func(_ migration.Intent, o *migration.Observation, v *migration.ServerView) {
			change(o.Record.Flight, v)
		})(in, o)
	}
}

// waived takes a wait for a code out: it looks again with a change.
func waived(code migration.Code, change decideFunc) decideFunc {
	return func(in migration.Intent, o migration.Observation) migration.Decision {
		d := migration.Decide(in, o)
		if d.Code != code {
			return d
		}
		return change(in, o)
	}
}

// whoLeads is the one server that says that it leads.
func whoLeads(o *migration.Observation) (migration.ServerView, bool) {
	id, ok := o.Leader().Get()
	if !ok {
		return migration.ServerView{}, false
	}
	return o.View(id)
}

func held(o *migration.Observation, age time.Duration) *migration.Proof {
	z := ensemble.Zxid(1)
	if v, ok := whoLeads(o); ok {
		z = ensemble.Zxid(uint64(v.Live.Zxid.Epoch())<<32 + 0)
	}
	return &migration.Proof{Zxid: z, At: o.At.Add(-age), Complete: true}
}

// everybodyServes pretends that every other server follows.
func everybodyServes(o *migration.Observation, but ensemble.ID) {
	var zxid ensemble.Zxid
	if v, ok := whoLeads(o); ok {
		zxid = v.Live.Zxid
	}
	for i := range o.Servers {
		v := &o.Servers[i]
		if v.ID != but && !v.Live.Serving() {
			v.Live = vantage.Sighting{Reach: vantage.Answered, Mode: ensemble.Follower, Zxid: zxid, SyncedFollowers: -1}
		}
		if v.Live.Mode == ensemble.Leader {
			v.Live.SyncedFollowers = -1
		}
	}
}

// sparing pretends that the others were seen in sync, hold what was written, and do
// not count the server.
func sparing(in migration.Intent, o migration.Observation) migration.Decision {
	return blind(func(in migration.Intent, o *migration.Observation, _ *migration.ServerView) {
		lead := true
		for i := range o.Servers {
			v := &o.Servers[i]
			if v.ID == in.ID {
				continue
			}
			v.Live = vantage.Sighting{Reach: vantage.Answered, Mode: ensemble.Follower, Zxid: 1 << 32, SyncedFollowers: -1}
			if lead {
				v.Live.Mode, v.Live.SyncedFollowers, lead = ensemble.Leader, len(o.Servers)-2, false
			}
		}
		if f := o.Record.Flight; f != nil {
			f.Before = held(o, 0)
		}
	})(in, o)
}

// Rules is the mutation table: each rule, and the configuration in which the
// model must find what happens without it.
func Rules(ids []ensemble.ID) []rule {
	one := func(faults, writes int, without ...string) Config {
		return Config{IDs: ids, Version: "3.4.13", Only: ids[:1], Begins: 1, Faults: faults, Writes: writes, Without: append(without, "lease")}
	}
	through := func(c Config) Config { c.Through = true; return c }
	back := func(faults, writes int, without ...string) Config {
		c := one(faults, writes, without...)
		c.Moved, c.Reverts = ids[:1], 1
		return c
	}
	bare := func(c Config) Config {
		c.Unguarded = true
		return c
	}
	deeds := func(c Config) Config {
		c.Deeds = true
		return c
	}
	copying := func(c Config) Config {
		c.Copy = true
		return c
	}
	// With three servers the second canary is on the disks of both others.
	five := Config{IDs: []ensemble.ID{1, 2, 3, 4, 5}, Version: "3.4.13", Only: ids[:1], Begins: 1, Writes: 1}
	again := back(1, 1, "lie", "reboot", "blind", "evict", "volume", "kill")
	again.Reverts = 2
	hands := one(2, 1, onlyStops()...)
	hands.Hand = true
	handsBack := back(2, 1, onlyStops()...)
	handsBack.Hand, handsBack.Reverts = true, 2
	copied := one(1, 1, onlyJournal()...)
	copied.Copies, copied.Reverts = true, 1
	putBack := copied
	putBack.Copies, putBack.Backups, putBack.Moved = false, true, ids[:1]
	underWay := putBack
	underWay.Flights = true
	underWay.Limit = 8_000_000
	twice := underWay
	twice.Moved, twice.Reverts = nil, 2
	later := twice
	later.Begins, later.Reverts = 2, 1
	sights := func(c Config) Config {
		c.Faults, c.Sight, c.Without = 2, true, onlySight()
		return c
	}
	restarts := sights(Config{IDs: ids, Version: "3.4.13", Begins: 1, Restart: true})
	restarts.Without = append(restarts.Without, "pause")
	killsOnly := []string{"lie", "reboot", "stop", "blind", "evict"}
	old := time.Hour
	rules := []rule{
		{
			name: "what is not seen is not gone: revert", in: sights(Config{IDs: ids, Version: "3.8.0", Moved: ids, Only: ids[2:], Reverts: 1, Begins: 1}),
			want: []violation{unsafeStop}, without: waived(migration.CodeUnseen, sparing),
		},
		{
			name: "a refusal alone is no end: watchdog", in: sights(one(2, 0)), want: []violation{unsafeStop, leaderStopped},
			without: blind(func(_ migration.Intent, o *migration.Observation, _ *migration.ServerView) {
				for i := range o.Servers {
					if l := &o.Servers[i].Live; l.Reach == vantage.Refused {
						l.Reach = vantage.NotServing
					}
				}
			}),
		},
		{
			name: "a connection that is accepted is no answer", in: sights(one(2, 0)), want: []violation{unsafeStop, leaderStopped, falseGhost},
			without: blind(func(_ migration.Intent, _ *migration.Observation, v *migration.ServerView) {
				if v.Host.Open() {
					v.Host.Answer.Reach = vantage.NotServing
				}
			}),
		},
		{
			name: "a start that was given up is not ended while its pod serves and was seen by half", long: true, in: sights(one(2, 0)), want: []violation{leaderStopped},
			without: flying(migration.Replace, func(f *migration.Flight, _ *migration.Observation, v *migration.ServerView) {
				if f.Aborted != "" && v.Live.Unread() {
					v.Host.Client = vantage.PortOpen
				}
			}),
		},
		{
			name: "restart: the leader confirms that the server is down", in: restarts, want: []violation{notRestarted},
			without: waived(migration.CodeUnseen, sparing),
		},
		{
			name: "every server in sync before one is stopped", in: one(1, 0, killsOnly...), want: []violation{unsafeStop},
			without: func(in migration.Intent, o migration.Observation) migration.Decision {
				d := migration.Decide(in, o)
				if f := o.Record.Flight; d.Code != migration.CodeDegraded || f != nil && f.DeadSince != nil || o.Leader().IsZero() {
					return d
				}
				return blind(func(in migration.Intent, o *migration.Observation, _ *migration.ServerView) {
					everybodyServes(o, in.ID)
				})(in, o)
			},
		},
		{
			name: "leader last", in: Config{IDs: ids, Version: "3.4.13", Begins: 1}, want: []violation{leaderStopped},
			without: waived(migration.CodeLeaderLast, blind(func(in migration.Intent, o *migration.Observation, v *migration.ServerView) {
				for i := range o.Servers {
					if o.Servers[i].ID != in.ID {
						o.Servers[i].Live.Mode = ensemble.Leader
						break
					}
				}
				v.Live.Mode = ensemble.Follower
			})),
		},
		{
			name: "fence before the stop", in: one(1, 0), want: []violation{unsafeRelease, twoProcesses},
			without: flying(migration.Replace, func(f *migration.Flight, _ *migration.Observation, _ *migration.ServerView) {
				f.Fenced = confirmed(true)
			}),
		},
		{
			name: "a second witness that the host is dead", in: one(1, 0), want: []violation{unsafeRelease, twoProcesses},
			without: flying(migration.Replace, func(f *migration.Flight, o *migration.Observation, v *migration.ServerView) {
				sawDead(o, v)
				blindToLife(o, v)
			}),
		},
		{
			name: "who asks is not on the second witness's node", in: through(one(1, 0)), want: []violation{unsafeRelease, twoProcesses},
			without: flying(migration.Replace, func(_ *migration.Flight, o *migration.Observation, v *migration.ServerView) {
				o.From = vantage.Point{}
				blindToLife(o, v)
			}),
		},
		{
			name: "the second witness reports after the stop", long: true, in: one(2, 0, "stop", "reboot", "lie", "evict"), want: []violation{unsafeRelease, twoProcesses},
			without: flying(migration.Replace, func(f *migration.Flight, o *migration.Observation, v *migration.ServerView) {
				if f.ReportAtStop != nil {
					early := time.Unix(0, 0)
					f.ReportAtStop = &early
				}
				blindToLife(o, v)
			}),
		},
		{
			name: "silence is no death", in: one(1, 0), want: []violation{unsafeRelease, twoProcesses},
			without: flying(migration.Replace, func(f *migration.Flight, o *migration.Observation, v *migration.ServerView) {
				if f.StopAsked != nil && v.Host.Client == vantage.PortSilent {
					v.Host = migration.HostView{Client: vantage.PortClosed, Election: vantage.PortClosed}
					sawDead(o, v)
					blindToLife(o, v)
				}
			}),
		},
		{
			name: "all others hold a second canary before the release", in: one(1, 1, "lie", "reboot", "stop", "blind", "evict"), want: []violation{unsafeRelease, lostWrite},
			without: flying(migration.Replace, func(f *migration.Flight, o *migration.Observation, _ *migration.ServerView) {
				if f.DeadSince != nil && !o.Leader().IsZero() {
					f.After = held(o, migration.ProofFresh/2)
				}
			}),
		},
		{
			name: "the same, followed to the loss", long: true, in: deeds(one(1, 1, killsOnly...)), want: []violation{lostWrite},
			without: flying(migration.Replace, func(f *migration.Flight, o *migration.Observation, _ *migration.ServerView) {
				if f.DeadSince != nil && !o.Leader().IsZero() {
					f.After = held(o, migration.ProofFresh/2)
				}
			}),
		},
		{
			name: "the others' disks get their time", long: true, in: five, want: []violation{unsafeRelease},
			without: waived(migration.CodeHold, flying(migration.Replace, func(f *migration.Flight, o *migration.Observation, _ *migration.ServerView) {
				if f.After != nil {
					p := *f.After
					p.At = o.At.Add(-migration.ProofFresh / 2)
					f.After = &p
				}
			})),
		},
		{
			name: "a host that came back voids the proofs", long: true, in: one(3, 1, "blind", "evict", "kill"), want: []violation{unsafeRelease, lostWrite, twoProcesses},
			without: func(in migration.Intent, o migration.Observation) migration.Decision {
				d := migration.Decide(in, o)
				if d.Step == migration.StepRestartProof {
					d.Kind, d.Step, d.Flight = migration.Wait, "", nil
				}
				return d
			},
		},
		{
			name: "a host that nobody watched is looked at anew", in: hands, want: []violation{unsafeRelease, lostWrite},
			without: blind(func(_ migration.Intent, o *migration.Observation, _ *migration.ServerView) {
				if f := o.Record.Flight; f != nil && f.DeadSince != nil {
					dead := o.At.Add(-old)
					f.DeadSince = &dead
					if f.After != nil {
						p := *f.After
						p.At = o.At.Add(-migration.ProofFresh / 2)
						f.After = &p
					}
				}
			}),
		},
		{
			name: "the same, for a copy", in: copying(hands), want: []violation{unsafeRelease, lostWrite},
			without: flying(migration.Replace, func(f *migration.Flight, o *migration.Observation, _ *migration.ServerView) {
				if f.DeadSince != nil {
					dead := o.At.Add(-old)
					f.DeadSince = &dead
				}
			}),
		},
		{
			name: "the same, for a revert that is turned back", long: true, in: handsBack, want: []violation{unsafeRelease, lostWrite},
			without: blind(func(_ migration.Intent, o *migration.Observation, _ *migration.ServerView) {
				if o.Record.Flight == nil {
					return
				}
				for _, t := range []**time.Time{&o.Record.Flight.StopAsked, &o.Record.Flight.DeadSince, &o.Record.Flight.Returning} {
					if *t != nil {
						seen := o.At.Add(-old)
						*t = &seen
					}
				}
			}),
		},
		{
			name: "flip before the selector", in: bare(one(0, 0)), want: []violation{twoAddresses, noAddress, leftBehind},
			without: skip(migration.StepFlip, func(_ *migration.Flight, v *migration.ServerView) {
				v.Cluster.Endpoints.Bridge, v.Cluster.Endpoints.BridgePodUID = []string{v.Cluster.Pod.IP}, v.Cluster.Pod.UID
			}),
		},
		{
			name: "the controller's slice before the bridge goes", in: bare(one(0, 0)), want: []violation{noAddress},
			without: waived(migration.CodeAdoptPending, blind(func(_ migration.Intent, _ *migration.Observation, v *migration.ServerView) {
				v.Cluster.Endpoints.Controller = []string{v.Cluster.Pod.IP}
			})),
		},
		{
			name: "revert: the bridge before the selector goes", in: bare(back(0, 0)), want: []violation{noAddress},
			without: skip(migration.StepBridge, func(_ *migration.Flight, v *migration.ServerView) {
				v.Cluster.Endpoints.Bridge, v.Cluster.Endpoints.BridgePodUID = []string{v.Cluster.Pod.IP}, v.Cluster.Pod.UID
			}),
		},
		{
			name: "revert: what the controllers left behind goes", in: bare(back(0, 0)), want: []violation{twoAddresses, leftBehind},
			without: flying(migration.Revert, func(_ *migration.Flight, _ *migration.Observation, v *migration.ServerView) {
				v.Cluster.Endpoints.Leftovers = nil
			}),
		},
		{
			name: "revert: the controllers get their time to let go", in: back(0, 0), want: []violation{twoAddresses, leftBehind},
			without: flying(migration.Revert, func(f *migration.Flight, o *migration.Observation, v *migration.ServerView) {
				if f.Cleared != nil && f.After == nil {
					early := o.At.Add(-old)
					f.Cleared = &early
				}
			}),
		},
		{
			name: "revert: the pod is gone, by uid", in: back(0, 0), want: []violation{unsafeStart, twoProcesses},
			without: skip(migration.StepDeletePod, func(f *migration.Flight, v *migration.ServerView) {
				f.PodUID = ""
				v.Cluster.Pod.UID, v.Cluster.Pod.Report.State = "other", migration.GateParked
			}),
		},
		{
			name: "revert: its successor has read the closed gate", long: true, in: back(1, 0, "lie", "stop", "blind", "kill"), want: []violation{unsafeStart, twoProcesses},
			without: flying(migration.Revert, func(_ *migration.Flight, _ *migration.Observation, v *migration.ServerView) {
				v.Cluster.Pod.Report.Generation = v.Cluster.Gate.Generation
			}),
		},
		{
			name: "revert: all others hold a second canary before the host starts", in: back(0, 1), want: []violation{lostWrite, unsafeStart},
			without: flying(migration.Revert, func(f *migration.Flight, o *migration.Observation, _ *migration.ServerView) {
				if f.DeadSince != nil && !o.Leader().IsZero() {
					f.After = held(o, migration.ProofFresh/2)
				}
			}),
		},
		{
			name: "a lost volume begins anew only after a new proof", in: Config{IDs: ids, Version: "3.4.13", Moved: ids, Faults: 2, Writes: 1, Without: []string{"lease", "evict", "reboot", "blind", "stop"}},
			want: []violation{unsafeRelease, lostWrite},
			without: flying(migration.Replace, func(f *migration.Flight, o *migration.Observation, _ *migration.ServerView) {
				if f.Renewing != nil && !o.Leader().IsZero() {
					f.After = held(o, migration.ProofFresh/2)
				}
			}),
		},
		{
			name: "a copy counts with its token only", in: copying(one(0, 0)), want: []violation{unsafeRelease},
			without: flying(migration.Replace, func(f *migration.Flight, _ *migration.Observation, v *migration.ServerView) {
				v.Cluster.Pod.Report.Volume.Seed = f.Seed
			}),
		},
		{
			name: "revert: only a pod that never synced leaves its host up to date", in: back(1, 1, "lie", "stop", "blind", "reboot", "evict", "volume"), want: []violation{lostWrite, unsafeStart},
			without: func(in migration.Intent, o migration.Observation) migration.Decision {
				if f := o.Record.Flight; f != nil && f.Kind == migration.Revert {
					o.Record.Servers = append([]migration.ServerRecord(nil), o.Record.Servers...)
					for i := range o.Record.Servers {
						if o.Record.Servers[i].ID == in.ID {
							o.Record.Servers[i].Replaced = nil
						}
					}
					return flying(migration.Revert, func(_ *migration.Flight, _ *migration.Observation, v *migration.ServerView) {
						v.Cluster.Pod.Report.Volume.State = migration.VolumeUnsynced
					})(in, o)
				}
				return migration.Decide(in, o)
			},
		},
		{
			name: "a revert is turned back only before its host may run", in: again, want: []violation{unsafeRelease, lostWrite, twoProcesses},
			without: func(in migration.Intent, o migration.Observation) migration.Decision {
				if in.Kind != migration.Replace {
					return migration.Decide(in, o)
				}
				return flying(migration.Revert, func(f *migration.Flight, _ *migration.Observation, v *migration.ServerView) {
					f.Released, f.Unmasking, f.Unfenced = nil, nil, nil
					v.Host = migration.HostView{Client: vantage.PortClosed, Election: vantage.PortClosed}
				})(in, o)
			},
		},
		{
			name: "a server is where its Service points to, whatever a journal that was put back says", in: putBack, want: []violation{twoProcesses, staleStart},
			without: waived(migration.CodeJournalDisagrees, blind(func(_ migration.Intent, o *migration.Observation, v *migration.ServerView) {
				if sr, ok := o.Record.Server(v.ID); ok && sr.Replaced != nil {
					v.Cluster.Endpoints.Union = nil
				}
			})),
		},
		{
			name: "a revert from a journal that was put back proves as if its pod had run", in: copied, want: []violation{twoProcesses, unsafeStart},
			without: blind(func(in migration.Intent, o *migration.Observation, v *migration.ServerView) {
				if o.Record.Flight == nil && in.Kind == migration.Revert && v.Cluster.Pod.Report.State == migration.GateParked {
					v.Cluster.Pod = migration.PodView{Source: migration.Source{Missing: true}}
				}
			}),
		},
		{
			name: "what a revert has proven is void when its pod has run since", in: underWay, want: []violation{unsafeStart, lostWrite}, long: true,
			without: func(in migration.Intent, o migration.Observation) migration.Decision {
				was := o.Record.Flight
				d := flying(migration.Revert, func(f *migration.Flight, _ *migration.Observation, v *migration.ServerView) {
					if v.Cluster.Gate.Released {
						f.DeadSince = nil
					}
					if f.Served {
						f.Gate = 0
					}
				})(in, o)
				if d.Step == migration.StepDeletePod && was.Kind == migration.Revert {
					d.Flight.DeadSince, d.Flight.After, d.Flight.Released = was.DeadSince, was.After, was.Released
				}
				return d
			},
		},
		{
			name: "a revert of one that never ran is begun anew when it has", in: later, want: []violation{twoProcesses, unsafeStart}, long: true,
			without: flying(migration.Revert, func(f *migration.Flight, _ *migration.Observation, v *migration.ServerView) {
				if !f.Served {
					f.Gate, v.Cluster.Gate.Released, v.Cluster.Pod.Report.State = 0, false, migration.GateParked
				}
			}),
		},
		{
			name: "a replacement that has opened no gate finds it as it began", in: twice, want: []violation{twoProcesses, unsafeStart}, long: true,
			without: flying(migration.Replace, func(f *migration.Flight, _ *migration.Observation, _ *migration.ServerView) { f.Gate = 0 }),
		},
		{
			name: "one server at a time", in: Config{IDs: ids, Version: "3.4.13", Begins: 2, Only: ids[:2], Without: []string{"lease"}}, want: []violation{twoAway, unsafeStop},
			without: blind(func(in migration.Intent, o *migration.Observation, _ *migration.ServerView) {
				if f := o.Record.Flight; f != nil && f.ID != in.ID {
					o.Record.Flight = nil
					everybodyServes(o, in.ID)
					for i := range o.Servers {
						o.Servers[i].Cluster.Endpoints.Union = []string{o.Record.Servers[i].HostIP}
						o.Servers[i].Cluster.Service.Selector = ""
					}
				}
			}),
		},
	}
	return append(rules, rulesOfPods(ids)...)
}
