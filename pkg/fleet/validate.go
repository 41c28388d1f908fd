package fleet

import (
	"fmt"
	"slices"
	"time"
)

// Validate refuses what no run of this plan can have recorded: whoever may write ConfigMaps
// can have written it.
func (s State) Validate(p Plan) error {
	if s.Digest != p.Digest() {
		return fmt.Errorf("the plan is not the one that was frozen: its digest is %.12s, recorded is %.12s", p.Digest(), s.Digest)
	}
	if err := p.possible(); err != nil {
		return err
	}
	for id, r := range s.Results {
		if _, ok := p.Target(id); !ok {
			return fmt.Errorf("it has a result of %s, which is not in the plan", id)
		}
		switch r.Phase {
		case UnderWay, Done, Red, Skipped, "":
		default:
			return fmt.Errorf("the phase of %s is %q", id, r.Phase)
		}
		ended := r.Phase == Done || r.Phase == Red || r.Phase == Skipped
		late := ended && r.Ended.Before(r.Begun) || r.Phase == UnderWay && r.Begun.IsZero()
		if late || ended == r.Ended.IsZero() || r.Elections < 0 || r.Elections > maxElections || r.Servers < 0 || r.Servers > 255 || r.Attempts < 0 || r.Stall < 0 || r.Stall > Millis(maxStall.Milliseconds()) {
			return fmt.Errorf("the result of %s cannot be true", id)
		}
	}
	for _, e := range s.Spent {
		if e.N < 0 || e.N > maxElections {
			return fmt.Errorf("%d elections at %s cannot be true", e.N, e.At.Format(time.RFC3339))
		}
	}
	return nil
}

// possible refuses a plan that Freeze does not make.
func (p Plan) possible() error {
	if !slices.Contains([]Goal{Wrapped, Reconfigured, Replaced, Finalized}, p.Until) || p.MaxConcurrency < 1 || p.ElectionsPerHour < 0 {
		return fmt.Errorf("no plan has until %q, %d at once at most and %d elections an hour", p.Until, p.MaxConcurrency, p.ElectionsPerHour)
	}
	stages := map[string]bool{}
	for _, s := range p.Stages {
		if s.Concurrency < 1 || s.Tolerate < 0 || s.Soak.Duration < 0 || s.SoakEach.Duration < 0 || stages[s.Name] {
			return fmt.Errorf("no plan has a stage such as %q", s.Name)
		}
		stages[s.Name] = true
	}
	for _, t := range p.Targets {
		if !stages[t.Stage] {
			return fmt.Errorf("%s is in no stage of the plan", t.ID)
		}
	}
	return nil
}
