package preflight

import (
	"fmt"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// Place is a kind of machine: where a path begins, or where it ends.
type Place string

// The places.
const (
	OnHost   Place = "host"
	InPod    Place = "pod"
	OnClient Place = "client"
)

// From is where a path begins.
type From struct {
	Place Place `json:"place"`
	// Name is the host's address, or the name of the pod or client machine.
	Name string `json:"name"`
	// Server is the one on that host or in that pod, if there is one.
	Server ensemble.MaybeID `json:"server,omitzero"`
	// Node is the pod's.
	Node string `json:"node,omitempty"`
}

// String names it in a sentence.
func (f From) String() string {
	switch f.Place {
	case InPod:
		return fmt.Sprintf("pod %s on node %s", f.Name, f.Node)
	case OnClient:
		return "client machine " + f.Name
	case OnHost:
	}
	return "host " + f.Name
}

// Outcome is what came of a connect, or that none was tried. The words of vantage.PortState
// are among its values.
type Outcome string

// The results besides those of a connect.
const (
	NotTried Outcome = "not-tried"
	// NotLearned: it was tried, and nothing was learned.
	NotLearned Outcome = "unknown"
)

// Verdict is what a result means for the path.
type Verdict string

// The verdicts.
const (
	PathOK Verdict = "ok"
	// PathIdle: refused, and nothing is known to listen there yet: the parked pod's ports, or
	// the peer port of a server that does not lead. It is neither good nor bad.
	PathIdle    Verdict = "idle"
	PathLost    Verdict = "lost"
	PathUnknown Verdict = "unknown"
)

// Path is one network path that the migration stands on, and what is known of it.
type Path struct {
	// Check is the id of the check for paths of its kind.
	Check string `json:"check"`
	From  From   `json:"from"`
	// To is the server that is meant. Via is how it is reached: at its host, at its
	// Service, at its pod. At is where its Service leads now.
	To  ensemble.ID `json:"to"`
	Via vantage.Via `json:"via"`
	At  Place       `json:"at"`
	// Port is what connects there, Host and Number the address.
	Port   ensemble.PortName `json:"port"`
	Host   string            `json:"host"`
	Number int               `json:"number"`

	Result  Outcome `json:"result"`
	Verdict Verdict `json:"verdict"`
	// Detail is why a verdict is unknown.
	Detail string `json:"detail,omitempty"`
	// Cause is the likeliest one of a lost path; nil where nothing that was seen tells.
	Cause *Cause `json:"cause,omitempty"`
	// Source is who tried it: a host report, or a pod. Age is how old that is, in seconds.
	Source Source  `json:"source,omitempty"`
	Age    Seconds `json:"ageSeconds,omitempty"`
}

// Source is where knowledge of a path comes from.
type Source string

// The sources.
const (
	FromReport Source = "host-report"
	FromTunnel Source = "pod"
)

// Seconds is an age in whole seconds.
type Seconds int64

func seconds(d time.Duration) Seconds { return Seconds(d / time.Second) }

// String is the age as people say it.
func (s Seconds) String() string {
	d := time.Duration(s) * time.Second
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", s)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// Old reports whether the answer is older than a command takes.
func (s Seconds) Old() bool { return s >= 2*60 }

// Paths lists the paths that matter where the ensemble is now, with all that is known of each.
// A path that nobody has tried is among them.
func (f Facts) Paths() []Path {
	out := []Path{}
	looks := f.looks()
	for _, l := range looks {
		for _, s := range f.Servers {
			for _, p := range f.needed(l.from, s) {
				f.learn(l, s, &p)
				out = append(out, p)
			}
		}
	}
	evidence{f, looks}.explain(out)
	return out
}

// learn fills in what a vantage point has found, and judges it.
func (f Facts) learn(l look, s migration.ServerRecord, p *Path) {
	p.Source, p.Age = l.source, seconds(l.age)
	tried, known := l.tried(p.target())
	switch {
	case l.unusable != "":
		p.Result, p.Verdict, p.Detail = NotTried, PathUnknown, l.unusable
	case !known:
		p.Result, p.Verdict, p.Detail, p.Source = NotTried, PathUnknown, l.missing, ""
	case tried.State == vantage.PortUnknown:
		p.Result, p.Verdict, p.Detail = NotLearned, PathUnknown, tried.Detail
	default:
		p.Result = Outcome(tried.State)
		p.Verdict, p.Detail = f.judge(l, s, *p)
	}
}

// toParked: it leads to a pod that waits at its gate.
func (p Path) toParked() bool { return p.Via == vantage.ViaPod && p.At != InPod }

func (p Path) target() vantage.Target {
	return vantage.Target{Server: p.To, Via: p.Via, Host: p.Host, Port: p.Number}
}

// judge says what the outcome of a connect means. A refusal shows only that somebody refuses:
// where nothing listens it is what has to come. What met a refusal at a parked pod before
// this command may have come before the pod listened.
func (f Facts) judge(l look, s migration.ServerRecord, p Path) (Verdict, string) {
	switch vantage.PortState(p.Result) {
	case vantage.PortOpen:
		return PathOK, ""
	case vantage.PortSilent, vantage.PortUnreachable:
		return PathLost, ""
	case vantage.PortClosed, vantage.PortUnknown:
	}
	live := f.live(s.ID)
	switch {
	case p.toParked() && f.Listening[s.ID] && l.now():
		return PathLost, ""
	case p.toParked(), f.Unasked[s.ID]:
		return PathIdle, ""
	case sightless(live) != "":
		return PathUnknown, fmt.Sprintf("refused, and whether server %d listens there was not seen", s.ID)
	case live.Serving() && binds(p.Port, live.Mode):
		return PathLost, ""
	}
	return PathIdle, ""
}
