// Package stats turns acknowledgements into latencies and stalls.
package stats

import (
	"slices"
	"sync"
	"time"
)

// Stall is a time without an acknowledged write.
type Stall struct {
	// At is when the last write before it was acknowledged.
	At      time.Time `json:"at"`
	Seconds float64   `json:"seconds"`
}

// Writes gathers acknowledged writes; it may be used from many goroutines.
type Writes struct {
	threshold time.Duration
	mu        sync.Mutex
	last      time.Time
	longest   Stall
	stalls    []Stall
	latencies []time.Duration
	acked     int
}

// NewWrites begins at start; gaps longer than threshold are listed.
func NewWrites(start time.Time, threshold time.Duration) *Writes {
	return &Writes{threshold: threshold, last: start}
}

// Acked adds a write acknowledged at a time after a latency.
func (w *Writes) Acked(at time.Time, latency time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acked++
	w.latencies = append(w.latencies, latency)
	w.gap(at)
}

// gap must be called with mu held.
func (w *Writes) gap(at time.Time) {
	gap := at.Sub(w.last)
	if gap < 0 {
		return // another goroutine was first
	}
	s := Stall{At: w.last, Seconds: gap.Seconds()}
	if s.Seconds > w.longest.Seconds {
		w.longest = s
	}
	if gap > w.threshold {
		w.stalls = append(w.stalls, s)
	}
	w.last = at
}

// Summary is what the writes amount to.
type Summary struct {
	Acked    int
	Longest  Stall
	Stalls   []Stall
	P50, P99 time.Duration
	Max      time.Duration
}

// Summary ends the last gap at end; writes that are still awaited then show as
// a stall.
func (w *Writes) Summary(end time.Time) Summary {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gap(end)
	sorted := slices.Clone(w.latencies)
	slices.Sort(sorted)
	s := Summary{Acked: w.acked, Longest: w.longest, Stalls: slices.Clone(w.stalls)}
	if n := len(sorted); n > 0 {
		s.P50, s.P99, s.Max = sorted[(n-1)*50/100], sorted[(n-1)*99/100], sorted[n-1]
	}
	return s
}
