package fleet

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Counts are how many ensembles stand where.
type Counts struct {
	All      int `json:"all"`
	Done     int `json:"done"`
	UnderWay int `json:"underWay"`
	Red      int `json:"red"`
	Skipped  int `json:"skipped"`
	// NotBegun are the rest.
	NotBegun int `json:"notBegun"`
}

func (c Counts) String() string {
	var parts []string
	for _, one := range []struct {
		n    int
		what string
	}{{c.Done, "done"}, {c.UnderWay, "under way"}, {c.Red, "red"}, {c.Skipped, "skipped"}, {c.NotBegun, "not begun"}} {
		if one.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", one.n, one.what))
		}
	}
	return fmt.Sprintf("%s, of %d", strings.Join(parts, ", "), c.All)
}

// Count counts all ensembles of a plan.
func Count(p Plan, s State) Counts { return count(p.Targets, s) }

func count(targets []Target, s State) Counts {
	c := Counts{All: len(targets)}
	for _, t := range targets {
		switch s.Phase(t.ID) {
		case Done:
			c.Done++
		case UnderWay:
			c.UnderWay++
		case Red:
			c.Red++
		case Skipped:
			c.Skipped++
		default:
			c.NotBegun++
		}
	}
	return c
}

// Overview is a run at one moment, as status and report show it; its JSON form is stable.
type Overview struct {
	APIVersion string    `json:"apiVersion"`
	Kind       string    `json:"kind"`
	Name       string    `json:"name"`
	Namespace  string    `json:"namespace"`
	At         time.Time `json:"at"`
	Until      Goal      `json:"until"`
	Verdict    Verdict   `json:"verdict"`
	// Runner is who holds the run's lock; empty where no command is at work.
	Runner string `json:"runner,omitempty"`
	Counts Counts `json:"counts"`
	// PerServer is the median time per server of what was moved, Left what the rest takes by
	// that and by the rules (Forecast); zero where nothing is known yet, and where the run does
	// not end by itself.
	PerServer Seconds       `json:"perServerSeconds,omitempty"`
	Left      Seconds       `json:"leftSeconds,omitempty"`
	Elections int           `json:"electionsForced"`
	Waits     []Wait        `json:"waits,omitempty"`
	Stages    []StageView   `json:"stages"`
	Ensembles []TargetView  `json:"ensembles"`
	Approvals []ApprovalOne `json:"approvals,omitempty"`
	Audit     []Entry       `json:"audit,omitempty"`
}

// Seconds is a duration in whole seconds.
type Seconds int64

// Duration is the same.
func (s Seconds) Duration() time.Duration { return time.Duration(s) * time.Second }

// StageView is one stage.
type StageView struct {
	Name string `json:"name"`
	Counts
	// Current: the run is in it.
	Current bool `json:"current,omitempty"`
}

// TargetView is one ensemble.
type TargetView struct {
	ID    string `json:"id"`
	Stage string `json:"stage"`
	Result
	// Left is how long the rest of it takes by PerServer; zero where nothing is left or known,
	// and where it has taken longer than that already.
	Left Seconds `json:"leftSeconds,omitempty"`
	// Forced is how many elections it has forced; nil where that is not known.
	Forced *int `json:"electionsForced,omitempty"`
}

// ApprovalOne is one approval, given or not.
type ApprovalOne struct {
	Name  string `json:"name"`
	Given *Mark  `json:"given,omitempty"`
}

// Oversee adds a run up. Ensembles that nobody looked at are taken to be ready: what is
// waited for is then what is recorded, and the time.
func Oversee(p Plan, s State, halt string, halts map[string]string, runner string, now time.Time) Overview {
	d := Decide(p, s, Assume(p, halt, halts, Elections(Ahead(p.Until))), now)
	o := Overview{
		APIVersion: p.APIVersion, Kind: "FleetStatus", Name: p.Name, Namespace: p.Namespace, At: now, Until: p.Until,
		Verdict: d.Verdict, Runner: runner, Counts: Count(p, s), Waits: d.Waits, Audit: s.Audit,
	}
	for _, stage := range p.Stages {
		o.Stages = append(o.Stages, StageView{Name: stage.Name, Counts: count(p.Of(stage.Name), s), Current: d.Stage == stage.Name})
	}
	per := PerServer(s)
	for _, t := range p.Targets {
		r := s.Results[t.ID]
		one := TargetView{ID: t.ID, Stage: t.Stage, Result: r, Left: Seconds(r.left(per, now).Seconds())}
		if n, known := r.Forced(); known {
			one.Forced = &n
			o.Elections += n
		} else if r.Phase == Done || r.Phase == Red {
			o.Elections += r.Elections
		}
		o.Ensembles = append(o.Ensembles, one)
	}
	for _, name := range p.Approvals() {
		one := ApprovalOne{Name: name}
		if m, given := s.Approvals[name]; given {
			one.Given = &m
		}
		o.Approvals = append(o.Approvals, one)
	}
	o.PerServer, o.Left = Seconds(per.Seconds()), Foretell(p, s, nil, per, now).left(now)
	return o
}

// PerServer is the median time per server of the ensembles that were moved; 0 where none was.
func PerServer(s State) time.Duration {
	var all []time.Duration
	for _, r := range s.Results {
		if r.Phase == Done && r.Servers > 0 && r.Attempts > 0 {
			all = append(all, r.Ended.Sub(r.Begun)/time.Duration(r.Servers))
		}
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// typicalServers is how many servers an ensemble has of which nobody has looked.
const typicalServers = 3

// takes is how long an ensemble with so many servers takes by that; 0 where nobody has looked.
func takes(per time.Duration, servers int) time.Duration {
	if servers == 0 {
		servers = typicalServers
	}
	return per * time.Duration(servers)
}

// left is how long the rest of an ensemble takes by that.
func (r Result) left(per time.Duration, now time.Time) time.Duration {
	switch whole := takes(per, r.Servers); r.Phase {
	case "":
		return whole
	case UnderWay:
		return max(0, whole-now.Sub(r.Begun))
	case Done, Red, Skipped:
	}
	return 0
}

// Same is what must change for a run to be shown again: all but the time.
func (o Overview) Same() string {
	o.At, o.Left, o.Ensembles = time.Time{}, 0, slices.Clone(o.Ensembles)
	for i := range o.Ensembles {
		o.Ensembles[i].Left = 0
	}
	data, _ := json.Marshal(o) // it has nothing that JSON does not have
	return string(data)
}
