package preflight

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostreport"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// HostReport is what the host script said on one machine.
type HostReport struct {
	hostreport.Report
	// Age is how old it was when it was read.
	Age time.Duration
	// Now: this command has asked for it.
	Now bool
}

// PodLook is what one pod has tried just now.
type PodLook struct {
	Point vantage.Point
	// Server is the one whose pod it is, none of a probe pod.
	Server ensemble.MaybeID
	// Address is the pod's own; empty where it is not known.
	Address string
	Tried   map[vantage.Target]Tried
}

// Tried is what came of one connect.
type Tried struct {
	State vantage.PortState
	// Detail is why the state is not known.
	Detail string
	// SeenAs is the address under which ZooKeeper saw the connection; empty where it did
	// not say.
	SeenAs string
}

// maxReportAge is for how long a report tells how the network is.
const maxReportAge = time.Hour

// look is one vantage point with what was found from there.
type look struct {
	from   From
	source Source
	age    time.Duration
	// unusable is why its results count as not tried, missing why one is not there.
	unusable, missing string
	// report is nil for a pod, and for a host that has not reported.
	report *HostReport
	pod    *PodLook
}

func (l look) tried(t vantage.Target) (Tried, bool) {
	if l.pod != nil {
		r, ok := l.pod.Tried[t]
		return r, ok
	}
	if l.report == nil {
		return Tried{}, false
	}
	p, ok := l.report.Path(t)
	return Tried{State: p.Result, Detail: p.Detail, SeenAs: p.SeenAs}, ok
}

// now: everything was tried after the other facts were seen.
func (l look) now() bool { return l.pod != nil || l.report != nil && l.report.Now }

// state is the outcome of a connect of a look that counts.
func (l look) state(t vantage.Target) vantage.PortState {
	r, _ := l.tried(t)
	if l.unusable != "" {
		return vantage.PortUnknown
	}
	return r.State
}

// looks are the vantage points: the hosts on which servers run, the pods that were asked, the
// machines of clients that have reported.
func (f Facts) looks() []look {
	var hosts, clients, pods []look
	for _, s := range f.Servers {
		if s.Replaced != nil {
			continue
		}
		l := look{from: From{Place: OnHost, Name: s.HostIP, Server: s.ID.Known()}, missing: "the host has not reported"}
		if r := f.reportOf(s); r != nil {
			l = f.reported(l.from, r)
		}
		hosts = append(hosts, l)
	}
	newest := f.newest()
	for i, r := range newest {
		if !f.serverMachine(r) {
			clients = append(clients, f.reported(From{Place: OnClient, Name: r.Hostname}, &newest[i]))
		}
	}
	for i, p := range f.PodLooks {
		pods = append(pods, look{from: From{Place: InPod, Name: p.Point.Pod, Node: p.Point.Node, Server: p.Server}, source: FromTunnel, pod: &f.PodLooks[i], missing: "it was not tried"})
	}
	byName := func(a, b look) int { return cmp.Compare(a.from.Name, b.from.Name) }
	slices.SortStableFunc(clients, byName)
	slices.SortStableFunc(pods, byName)
	return slices.Concat(hosts, pods, clients)
}

func (f Facts) reported(from From, r *HostReport) look {
	l := look{from: from, source: FromReport, age: r.Age, report: r, missing: "the report does not have it: the script is older than that address, or was cut short"}
	switch {
	case r.Ensemble != f.Record.Name:
		l.missing, l.unusable = "", fmt.Sprintf("its report is about ensemble %q", r.Ensemble)
	case r.Age > maxReportAge:
		l.missing, l.unusable = "", fmt.Sprintf("its report is %s old", seconds(r.Age))
	case r.Age < -maxReportAge:
		l.missing, l.unusable = "", fmt.Sprintf("its report is %s ahead of the clock here", seconds(-r.Age))
	}
	return l
}

// reportOf is the latest report of a server's host; nil where there is none.
func (f Facts) reportOf(s migration.ServerRecord) *HostReport {
	newest := f.newest()
	if i := slices.IndexFunc(newest, func(r HostReport) bool { return f.runsOn(s, r) }); i >= 0 {
		return &newest[i]
	}
	return nil
}

// runsOn reports whether the report is of that server's host.
func (f Facts) runsOn(s migration.ServerRecord, r HostReport) bool {
	own := r.Own(s.HostIP)
	return own != nil && *own
}

// serverMachine tells hosts, former ones as well, from the machines of clients.
func (f Facts) serverMachine(r HostReport) bool {
	return slices.ContainsFunc(f.Servers, func(s migration.ServerRecord) bool { return f.runsOn(s, r) })
}

// newest are the latest reports of each machine.
func (f Facts) newest() []HostReport {
	sorted := slices.Clone(f.Reports)
	slices.SortStableFunc(sorted, func(a, b HostReport) int { return cmp.Compare(b.Time, a.Time) })
	var out []HostReport
	for _, r := range sorted {
		if !slices.ContainsFunc(out, func(o HostReport) bool { return hostreport.SameMachine(o.Report, r.Report) }) {
			out = append(out, r)
		}
	}
	return out
}
