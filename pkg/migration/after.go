package migration

import "github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"

// Before returns the record as it must be saved before the decision's step is
// carried out (write-ahead), and whether it changed.
func (r Record) Before(d Decision) (Record, bool) {
	if d.Flight == nil && d.Removal == nil {
		return r, false
	}
	out := r.clone()
	if d.Removal != nil {
		out.Removal = d.Removal
	}
	if d.Flight != nil {
		f := *d.Flight
		// What begins may use what was seen unused.
		out.Flight, out.Removal = &f, nil
	}
	return out, true
}

// After returns the record with what the step brought, and whether it changed; by is
// whoever took it.
func (r Record) After(by string, d Decision, o Outcome, leader ensemble.MaybeID) (Record, bool) {
	keep := StepByID(d.Step).kept
	if keep == nil {
		return r, false
	}
	out := r.clone()
	if !keep(&out, brought{by: by, d: d, o: o, leader: leader}) {
		return r, false
	}
	return out, true
}

// brought is what a step brought, and for whom.
type brought struct {
	by     string
	d      Decision
	o      Outcome
	leader ensemble.MaybeID
}

// keeper writes into the record what a step brought; false when there is nothing to keep.
type keeper func(r *Record, b brought) bool

// keepProof keeps a canary.
func keepProof(at func(*Flight) **Proof) keeper {
	return func(r *Record, b brought) bool {
		*at(r.Flight) = &Proof{Zxid: b.o.Zxid, Leader: b.leader, At: b.o.At}
		return true
	}
}

// keepConfirmed keeps what somebody did on a host, once it was done.
func keepConfirmed(at func(*Flight) **Confirmation) keeper {
	return func(r *Record, b brought) bool {
		if !b.o.Done {
			return false
		}
		*at(r.Flight) = &Confirmation{At: b.o.At, By: b.by, How: b.o.By}
		return true
	}
}

// keepCleared keeps when the controllers were last told to release the Service, unless
// the flight belongs to another server.
func keepCleared(r *Record, b brought) bool {
	if r.Flight == nil || r.Flight.ID != b.d.Server {
		return false
	}
	at := b.o.At
	r.Flight.Cleared = &at
	return true
}

// keepEnd ends an operation; keep writes what is known of its server from then on.
func keepEnd(keep func(r *Record, s *ServerRecord, b brought)) keeper {
	return func(r *Record, b brought) bool {
		if s, ok := r.Server(b.d.Server); ok {
			keep(r, s, b)
		}
		r.Flight = nil
		return true
	}
}

func keepReplaced(r *Record, s *ServerRecord, b brought) {
	at := b.o.At
	s.Replaced, s.Release = &at, b.d.Release
	r.PodsBefore = nil
}

func keepRestarted(r *Record, s *ServerRecord, b brought) {
	s.Reconfigured = &Confirmation{At: b.o.At, By: b.by, How: "restarted with the patched file, in sync afterwards"}
	if joined := r.Flight.Joined; joined != nil {
		r.NoteRestarted(joined.Zxid.Epoch())
	}
}

// keepApplied: a server has joined with the pods' settings.
func keepApplied(r *Record, _ *ServerRecord, _ brought) { r.PodsBefore = nil }

func keepUngated(r *Record, b brought) bool {
	r.Pods.Plain, r.Pods.PlainFiles = true, b.o.PlainFiles
	return true
}

func keepFinalized(r *Record, b brought) bool {
	r.Finalized = &Confirmation{At: b.o.At, By: b.by, How: "all servers were in sync in pods without a gate, and the ensemble's name was given"}
	return true
}

// keepLine: the pod's volume knows the newest line; what it began may be whole.
func keepLine(r *Record, s *ServerRecord, _ brought) {
	if r.Flight.Line.known() {
		s.Release = r.Flight.Line
	}
}

func keepReverted(_ *Record, s *ServerRecord, _ brought) { s.Replaced, s.Release = nil, nil }

func keepNothing(*Record, *ServerRecord, brought) {}

func keepPods(r *Record, _ brought) bool {
	*r = r.RestorePods()
	return true
}

func (r Record) clone() Record {
	out := r
	out.Servers = append([]ServerRecord(nil), r.Servers...)
	out.Audit = append([]AuditEntry(nil), r.Audit...)
	out.Waivers = append([]Waiver(nil), r.Waivers...)
	if r.Flight != nil {
		f := *r.Flight
		out.Flight = &f
	}
	return out
}
