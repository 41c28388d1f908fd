package migration

import (
	"slices"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// These turn an observation into the one that a plan expects later. They hold
// no rule: they say what the world looks like after something went well.

// imagineParked is the world with the server's pod waiting at its gate.
func imagineParked(o Observation, id ensemble.ID) Observation {
	out := o.clone()
	version, _ := ensemble.ParseVersion(o.Record.Settings.Version)
	for i := range out.Servers {
		c := &out.Servers[i].Cluster
		if !c.Gate.Found {
			c.Gate = GateView{Found: true, Generation: 1}
		}
		if out.Servers[i].ID == id {
			c.Pod = PodView{
				Name: "the pod of server " + id.String(), UID: "planned", IP: "planned",
				Container: ContainerRunning,
				Report:    Report{State: GateParked, Generation: c.Gate.Generation, At: o.At, Fresh: true, Version: version},
			}
		}
	}
	return out
}

// imagineDone is the world after the server was restarted with the new list,
// or runs in its pod. Who leads then is left as it is.
func imagineDone(o Observation, kind FlightKind, id ensemble.ID) Observation {
	out := o.clone()
	at := o.At
	sr, ok := out.Record.Server(id)
	if !ok {
		return out
	}
	if kind == Reconfigure {
		sr.Reconfigured = &Confirmation{At: at, By: "plan", How: "planned"}
		for i := range out.Servers {
			if v := &out.Servers[i]; v.ID == id {
				v.Live.Members = relisted(out.Record, *sr, v.Live.Members)
			}
		}
		return out
	}
	out = imagineParked(out, id)
	sr, _ = out.Record.Server(id)
	sr.Replaced = &at
	for i := range out.Servers {
		v := &out.Servers[i]
		if v.ID != id {
			continue
		}
		v.Host = HostView{Client: vantage.PortClosed, Election: vantage.PortClosed}
		v.Cluster.Gate.Released = true
		v.Cluster.Pod.Report.State = GateStarted
		v.Cluster.Service.Selector = v.Cluster.Pod.Name
		v.Cluster.Endpoints = EndpointsView{Controller: []string{v.Cluster.Pod.IP}, Union: []string{v.Cluster.Pod.IP}}
	}
	return out
}

// relisted is the list that a server shows with its patched file: what pointed to hosts leads to
// Services, and everything else is as it was.
func relisted(rec Record, own ServerRecord, members []ensemble.Server) []ensemble.Server {
	out := slices.Clone(members)
	for i, m := range out {
		if s, ok := rec.Server(m.ID); ok && isOld(*s, m.Host, m.ID == own.ID) {
			out[i].Host = rec.ServerHost(*s)
		}
	}
	return out
}

// clone copies what an imagined world changes.
func (o Observation) clone() Observation {
	out := o
	out.Record = o.Record.clone()
	out.Servers = append([]ServerView(nil), o.Servers...)
	return out
}
