package fleet

import (
	"maps"
	"slices"
	"time"
)

// Forecast is how a run would go if every look is good, every approval is given as soon as it is
// missing, and each server takes as long as those before.
type Forecast struct {
	// Ends is when the last ensemble ends; zero where the run does not end by itself.
	Ends time.Time
	// Begins and Ended are when each ensemble that is not over begins and ends, by id.
	Begins, Ended map[string]time.Time
}

// left is how long a run still takes; 0 where it does not end by itself.
func (f Forecast) left(now time.Time) Seconds {
	if f.Ends.IsZero() {
		return 0
	}
	return Seconds(f.Ends.Sub(now).Seconds())
}

// forecastRounds bounds a forecast: a run has no more beginnings, ends and waits than that.
const forecastRounds = 20_000

// Foretell plays a run to its end by the rules that move it. servers and elections are those of
// each ensemble, by id; per is how long a server takes, and nothing is foretold where it is 0.
func Foretell(p Plan, s State, facts map[string]Fact, per time.Duration, now time.Time) Forecast {
	out := Forecast{Begins: map[string]time.Time{}, Ended: map[string]time.Time{}}
	if per == 0 {
		return out
	}
	s.Results, s.Approvals = maps.Clone(s.Results), maps.Clone(s.Approvals)
	s.Spent, s.Audit, s.Paused = slices.Clone(s.Spent), nil, nil
	whole := func(id string) time.Duration { return takes(per, max(facts[id].Servers, s.Results[id].Servers)) }
	for id, r := range s.Results {
		if r.Phase == UnderWay {
			out.Begins[id], out.Ended[id] = r.Begun, latest(r.Begun.Add(whole(id)), now)
		}
	}
	assumed := Facts{Targets: map[string]Fact{}}
	for _, t := range p.Targets {
		f := facts[t.ID]
		switch {
		case f.Healthy && f.Reached() && s.Phase(t.ID) == "":
			s.Was(t.ID, f.Servers, Mark{At: now})
		case !f.Seen || len(f.Left) == 0: // of one that is down nobody knows what is left
			f.Left = Ahead(p.Until)
			f.Elections = Elections(f.Left)
		}
		f.Seen, f.Healthy, f.Ready, f.Halt = true, true, true, ""
		assumed.Targets[t.ID] = f
	}
	for range forecastRounds {
		for id, at := range out.Ended {
			if s.Phase(id) == UnderWay && !at.After(now) {
				s.End(id, Ending{}, Mark{At: at})
			}
		}
		d := Decide(p, s, assumed, now)
		if d.Verdict == Finished {
			out.Ends = now
			for _, at := range out.Ended {
				out.Ends = latest(out.Ends, at)
			}
			return out
		}
		for _, id := range d.Begin {
			s.Begin(id, assumed.Targets[id], Mark{At: now})
			out.Begins[id], out.Ended[id] = now, now.Add(whole(id))
		}
		next, given := time.Time{}, false
		for _, w := range d.Waits {
			if w.Approval != "" {
				_ = s.Approve(p, w.Approval, Mark{At: now}) // it is one of the plan's
				given = true
			}
			if w.Until.After(now) && (next.IsZero() || w.Until.Before(next)) {
				next = w.Until
			}
		}
		for id, at := range out.Ended {
			if s.Phase(id) == UnderWay && at.After(now) && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
		switch {
		case given:
		case next.IsZero():
			return out
		default:
			now = next
		}
	}
	return out
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Alternative is the same run with another concurrency.
type Alternative struct {
	// AtOnce is how many ensembles of each stage are under way at most; Written says that this
	// is what the plan has.
	AtOnce  int       `json:"atOnce"`
	Written bool      `json:"written,omitempty"`
	Ends    time.Time `json:"ends,omitzero"`
	Takes   Seconds   `json:"takesSeconds,omitempty"`
}

// Alternatives are the plan as it is, and with one, twice as many, and as many at once as its
// maximum allows. There are none where nobody knows how long a server takes.
func Alternatives(p Plan, s State, facts map[string]Fact, per time.Duration, now time.Time) []Alternative {
	if per == 0 {
		return nil
	}
	written := 1
	for _, stage := range p.Stages {
		written = max(written, min(stage.Concurrency, p.MaxConcurrency))
	}
	var out []Alternative
	tried := []int{1, written, min(2*written, p.MaxConcurrency), p.MaxConcurrency}
	slices.Sort(tried)
	for _, n := range slices.Compact(tried) {
		q := p
		if n != written {
			q.Stages = slices.Clone(p.Stages)
			for i := range q.Stages {
				q.Stages[i].Concurrency = n
			}
		}
		told := Foretell(q, s, facts, per, now)
		out = append(out, Alternative{AtOnce: n, Written: n == written, Ends: told.Ends, Takes: told.left(now)})
	}
	return out
}
