package migration

import (
	"slices"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/sessions"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// facts is what one look adds up to, derived once. Rules, status, plan and problems
// read it; what the objects look like that it comes from is known to this layer alone
// (facts*.go).
type facts struct {
	// now is when the look began.
	now time.Time
	// complete is false for half a view.
	complete bool
	// from is where servers and hosts were asked from.
	from  vantage.Point
	twins []Claim
	// clients is who is connected, nil where nobody asked.
	clients *sessions.View
	// belongings is nil where nobody looked.
	belongings *Belongings
	uses       []Use
	via        command.Via
	rec        Record
	// flight is the operation under way, nil when none is.
	flight *Flight
	// members are the servers of the record, in its order.
	members []*member
	// leader is the one server that says that it leads, nil when none or more than one
	// does; epoch is its epoch, as its zxid shows it, 0 without one.
	leader *member
	epoch  uint32
}

// derive adds up one look.
func derive(o Observation) *facts {
	f := &facts{
		now: o.At, complete: o.ClusterComplete, from: o.From, twins: o.Twins, clients: o.Clients, belongings: o.Belongings, uses: o.Uses,
		via: o.Via, rec: o.Record, flight: o.Record.Flight,
	}
	leader := o.Leader()
	all := make([]member, len(f.rec.Servers))
	f.members = make([]*member, len(all))
	for i, s := range f.rec.Servers {
		v, _ := o.View(s.ID)
		all[i] = derived(s, v)
		f.members[i] = &all[i]
		if leader.Is(s.ID) {
			f.leader, f.epoch = &all[i], all[i].says.Zxid.Epoch()
		}
	}
	return f
}

// of returns a server of the record, nil when it has none with that id.
func (f *facts) of(id ensemble.ID) *member {
	return f.first(func(m *member) bool { return m.ID == id })
}

// ids are the servers of which this holds, in the record's order.
func (f *facts) ids(holds func(*member) bool) []ensemble.ID {
	var out []ensemble.ID
	for _, m := range f.members {
		if holds(m) {
			out = append(out, m.ID)
		}
	}
	return out
}

// first is the first server of which this holds, nil when there is none.
func (f *facts) first(holds func(*member) bool) *member {
	if i := slices.IndexFunc(f.members, holds); i >= 0 {
		return f.members[i]
	}
	return nil
}

// flying: this server is the one under way.
func (f *facts) flying(id ensemble.ID) bool { return f.flight != nil && f.flight.ID == id }

// quorum is the ensemble's rule of what can commit a write.
func (f *facts) quorum() ensemble.Quorum { return ensemble.NewQuorum(f.rec.Ensemble().Servers) }

// leads reports whether that server is the leader.
func (f *facts) leads(id ensemble.ID) bool { return f.leader != nil && f.leader.ID == id }

// stamp is the moment of this look, to be kept.
func (f *facts) stamp() *time.Time {
	at := f.now
	return &at
}

// age is how long ago something was, by our clock; negative when another clock, ahead
// of ours, wrote it.
func (f *facts) age(at time.Time) time.Duration { return f.now.Sub(at) }

// young reports whether a moment lies less than ProofFresh back. One in the future was
// written by another clock, and says nothing.
func (f *facts) young(at time.Time) bool {
	age := f.age(at)
	return age >= 0 && age <= ProofFresh
}

// due reports whether so much time has passed, or cannot be told.
func (f *facts) due(at time.Time, after time.Duration) bool {
	age := f.age(at)
	return age < 0 || age >= after
}
