package migration

// rule is one condition of an operation and what brings it about: no decision where it
// holds.
type rule func(*context) Decision

// stage is one part of an operation. The stages of an operation stand once, as a list;
// what is decided, the steps of a plan and the phase that status shows follow from it.
type stage struct {
	phase Phase
	// steps are those it takes on a way without obstacles.
	steps []StepID
	// reached tells from the journal that the operation has come this far; nil for the
	// first stage, and for those that status does not name.
	reached func(*Flight) bool
	// over: the operation is past it, so its rules are not asked any more. Without it
	// they are asked in every round, so that what they rest on is looked at again.
	over func(*context) bool
	// rules are asked in order.
	rules []rule
}

// stages is the order of an operation.
func stages(kind FlightKind) []stage {
	switch kind {
	case Replace:
		return replacement()
	case Reconfigure:
		return restarting()
	case Revert:
		return reverting()
	case Apply:
		return applying()
	case Park:
		return parking()
	case Unpark:
		return unparking()
	case Unwrap:
		return unwrapping()
	}
	return nil
}

// begun: an operation is under way, and other rules see to it that it is this one.
func (c *context) begun() bool { return c.flight != nil }

// follow asks the rules of an operation from the top, in every round anew.
func (c *context) follow(order []stage) Decision {
	for _, s := range order {
		if s.over != nil && s.over(c) {
			continue
		}
		for _, r := range s.rules {
			if d := r(c); d.made() {
				return d
			}
		}
	}
	return done("nothing is left to do for server %d", c.in.ID)
}

// Way lists the steps of one server on a way without obstacles, in order. It is for
// showing only: what happens is up to Decide.
func Way(kind FlightKind) []StepID {
	var out []StepID
	for _, s := range stages(kind) {
		out = append(out, s.steps...)
	}
	return out
}

// plannedSteps are those of the way that do something.
func plannedSteps(kind FlightKind) []PlannedStep {
	var out []PlannedStep
	for _, id := range Way(kind) {
		if s := StepByID(id); s.Writes {
			out = append(out, PlannedStep{ID: id, Title: s.Title, Why: s.Why})
		}
	}
	return out
}

// phase tells how far an operation is, from what the journal holds.
func (f *Flight) phase() Phase {
	if f.Aborted != "" {
		return PhaseAborting
	}
	at := Phase("")
	for _, s := range stages(f.Kind) {
		if s.phase != "" && (at == "" || s.reached != nil && s.reached(f)) {
			at = s.phase
		}
	}
	return at
}
