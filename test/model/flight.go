package model

import (
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// age is how long ago something happened, as far as Decide's timing rules can
// tell: never, just now, or longer ago than any of them; ancient is before
// somebody last looked.
type age uint8

const (
	never age = iota
	fresh
	old
	ancient
)

// proof is migration.Proof in little.
type proof struct {
	on, complete bool
	z            zxid
	age          age
}

// token stands for every token: one that is void is forgotten with its copy.
const token = "token"

// flight is migration.Flight in little; TestFlightIsWhole holds the two
// together.
type flight struct {
	on                                     bool
	kind                                   uint8
	id                                     uint8
	wasLeader, fenced, unfenced, patched   bool
	aborted, served                        bool
	before, after, joined                  proof
	stopAsked, deadSince, released, kicked age
	cleared                                age
	reportAtStop, podUID                   uint8
	// copied is Data, seed that there is a token.
	copied, seed, renewed bool
	seedAsked, renewing   age
	// gate is whether the gate has changed since it began.
	gate gateThen
	// line and lineFor are the line of the gate that a revert took out.
	line, lineFor uint8
	returning     age
	unmasking     age
	reclaimed     age
}

// gateThen is the gate's generation when an operation began.
type gateThen uint8

const (
	notNoted gateThen = iota
	unchanged
	changed
)

// Kinds of operation, as the state holds them.
const (
	replace uint8 = iota
	revert
	restart
	apply
)

func kindOf(k uint8) migration.FlightKind {
	switch k {
	case revert:
		return migration.Revert
	case restart:
		return migration.Reconfigure
	case apply:
		return migration.Apply
	case unwrap:
		return migration.Unwrap
	}
	return migration.Replace
}

func kindFrom(k migration.FlightKind) uint8 {
	switch k {
	case migration.Revert:
		return revert
	case migration.Reconfigure:
		return restart
	case migration.Apply:
		return apply
	}
	return replace
}

// now is the time of every observation; ages are moments before it.
func now() time.Time { return time.Unix(1_800_000_000, 0) }

func (a age) time() *time.Time {
	var t time.Time
	switch a {
	case never:
		return nil
	case fresh:
		t = now()
	case old:
		t = now().Add(-time.Hour)
	default:
		t = since().Add(-time.Hour)
	}
	return &t
}

// since is from when on somebody looks without a gap.
func since() time.Time { return now().Add(-2 * time.Hour) }

func ageOf(t *time.Time) age {
	switch {
	case t == nil:
		return never
	case t.Before(since()):
		return ancient
	case t.Before(now()):
		return old
	}
	return fresh
}

// reportTime is the time of a pod's n-th report, by its node's clock.
func reportTime(n uint8) time.Time { return now().Add(-2*time.Hour + time.Duration(n)*time.Second) }

func toZxid(z zxid) ensemble.Zxid { return ensemble.Zxid(uint64(z>>8)<<32 | uint64(z&0xff)) }

func fromZxid(z ensemble.Zxid) zxid { return zx(uint8(z.Epoch()), uint8(z.Counter())) }

func (p proof) migration() *migration.Proof {
	if !p.on {
		return nil
	}
	return &migration.Proof{Zxid: toZxid(p.z), At: *p.age.time(), Complete: p.complete}
}

// held is the same for the proof on the others, which is old when their disks
// have had their time, and too old only when nobody has looked since.
func (p proof) held() *migration.Proof {
	out := p.migration()
	if p.age == old {
		out.At = now().Add(-migration.ProofFresh / 2)
	}
	return out
}

func proofFrom(p *migration.Proof) proof {
	if p == nil {
		return proof{}
	}
	return proof{on: true, complete: p.Complete, z: fromZxid(p.Zxid), age: ageOf(&p.At)}
}

// startOf is what a line lets a pod start from; a uid is one letter.
func startOf(who uint8) migration.GateStart {
	if who == bySeed {
		return migration.SeededStart(token)
	}
	return migration.EmptyStart(string([]byte{'a' + who}))
}

func startFrom(s migration.GateStart) uint8 {
	if s == migration.SeededStart(token) {
		return bySeed
	}
	return s[len(s)-1] - 'a'
}

func confirmed(yes bool) *migration.Confirmation {
	if !yes {
		return nil
	}
	return &migration.Confirmation{At: now(), By: "model", How: "model"}
}

// migration expands the flight; ids are those of the world.
func (f flight) migration(w *world) *migration.Flight {
	if !f.on {
		return nil
	}
	out := &migration.Flight{
		Kind: kindOf(f.kind), ID: w.cfg.IDs[f.id], Started: now(), By: "model", WasLeader: f.wasLeader,
		Served: f.served, Patched: confirmed(f.patched),
		Proofs:   migration.Proofs{Before: f.before.migration(), After: f.after.held(), Joined: f.joined.migration()},
		Stopping: migration.Stopping{Fenced: confirmed(f.fenced), StopAsked: f.stopAsked.time(), DeadSince: f.deadSince.time()},
		Starting: migration.Starting{
			SeedAsked: f.seedAsked.time(), Released: f.released.time(), Kicked: f.kicked.time(), Renewing: f.renewing.time(), Returning: f.returning.time(),
		},
		Leaving: migration.Leaving{
			Unfenced: confirmed(f.unfenced), Cleared: f.cleared.time(), Unmasking: f.unmasking.time(), Reclaimed: f.reclaimed.time(),
		},
	}
	if f.gate != notNoted {
		out.Gate = gateGeneration + int(unchanged) - int(f.gate)
	}
	if f.line != 0 || f.lineFor != 0 {
		out.Line = &migration.Release{Generation: int(f.line), Start: startOf(f.lineFor)}
	}
	if f.copied {
		out.Data = migration.DataCopy
	}
	if f.seed {
		out.Seed = token
	}
	if f.renewed {
		out.Renewals = 1
	}
	if f.reportAtStop != 0 {
		at := reportTime(f.reportAtStop)
		out.ReportAtStop = &at
	}
	if f.podUID != 0 {
		out.PodUID = w.base.uid(f.podUID)
	}
	if f.aborted {
		out.Aborted = "given up"
	}
	return out
}

func (w *world) flightFrom(m *migration.Flight) flight {
	if m == nil {
		return flight{}
	}
	f := flight{
		on: true, kind: kindFrom(m.Kind), id: w.base.index(m.ID), wasLeader: m.WasLeader, fenced: m.Fenced != nil, unfenced: m.Unfenced != nil,
		patched: m.Patched != nil, aborted: m.Aborted != "", served: m.Served, before: proofFrom(m.Before), after: proofFrom(m.After),
		joined: proofFrom(m.Joined), stopAsked: ageOf(m.StopAsked), deadSince: ageOf(m.DeadSince), released: ageOf(m.Released),
		kicked: ageOf(m.Kicked), cleared: ageOf(m.Cleared), copied: m.Data == migration.DataCopy, seed: m.Seed != "",
		renewed: m.Renewals > 0, seedAsked: ageOf(m.SeedAsked), renewing: ageOf(m.Renewing),
		returning: ageOf(m.Returning), unmasking: ageOf(m.Unmasking), reclaimed: ageOf(m.Reclaimed),
	}
	switch m.Gate {
	case 0:
	case gateGeneration:
		f.gate = unchanged
	default:
		f.gate = changed
	}
	if m.Line != nil {
		f.line, f.lineFor = uint8(m.Line.Generation), startFrom(m.Line.Start)
	}
	if m.ReportAtStop != nil {
		f.reportAtStop = uint8(m.ReportAtStop.Sub(reportTime(0)) / time.Second)
	}
	if m.PodUID != "" {
		f.podUID = m.PodUID[0] - 'a'
	}
	return f
}

// ages are all of them.
func (f *flight) ages() []*age {
	return append(f.stops(), &f.before.age, &f.after.age, &f.joined.age, &f.released, &f.kicked, &f.cleared, &f.seedAsked, &f.renewing, &f.unmasking)
}

// stops are when the server was known, or asked, to be down: what matters is
// whether somebody has looked since.
func (f *flight) stops() []*age {
	return []*age{&f.stopAsked, &f.deadSince, &f.returning, &f.reclaimed}
}

// gap reports whether nobody but a pod can have looked all the time since.
func (f *flight) gap() bool {
	return f.stopAsked == ancient || f.deadSince == ancient || f.returning == ancient || f.reclaimed == ancient
}

// later makes everything that just happened long ago.
func (f *flight) later() bool {
	moved := false
	for _, a := range f.ages() {
		if *a == fresh {
			*a, moved = old, true
		}
	}
	return moved
}

// past has all of them lie before somebody last looked.
func past(all []*age) {
	for _, a := range all {
		if *a != never {
			*a = ancient
		}
	}
}
