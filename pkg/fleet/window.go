package fleet

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Window is a time in which ensembles may begin, again and again.
type Window struct {
	// Cron has five fields, as a CronJob's.
	Cron     string          `json:"cron"`
	Duration metav1.Duration `json:"duration"`
	TimeZone string          `json:"timeZone"`
}

// schedule reads when it opens. Only five plain fields reach the parser: names such as
// @hourly, which Kubernetes knows as well, and a TZ= of its own would hide the time zone.
func (w Window) schedule() (cron.Schedule, *time.Location, error) {
	if len(strings.Fields(w.Cron)) != 5 || strings.ContainsAny(w.Cron, "=@") {
		return nil, nil, errors.New("it needs five fields: minute, hour, day of month, month, day of week")
	}
	zone, err := time.LoadLocation(w.TimeZone)
	if err != nil || w.TimeZone == "Local" {
		return nil, nil, fmt.Errorf("there is no time zone %q", w.TimeZone)
	}
	s, err := cron.ParseStandard(w.Cron)
	if err != nil {
		return nil, nil, errors.New("it is not a cron schedule: " + err.Error())
	}
	return s, zone, nil
}

// check refuses a window that never opens.
func (w Window) check(now time.Time) error {
	s, zone, err := w.schedule()
	switch {
	case err != nil:
		return err
	case w.Duration.Duration <= 0:
		return errors.New("its duration must be more than nothing")
	case s.Next(now.In(zone)).IsZero():
		return errors.New("it never opens in the next five years")
	}
	return nil
}

// open reports whether one of the windows is open, and else when the next one opens: never
// (the zero time) where none ever does. Without any window it is always open.
func open(windows []Window, now time.Time) (bool, time.Time) {
	var next time.Time
	for _, w := range windows {
		s, zone, err := w.schedule()
		if err != nil {
			continue // it was checked when the plan was frozen; it does not open
		}
		// The last opening that could still last is the first one after now less the duration.
		if began := s.Next(now.Add(-w.Duration.Duration).In(zone)); !began.IsZero() && !began.After(now) {
			return true, time.Time{}
		}
		if at := s.Next(now.In(zone)); !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return len(windows) == 0, next
}
