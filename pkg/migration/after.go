package migration

import "github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"

// Before returns the record as it must be saved before the decision's step is
// carried out (write-ahead), and whether it changed.
func (r Record) Before(d Decision) (Record, bool) {
	if d.Flight == nil {
		return r, false
	}
	out := r.clone()
	f := *d.Flight
	out.Flight = &f
	return out, true
}

// After returns the record with what the step brought, and whether it changed.
func (r Record) After(in Intent, d Decision, o Outcome, leader ensemble.ID) (Record, bool) {
	out := r.clone()
	f := out.Flight
	proof := &Proof{Zxid: o.Zxid, Leader: leader, At: o.At}
	switch d.Step {
	case StepProveBefore:
		f.Before = proof
	case StepProveAfter:
		f.After = proof
	case StepProveJoined:
		f.Joined = proof
	case StepMaskHost:
		if !o.Done {
			return r, false
		}
		f.Fenced = &Confirmation{At: o.At, By: in.By, How: o.By}
	case StepApplyPatch:
		if !o.Done {
			return r, false
		}
		f.Patched = &Confirmation{At: o.At, By: in.By, How: o.By}
	case StepUnmaskHost:
		if !o.Done {
			return r, false
		}
		f.Unfenced = &Confirmation{At: o.At, By: in.By, How: o.By}
	case StepClearSelector, StepDeleteLeftovers:
		if f == nil || f.ID != in.ID {
			return r, false // see mend
		}
		at := o.At
		f.Cleared = &at
	case StepFinish:
		if s, ok := out.Server(in.ID); ok {
			at := o.At
			s.Replaced, s.Release = &at, d.Release
		}
		out.Flight, out.PodsBefore = nil, nil
	case StepRestorePods:
		out = out.RestorePods()
	case StepFinishRestart:
		if s, ok := out.Server(in.ID); ok {
			s.Reconfigured = &Confirmation{At: o.At, By: in.By, How: "restarted with the patched file, in sync afterwards"}
		}
		if f.Joined != nil {
			out.NoteRestarted(f.Joined.Zxid.Epoch())
		}
		out.Flight = nil
	case StepCancelRenewal:
		// The pod's volume knows the newest line; what it began may be whole.
		if s, ok := out.Server(in.ID); ok && f.Line != nil && f.Line.Generation != 0 {
			s.Release = f.Line
		}
		out.Flight = nil
	case StepCancelRestart, StepCancelRevert, StepForget:
		out.Flight = nil
	case StepFinishRevert:
		if s, ok := out.Server(in.ID); ok {
			s.Replaced, s.Release = nil, nil
		}
		out.Flight = nil
	default:
		return r, false
	}
	return out, true
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
