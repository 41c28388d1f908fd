package engine

import (
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// Elections tells how long elections took at most. No write is acknowledged in an election,
// so none of them has stopped clients for longer.
type Elections struct {
	// led is when the last look began that saw a leader, and epoch is that leader's.
	led   time.Time
	epoch uint32
	// Longest is from the last look that saw a leader to the end of the first that saw one of
	// a later epoch; 0 while there was no election.
	Longest time.Duration
}

// Look takes one more observation, which has ended at that time.
func (e *Elections) Look(o migration.Observation, ended time.Time) {
	epoch, ok := o.Epoch()
	if !ok || epoch < e.epoch {
		return // an old leader may not know yet
	}
	if !e.led.IsZero() && epoch > e.epoch {
		e.Longest = max(e.Longest, ended.Round(0).Sub(e.led))
	}
	e.led, e.epoch = o.At.Round(0), epoch
}
