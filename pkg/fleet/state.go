package fleet

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Phase is where an ensemble of a run stands. One that has not begun has none.
type Phase string

// The phases.
const (
	UnderWay Phase = "under-way"
	Done     Phase = "done"
	Red      Phase = "red"
	Skipped  Phase = "skipped"
)

// State is what is recorded of a run, beside its plan.
type State struct {
	// Digest is that of the plan.
	Digest string `json:"digest"`
	// Paused is who has paused the run; nil while it is not.
	Paused *Mark `json:"paused,omitempty"`
	// Approvals are those that were given, by name.
	Approvals map[string]Mark `json:"approvals,omitempty"`
	// Results are those of ensembles that have begun, by id.
	Results map[string]Result `json:"results,omitempty"`
	// Spent are the elections of what ended within the last hour.
	Spent []Spent `json:"spent,omitempty"`
	// Audit holds the latest entries, oldest first.
	Audit []Entry `json:"audit,omitempty"`
}

// Mark is who did something, when, and why.
type Mark struct {
	At  time.Time `json:"at"`
	By  string    `json:"by"`
	Why string    `json:"why,omitempty"`
}

// Result is how it went with one ensemble.
type Result struct {
	Phase Phase     `json:"phase"`
	Begun time.Time `json:"begun"`
	// Ended is zero while it is under way.
	Ended time.Time `json:"ended,omitzero"`
	// Attempts counts how often it has begun.
	Attempts int `json:"attempts,omitempty"`
	Servers  int `json:"servers,omitempty"`
	// Elections is how many it may force until it ends; then how many it has forced, if
	// that is known and more.
	Elections int `json:"elections,omitempty"`
	// EpochAtBegin and EpochAtEnd are the leader's epochs then, 0 where it was not seen.
	EpochAtBegin uint32 `json:"epochAtBegin,omitempty"`
	EpochAtEnd   uint32 `json:"epochAtEnd,omitempty"`
	// Stall is the longest that an election can have kept clients from writing, as the last
	// command that moved it has seen; 0 where it saw none.
	Stall Millis `json:"longestStallMillis,omitempty"`
	// What a red one has said: the rule's code, the reason, what it rests on, its way out.
	Code     string   `json:"code,omitempty"`
	Reason   string   `json:"reason,omitempty"`
	Evidence []string `json:"evidence,omitempty"`
	Next     string   `json:"next,omitempty"`
}

// Millis is a duration in milliseconds.
type Millis int64

// Duration is the same.
func (m Millis) Duration() time.Duration { return time.Duration(m) * time.Millisecond }

// Forced is how many elections there were between its begin and its end, where both epochs
// are known.
func (r Result) Forced() (n int, known bool) {
	if r.EpochAtBegin == 0 || r.EpochAtEnd < r.EpochAtBegin {
		return 0, false
	}
	return int(min(r.EpochAtEnd-r.EpochAtBegin, maxElections)), true
}

// Spent are elections that lie behind.
type Spent struct {
	At time.Time `json:"at"`
	N  int       `json:"n"`
}

// Entry is something that happened.
type Entry struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	What   string    `json:"what"`
	Target string    `json:"target,omitempty"`
	Detail string    `json:"detail,omitempty"`
}

// Bounds of what is kept: one ConfigMap holds plan and state.
const (
	maxAudit    = 200
	maxText     = 400
	maxEvidence = 8
	// maxStall bounds what is kept of an election, on a machine that slept.
	maxStall = 24 * time.Hour
	// maxElections bounds what is believed of epochs.
	maxElections = 1000
)

// Phase is where an ensemble stands.
func (s State) Phase(id string) Phase { return s.Results[id].Phase }

// note keeps an entry.
func (s *State) note(e Entry) {
	e.Detail = short(e.Detail)
	s.Audit = append(s.Audit, e)
	if len(s.Audit) > maxAudit {
		s.Audit = slices.Delete(s.Audit, 0, len(s.Audit)-maxAudit)
	}
}

func short(text string) string {
	if r := []rune(text); len(r) > maxText {
		return string(r[:maxText]) + "…"
	}
	return text
}

func (s *State) put(id string, r Result) {
	if s.Results == nil {
		s.Results = map[string]Result{}
	}
	s.Results[id] = r
}

// Begin keeps that an ensemble is under way from now on. It is written before anything is
// done for it.
func (s *State) Begin(id string, f Fact, m Mark) {
	before := s.Results[id]
	s.put(id, Result{Phase: UnderWay, Begun: m.At, Attempts: before.Attempts + 1, Servers: f.Servers, Elections: f.Elections, EpochAtBegin: f.Epoch})
	s.note(Entry{At: m.At, By: m.By, What: "begin", Target: id})
}

// Ending is how an ensemble's turn ended.
type Ending struct {
	// Red says that it failed; else it has reached the goal.
	Red                bool
	Code, Reason, Next string
	Evidence           []string
	// Epoch is the leader's at the end, 0 where it was not seen.
	Epoch uint32
	// Stall is how long the longest election took at most.
	Stall time.Duration
}

// End keeps how it went with an ensemble that is under way.
func (s *State) End(id string, e Ending, m Mark) {
	r, ok := s.Results[id]
	if !ok || r.Phase != UnderWay {
		return // it was ended by another command that held the lock
	}
	r.Ended, r.Phase, r.EpochAtEnd, r.Stall = m.At, Done, e.Epoch, Millis(min(e.Stall, maxStall).Milliseconds())
	if forced, _ := r.Forced(); forced > r.Elections {
		r.Elections = forced
	}
	what := "done"
	if e.Red {
		what = "red"
		r.Phase, r.Code, r.Reason, r.Next = Red, e.Code, short(e.Reason), short(e.Next)
		for _, line := range e.Evidence[:min(len(e.Evidence), maxEvidence)] {
			r.Evidence = append(r.Evidence, short(line))
		}
	}
	s.spend(m.At, r.Elections)
	s.put(id, r)
	s.note(Entry{At: m.At, By: m.By, What: what, Target: id, Detail: e.Reason})
}

// spend keeps elections for as long as they count.
func (s *State) spend(at time.Time, n int) {
	s.Spent = slices.DeleteFunc(s.Spent, func(e Spent) bool { return !e.At.After(at.Add(-hour)) })
	if n > 0 {
		s.Spent = append(s.Spent, Spent{At: at, N: n})
	}
}

// Was keeps that an ensemble had reached the goal before the run.
func (s *State) Was(id string, servers int, m Mark) {
	s.put(id, Result{Phase: Done, Begun: m.At, Ended: m.At, Servers: servers, Reason: "it was there before this run"})
	s.note(Entry{At: m.At, By: m.By, What: "done", Target: id, Detail: "it was there before this run"})
}

// Approve keeps an approval. An error says that the plan has none of that name.
func (s *State) Approve(p Plan, name string, m Mark) error {
	all := p.Approvals()
	if !slices.Contains(all, name) {
		if len(all) == 0 {
			return fmt.Errorf("fleet %s needs no approval", p.Name)
		}
		return fmt.Errorf("fleet %s has no approval %q; it has %s", p.Name, name, strings.Join(all, ", "))
	}
	if _, given := s.Approvals[name]; given {
		return nil
	}
	if s.Approvals == nil {
		s.Approvals = map[string]Mark{}
	}
	m.Why = short(m.Why)
	s.Approvals[name] = m
	s.note(Entry{At: m.At, By: m.By, What: "approve", Target: name, Detail: m.Why})
	return nil
}

// Pause has nothing begin any more; what is under way goes on to its end.
func (s *State) Pause(m Mark) {
	if s.Paused != nil {
		return
	}
	m.Why = short(m.Why)
	s.Paused = &m
	s.note(Entry{At: m.At, By: m.By, What: "pause", Detail: m.Why})
}

// Resume takes a pause back.
func (s *State) Resume(m Mark) {
	if s.Paused == nil {
		return
	}
	s.Paused = nil
	s.note(Entry{At: m.At, By: m.By, What: "resume"})
}

// Retry lets a red or skipped ensemble begin again at its turn.
func (s *State) Retry(p Plan, id string, m Mark) error {
	if _, ok := p.Target(id); !ok {
		return fmt.Errorf("fleet %s has no ensemble %s", p.Name, id)
	}
	r := s.Results[id]
	if r.Phase != Red && r.Phase != Skipped {
		return fmt.Errorf("ensemble %s is %s: only a red or skipped one is tried again", id, r.Phase.words())
	}
	s.put(id, Result{Attempts: r.Attempts})
	s.note(Entry{At: m.At, By: m.By, What: "retry", Target: id})
	return nil
}

// Skip leaves an ensemble out that has not begun, or is red.
func (s *State) Skip(p Plan, id string, m Mark) error {
	if _, ok := p.Target(id); !ok {
		return fmt.Errorf("fleet %s has no ensemble %s", p.Name, id)
	}
	r := s.Results[id]
	if r.Phase == UnderWay || r.Phase == Done {
		return fmt.Errorf("ensemble %s is %s: only one that has not begun, or is red, can be skipped", id, r.Phase.words())
	}
	r.Phase, r.Ended = Skipped, m.At
	if r.Begun.IsZero() {
		r.Begun = m.At
	}
	s.put(id, r)
	s.note(Entry{At: m.At, By: m.By, What: "skip", Target: id, Detail: m.Why})
	return nil
}

func (p Phase) words() string {
	switch p {
	case UnderWay:
		return "under way"
	case "":
		return "not begun"
	case Done, Red, Skipped:
	}
	return string(p)
}
