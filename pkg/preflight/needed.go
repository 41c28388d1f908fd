package preflight

import (
	"slices"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// The kinds of paths, by the checks that judge them.
const (
	hostToHost    = "NET001"
	podToHost     = "NET002"
	podToService  = "NET003"
	hostToPod     = "NET004"
	hostToMoved   = "NET005"
	clientToAny   = "NET006"
	serviceNames  = "NET007"
	hostNames     = "NET008"
	sourceAddress = "NET009"
)

// needed are the paths from a vantage point to a server that somebody there needs, now or
// in a later step. Where nothing can be tried yet there is none.
//   - Servers connect to each other's election and peer ports; nobody dials itself.
//   - The gate in a pod and whoever proves that a host is dead ask the host itself.
//   - kube-proxy where the connection begins translates the Service's address: what is
//     reached through it is the host or the pod, in a packet of that machine.
//   - The paths to a pod that its Service does not lead to yet are those that it will lead to.
func (f Facts) needed(from From, s migration.ServerRecord) []Path {
	at := OnHost
	if s.Replaced != nil {
		at = InPod
	}
	var out []Path
	add := func(check string, via vantage.Via, host string, needs func(ensemble.PortName) bool) {
		for _, port := range s.Ports() {
			if host != "" && needs(port.Name) {
				out = append(out, Path{Check: check, From: from, To: s.ID, Via: via, At: at, Port: port.Name, Host: host, Number: port.Number})
			}
		}
	}
	next := ""
	if at == OnHost {
		next = f.Pods[s.ID]
	}
	between := f.betweenServers(from)
	switch from.Place {
	case OnClient:
		add(clientToAny, vantage.ViaService, s.ClusterIP, forClients)
		add(clientToAny, vantage.ViaPod, next, forClients)
	case OnHost:
		if from.Server.Is(s.ID) {
			break
		}
		if at == InPod {
			add(hostToMoved, vantage.ViaService, s.ClusterIP, between)
		} else {
			add(hostToHost, vantage.ViaService, s.ClusterIP, between)
		}
		add(hostToPod, vantage.ViaPod, next, between)
	case InPod:
		if at == OnHost {
			add(podToHost, vantage.ViaHost, s.HostIP, func(k ensemble.PortName) bool {
				return k == ensemble.PortClient || k == ensemble.PortElection || s.ClusterIP == "" && between(k)
			})
		}
		if !from.Server.Is(s.ID) {
			add(podToService, vantage.ViaService, s.ClusterIP, between)
		}
	}
	return out
}

// betweenServers are the ports that a server there uses; only an observer uses a follower's
// port for observers.
func (f Facts) betweenServers(from From) func(ensemble.PortName) bool {
	observes := false
	for _, s := range f.Servers {
		observes = observes || s.Role == ensemble.Observer && (from.Server.IsZero() || from.Server.Is(s.ID))
	}
	return func(k ensemble.PortName) bool {
		return k == ensemble.PortPeer || k == ensemble.PortElection || k == ensemble.PortObserverMaster && observes
	}
}

// Step is the part of the way that needs the path first.
func (p Path) Step() migration.PhaseName {
	switch p.Check {
	case clientToAny:
		return migration.PlanClients
	case hostToHost:
		return migration.PlanReconfigure
	}
	return migration.PlanReplace
}

// stops reports whether a command that restarts hosts, or replaces them, stands on what a check
// judges. Until hosts are replaced clients have the old addresses besides.
func stops(check string, phase migration.PhaseName) bool {
	switch phase {
	case migration.PlanReplace:
		return true
	case migration.PlanReconfigure:
		return check == hostToHost || check == serviceNames
	case migration.PlanClients, migration.PlanFlight:
	}
	return false
}

// PathsFor are the paths that the next part of the way needs, and what clients need at any time.
func (f Facts) PathsFor(phases []migration.PlannedPhase) []Path {
	next := migration.PlanReplace
	for _, p := range phases {
		if p.Name == migration.PlanReconfigure {
			next = migration.PlanReconfigure
		}
	}
	return slices.DeleteFunc(f.Paths(), func(p Path) bool { return next == migration.PlanReconfigure && p.Step() == migration.PlanReplace })
}
