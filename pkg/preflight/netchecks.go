package preflight

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// kind is one kind of path, with the check that judges it.
type kind struct {
	id          string
	from        Place
	title, hint string
	// none says why there may be no path of that kind yet, untried how it is tried.
	none, untried string
}

const (
	runScript = "no host has reported within the hour: check --host-hook=PROGRAM asks them, and check --emit-host-script prints what to run by hand"
	onClients = "no client machine has reported within the hour: run there what check --emit-host-script prints, and pass the answers to --host-report"
	askPods   = "no pod was asked: check --from-pods tries from pods"
	runAgain  = "fix what is listed, and ask again: check --host-hook=PROGRAM, or run the host script there again and pass what it prints to --host-report (docs/host-report.md)"
	podsAgain = "fix what is listed, and ask the pods again: check --from-pods"
	noPods    = "there are no pods yet"
	// notWrapped is untrue later: then nobody is left to go that way.
	notWrapped = "not wrapped yet"
)

// kinds are the kinds of paths.
func kinds() []kind {
	return []kind{
		{hostToHost, OnHost, "hosts reach servers on other hosts through their Services", runAgain, notWrapped, runScript},
		{podToHost, InPod, "pods reach the servers on hosts", podsAgain, "no server runs on a host any more", askPods},
		{podToService, InPod, "pods reach the servers through their Services", podsAgain, notWrapped, askPods},
		{hostToPod, OnHost, "hosts reach the pods that servers will move into", runAgain, noPods, runScript},
		{hostToMoved, OnHost, "hosts reach servers in pods through their Services", runAgain, "no server runs in a pod yet, or none on a host any more", runScript},
		{clientToAny, OnClient, "client machines reach the client ports of the Services, and of the pods that they will lead to", runAgain, notWrapped, onClients},
	}
}

// pathChecks are the checks of paths. Who knows better, for instance that a kind of machine
// needs no path, can waive a kind.
func pathChecks() []Check {
	var out []Check
	for _, k := range kinds() {
		out = append(out, Check{ID: k.id, Title: k.title, Severity: Blocker, Waivable: true, BeforeStop: true, Hint: k.hint,
			Eval: func(f Facts) ([]string, string) { return Describe(f.ofKind(k.id), PathLost), "" }})
	}
	return out
}

func (f Facts) ofKind(id string) []Path {
	return slices.DeleteFunc(f.Paths(), func(p Path) bool { return p.Check != id })
}

// lackPaths says why a kind of path was not judged at all, or what of it is not known.
func (f Facts) lackPaths(id string) (missing string, hidden []string) {
	k := kinds()[slices.IndexFunc(kinds(), func(k kind) bool { return k.id == id })]
	paths := f.ofKind(id)
	switch {
	case slices.ContainsFunc(paths, func(p Path) bool { return p.Result != NotTried }):
		if k.from == OnClient {
			// Nobody says which machines are clients: an old report of one asks for nothing.
			paths = slices.DeleteFunc(paths, func(p Path) bool { return p.Result == NotTried && p.Source != "" })
		}
		return "", Describe(paths, PathUnknown)
	case len(paths) > 0, k.from != OnHost && !slices.ContainsFunc(f.looks(), func(l look) bool { return l.from.Place == k.from }):
		return k.untried, nil
	}
	if f.Wrapped && k.none == notWrapped {
		return "no server runs on a host any more", nil
	}
	return k.none, nil
}

// Describe says which paths have that verdict, in a line for those that begin at one place and
// are alike.
func Describe(paths []Path, v Verdict) []string {
	type group struct {
		from From
		via  vantage.Via
		why  string
	}
	var order []group
	servers, ports := map[group][]string{}, map[group][]string{}
	for _, p := range paths {
		if p.Verdict != v {
			continue
		}
		g := group{p.From, p.Via, p.why()}
		if !slices.Contains(order, g) {
			order = append(order, g)
		}
		servers[g] = appendOnce(servers[g], p.To.String())
		ports[g] = appendOnce(ports[g], fmt.Sprintf("%d (%s)", p.Number, portWords(p.Port)))
	}
	var out []string
	for _, g := range order {
		where := ways(g.via, len(servers[g]) > 1)
		to := "server " + servers[g][0]
		if len(servers[g]) > 1 {
			to = "servers " + and(servers[g])
		}
		verb := "does not reach"
		if v == PathUnknown {
			verb = "is not known to reach"
		}
		port := "port"
		if len(ports[g]) > 1 {
			port = "ports"
		}
		out = append(out, fmt.Sprintf("%s %s %s at %s, %s %s: %s", g.from, verb, to, where, port, and(ports[g]), g.why))
	}
	return out
}

func appendOnce(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

func and(list []string) string {
	if len(list) == 1 {
		return list[0]
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}

// why is what came of it and the cause, or why nothing is known.
func (p Path) why() string {
	if p.Verdict == PathUnknown {
		return p.Detail
	}
	what := map[Outcome]string{Outcome(vantage.PortSilent): "no answer", Outcome(vantage.PortUnreachable): "unreachable", Outcome(vantage.PortClosed): "refused"}[p.Result]
	if p.Age.Old() {
		what += fmt.Sprintf(" (%s ago)", p.Age)
	}
	if p.Cause == nil {
		return what + "; nothing that was seen tells why"
	}
	return what + "; " + p.Cause.Text
}

func ways(v vantage.Via, many bool) string {
	words := map[vantage.Via]string{vantage.ViaHost: "its host", vantage.ViaService: "its Service", vantage.ViaPod: "its pod"}[v]
	if many {
		words = map[vantage.Via]string{vantage.ViaHost: "their hosts", vantage.ViaService: "their Services", vantage.ViaPod: "their pods"}[v]
	}
	return words
}

func portWords(k ensemble.PortName) string { return strings.ReplaceAll(string(k), "-", " ") }

// lasting: the check rests on what was told before, maybe by another command.
func (c Check) lasting() bool {
	return slices.Contains(needs(c.ID), NeedPaths) || slices.Contains(needs(c.ID), NeedLookups)
}

// OfPaths reports whether a check judges paths of one kind.
func OfPaths(id string) bool { return slices.Contains(needs(id), NeedPaths) }
