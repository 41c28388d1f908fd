package migration

// Way lists the steps of one server on a way without obstacles, in order. It is
// for showing only: what happens is up to Decide.
func Way(kind FlightKind) []StepID {
	switch kind {
	case Replace:
		return []StepID{
			StepPark, StepBegin, StepMaskHost, StepProveBefore, StepNoteBefore, StepStopHost, StepNoteDead, StepProveAfter, StepNoteAfter,
			StepFlip, StepAdopt, StepDropBridge, StepRelease, StepProveJoined, StepNoteJoined, StepFinish,
		}
	case Reconfigure:
		return []StepID{
			StepBeginRestart, StepApplyPatch, StepProveBefore, StepNoteBefore, StepStopHost, StepNoteDead, StepStartHost,
			StepProveJoined, StepNoteJoined, StepFinishRestart,
		}
	default:
		return nil
	}
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
