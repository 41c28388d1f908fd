package scene

import (
	"fmt"

	"github.com/zkmigrate/kubectl-zkmigrate/test/slicewatch"
)

// services are the names of the servers' Services.
func (s *Scene) services() []string {
	var out []string
	for _, id := range s.IDs {
		out = append(out, fmt.Sprintf("%s-%d", s.Name, id))
	}
	return out
}

// WatchSlices starts the witness of I2 and returns its verdict, for a test that
// moves an address at least once.
func (s *Scene) WatchSlices() func() {
	s.T.Helper()
	return s.WatchSlicesAtLeast(1)
}

// WatchRestarts is the same for pods that are made again: between a pod and its successor the
// Service has no address, and it must never have two.
func (s *Scene) WatchRestarts() func() {
	s.T.Helper()
	return s.watch(1, slicewatch.Several)
}

// WatchSlicesAtLeast is the same with that many events: a watch that sees
// nothing where something moves proves nothing.
func (s *Scene) WatchSlicesAtLeast(atLeast int) func() {
	s.T.Helper()
	return s.watch(atLeast, slicewatch.Violations)
}

func (s *Scene) watch(atLeast int, wrong func([]slicewatch.Event, []string) []slicewatch.Event) func() {
	s.T.Helper()
	w, err := slicewatch.Start(s.T.Context(), s.Kube, s.Name)
	if err != nil {
		s.T.Fatal(err)
	}
	return func() {
		s.T.Helper()
		events, err := w.Stop()
		if err != nil {
			s.T.Errorf("the slices' watch broke off: %v", err)
		}
		for _, v := range wrong(events, s.services()) {
			s.T.Errorf("not exactly one address: %s", v)
		}
		if len(events) < atLeast {
			s.T.Errorf("the slices' watch saw %d events, want %d at least", len(events), atLeast)
		}
		s.T.Logf("%d slice events looked at", len(events))
	}
}

// LogGaps watches as well and only tells, in the end, for how long the Service
// of a server had another number of addresses than one.
func (s *Scene) LogGaps(id int) func() {
	s.T.Helper()
	w, err := slicewatch.Start(s.T.Context(), s.Kube, s.Name)
	if err != nil {
		s.T.Fatal(err)
	}
	return func() {
		s.T.Helper()
		events, err := w.Stop()
		if err != nil {
			s.T.Logf("the slices' watch broke off: %v", err)
		}
		var since *slicewatch.Event
		for _, e := range events {
			switch {
			case e.Service != fmt.Sprintf("%s-%d", s.Name, id):
			case len(e.Union) != 1 && since == nil:
				since = &e
			case len(e.Union) == 1 && since != nil:
				s.T.Logf("%d addresses for %.1f s: %s until %s", len(since.Union), e.At.Sub(since.At).Seconds(), since, e)
				since = nil
			}
		}
		if since != nil {
			s.T.Logf("%d addresses to the end: %s", len(since.Union), since)
		}
	}
}
