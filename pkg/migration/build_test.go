package migration_test

import (
	"fmt"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/sessions"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// t0 is the time of every observation.
func t0() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// ago returns a time before the observation.
func ago(d time.Duration) *time.Time {
	at := t0().Add(-d)
	return &at
}

// closedFor is for how long a pod was refused by its host.
func closedFor(d time.Duration) *time.Duration { return &d }

// epoch is the leader's epoch in a healthy observation, counter its last
// transaction.
const (
	epoch   = 7
	counter = 100
)

func zxid(e, c uint32) ensemble.Zxid { return ensemble.Zxid(uint64(e)<<32 | uint64(c)) }

// scene is an observation that a test changes in one place.
type scene struct {
	o migration.Observation
}

// healthy is a wrapped and reconfigured ensemble of that version: all servers
// serve from their hosts, the last participant leads, the pods are parked.
func healthy(version string, ids ...ensemble.ID) *scene {
	v, _ := ensemble.ParseVersion(version)
	rec := migration.Record{
		APIVersion: migration.RecordVersion, Name: "demo", Namespace: "zk", EndpointsAPI: migration.EndpointSlices,
		Settings: migration.Settings{TickTimeMillis: 2000, InitLimit: 10, SyncLimit: 5, Version: version},
	}
	s := &scene{o: migration.Observation{At: t0(), ClusterComplete: true, Clients: &sessions.View{}}}
	for i, id := range ids {
		sr := migration.ServerRecord{
			Server: ensemble.Server{
				ID: id, Role: ensemble.Participant, Weight: 1, ClientPort: 2181,
				PeerAddress: ensemble.PeerAddress{Host: fmt.Sprintf("zk%d.example.com", id), PeerPort: 2888, ElectionPort: 3888},
			},
			HostIP: fmt.Sprintf("10.0.0.%d", id), Service: fmt.Sprintf("demo-%d", id), ServiceUID: fmt.Sprintf("uid-%d", id),
			ClusterIP: fmt.Sprintf("10.96.0.%d", id), Ordinal: i,
			Reconfigured: &migration.Confirmation{At: *ago(time.Hour), By: "test", How: "test"},
		}
		rec.Servers = append(rec.Servers, sr)
		mode := ensemble.Follower
		if i == len(ids)-1 {
			mode = ensemble.Leader
		}
		s.o.Servers = append(s.o.Servers, migration.ServerView{
			ID: id,
			Cluster: migration.ClusterView{
				Service:   migration.ServiceView{Found: true, UID: sr.ServiceUID, ClusterIP: sr.ClusterIP},
				Endpoints: migration.EndpointsView{BridgeFound: true, Bridge: []string{sr.HostIP}, Union: []string{sr.HostIP}},
				Pod: migration.PodView{
					Name: fmt.Sprintf("demo-pod-%d", i), UID: fmt.Sprintf("pod-%d-a", id), IP: fmt.Sprintf("10.244.0.%d", id),
					Node: "node-1", Container: migration.ContainerRunning,
					Report: migration.Report{State: migration.GateParked, Generation: 1, At: *ago(5 * time.Second), Fresh: true, Version: v, Listens: migration.Listens},
				},
				Gate: migration.GateView{Found: true, Generation: 1},
			},
			Host: running(),
			Live: vantage.Sighting{
				Reach: vantage.Answered, Version: v, Mode: mode, Zxid: zxid(epoch, counter), ServerID: id.Known(),
				SyncedFollowers: -1, Learners: -1,
			},
		})
	}
	s.o.Record = rec
	s.leader(ids[len(ids)-1])
	return s
}

func (s *scene) view(id ensemble.ID) *migration.ServerView {
	for i := range s.o.Servers {
		if s.o.Servers[i].ID == id {
			return &s.o.Servers[i]
		}
	}
	return &migration.ServerView{}
}

func (s *scene) server(id ensemble.ID) *migration.ServerRecord {
	sr, ok := s.o.Record.Server(id)
	if !ok {
		return &migration.ServerRecord{}
	}
	return sr
}

// leader moves the lead.
func (s *scene) leader(id ensemble.ID) {
	n := -1
	for _, sr := range s.o.Record.Servers {
		if sr.Role != ensemble.Observer {
			n++
		}
	}
	for i := range s.o.Servers {
		v := &s.o.Servers[i]
		v.Live.SyncedFollowers, v.Live.Learners = -1, -1
		switch {
		case v.ID == id:
			v.Live.Mode, v.Live.SyncedFollowers, v.Live.Learners = ensemble.Leader, n, len(s.o.Servers)-1
		case s.server(v.ID).Role == ensemble.Observer:
			v.Live.Mode = ensemble.Observing
		default:
			v.Live.Mode = ensemble.Follower
		}
	}
}

// observer makes a server one.
func (s *scene) observer(id ensemble.ID, leader ensemble.ID) {
	s.server(id).Role = ensemble.Observer
	s.leader(leader)
}

// lead is the one that leads.
func (s *scene) lead() *migration.ServerView {
	id, _ := s.o.Leader().Get()
	return s.view(id)
}

// down makes a server refuse at its Service.
func (s *scene) down(id ensemble.ID) {
	v := s.view(id)
	v.Live = vantage.Sighting{Reach: vantage.Refused, SyncedFollowers: -1, Learners: -1}
	lead := s.lead()
	if lead.Live.SyncedFollowers > 0 {
		lead.Live.SyncedFollowers--
	}
}

// electing: the servers but the one that was stopped run, and none of them serves.
func (s *scene) electing(f *migration.Flight) *migration.Flight {
	for i := range s.o.Servers {
		if v := &s.o.Servers[i]; v.Live.Serving() {
			v.Live = vantage.Sighting{Reach: vantage.NotServing, SyncedFollowers: -1, Learners: -1}
		}
	}
	return f
}

// host sets both ports of a host; behind open ones a server answers.
func (s *scene) host(id ensemble.ID, p vantage.PortState) {
	s.view(id).Host = migration.HostView{Client: p, Election: p}
	if p == vantage.PortOpen {
		s.view(id).Host = running()
	}
}

// swallowed: something accepts connections at the host's address and does not answer.
func (s *scene) swallowed(id ensemble.ID) {
	s.view(id).Host = migration.HostView{
		Client: vantage.PortOpen, Election: vantage.PortOpen, Answer: vantage.Sighting{Reach: vantage.Timeout},
	}
}

func running() migration.HostView {
	return migration.HostView{
		Client: vantage.PortOpen, Election: vantage.PortOpen, Answer: vantage.Sighting{Reach: vantage.NotServing},
	}
}

// behind: its pod's node has not shown the newest gate yet.
func (s *scene) behind(id ensemble.ID) {
	s.view(id).Cluster.Gate.Generation = 5
	s.view(id).Cluster.Pod.Report.Generation = 4
}

func (s *scene) proof(e, c uint32, age time.Duration, complete bool) *migration.Proof {
	return &migration.Proof{Zxid: zxid(e, c), Leader: s.o.Leader(), At: *ago(age), Complete: complete}
}

func yes() *migration.Confirmation {
	return &migration.Confirmation{At: t0(), By: "test", How: "test"}
}

// flight begins an operation on a server.
func (s *scene) flight(kind migration.FlightKind, id ensemble.ID) *migration.Flight {
	s.o.Record.Flight = &migration.Flight{Kind: kind, ID: id, Started: *ago(time.Minute), By: "alice", Epoch: epoch}
	s.o.Record.Flight.Paths = &migration.Paths{At: *ago(time.Minute), Listened: true}
	if kind == migration.Replace {
		s.o.Record.Flight.Paths.PodUID = s.view(id).Cluster.Pod.UID
	}
	if kind == migration.Reconfigure {
		s.o.Record.Flight.Gate = s.view(id).Cluster.Gate.Generation
	}
	return s.o.Record.Flight
}

// stopAsked: proven on n, masked, and just asked to stop.
func (s *scene) stopAsked(id ensemble.ID) *migration.Flight {
	f := s.flight(migration.Replace, id)
	f.Fenced, f.Before = yes(), s.proof(epoch, counter-10, 3*time.Second, true)
	f.StopAsked = ago(2 * time.Second)
	at := s.view(id).Cluster.Pod.Report.At.Add(-5 * time.Second)
	f.ReportAtStop = &at
	return f
}

// dead: stopped, seen dead from both places.
func (s *scene) dead(id ensemble.ID) *migration.Flight {
	f := s.stopAsked(id)
	s.host(id, vantage.PortClosed)
	s.down(id)
	s.view(id).Cluster.Pod.Report.HostClosedFor = closedFor(0)
	f.DeadSince = ago(time.Second)
	return f
}

// proven: dead, and the others hold the second canary.
func (s *scene) proven(id ensemble.ID) *migration.Flight {
	f := s.dead(id)
	f.After = s.proof(epoch, counter-5, 5*time.Second, true)
	return f
}

// flipped: the bridge holds the pod's address.
func (s *scene) flipped(id ensemble.ID) *migration.Flight {
	f := s.proven(id)
	v := s.view(id)
	ep := &v.Cluster.Endpoints
	ep.Bridge, ep.BridgePodUID, ep.Union = []string{v.Cluster.Pod.IP}, v.Cluster.Pod.UID, []string{v.Cluster.Pod.IP}
	return f
}

// seeding: dead, and a copy of its data was just asked for.
func (s *scene) seeding(id ensemble.ID) *migration.Flight {
	f := s.dead(id)
	f.Data, f.Seed, f.SeedAsked = migration.DataCopy, "1xabc", ago(time.Second)
	return f
}

// seeded: unbridged, with the copy on the pod's volume.
func (s *scene) seeded(id ensemble.ID) *migration.Flight {
	f := s.unbridged(id)
	f.After = nil
	f.Data, f.Seed, f.SeedAsked = migration.DataCopy, "1xabc", ago(time.Second)
	s.view(id).Cluster.Pod.Report.Volume.Seed = "1xabc"
	return f
}

// refused: released, and the pod cannot start from what it finds.
func (s *scene) refused(id ensemble.ID, cause migration.GateCause) *migration.Flight {
	f := s.released(id)
	p := &s.view(id).Cluster.Pod
	p.Report.State, p.Report.Cause, p.Report.Detail, p.Report.Generation = migration.GateRefused, cause, "why it refuses", 2
	return f
}

// lost: the server was replaced long ago, and its pod has lost its data.
func (s *scene) lost(id ensemble.ID) {
	s.refused(id, migration.CauseLost)
	s.o.Record.Flight = nil
	at := *ago(time.Hour)
	s.server(id).Replaced = &at
}

// adopted: the Service selects the pod, the bridge is still there.
func (s *scene) adopted(id ensemble.ID) *migration.Flight {
	f := s.flipped(id)
	v := s.view(id)
	v.Cluster.Service.Selector = v.Cluster.Pod.Name
	v.Cluster.Endpoints.Controller = []string{v.Cluster.Pod.IP}
	return f
}

// unbridged: adopted, and the bridge is gone.
func (s *scene) unbridged(id ensemble.ID) *migration.Flight {
	f := s.adopted(id)
	ep := &s.view(id).Cluster.Endpoints
	ep.BridgeFound, ep.Bridge, ep.BridgePodUID = false, nil, ""
	return f
}

// released: the gate is open, the pod has not seen it.
func (s *scene) released(id ensemble.ID) *migration.Flight {
	f := s.unbridged(id)
	f.Released, f.Served = ago(time.Second), true
	g := &s.view(id).Cluster.Gate
	g.Released, g.Generation, g.ReleasedGeneration = true, 2, 2
	return f
}

// started: ZooKeeper runs in the pod and does not serve yet.
func (s *scene) started(id ensemble.ID) *migration.Flight {
	f := s.released(id)
	p := &s.view(id).Cluster.Pod
	p.Report.State, p.Report.Generation = migration.GateStarted, 2
	s.view(id).Live.Reach = vantage.NotServing
	return f
}

// serving: the pod follows.
func (s *scene) serving(id ensemble.ID) *migration.Flight {
	f := s.started(id)
	s.serve(id)
	s.view(id).Cluster.Pod.Container = migration.ContainerReady
	return f
}

// serve makes a server a follower in sync.
func (s *scene) serve(id ensemble.ID) {
	lead := s.lead()
	s.view(id).Live = vantage.Sighting{
		Reach: vantage.Answered, Version: lead.Live.Version, Mode: ensemble.Follower, Zxid: lead.Live.Zxid, ServerID: id.Known(),
		SyncedFollowers: -1, Learners: -1,
	}
	s.leader(lead.ID)
}

// joined: all n hold the third canary.
func (s *scene) joined(id ensemble.ID, age time.Duration) *migration.Flight {
	f := s.serving(id)
	f.Joined = s.proof(epoch, counter-1, age, true)
	return f
}

// replaced: the server runs in its pod, nothing is in flight.
func (s *scene) replaced(id ensemble.ID) {
	leads := s.o.Leader().Is(id)
	if leads {
		s.leader(s.o.Servers[0].ID)
	}
	s.serving(id)
	if leads {
		s.leader(id)
	}
	s.o.Record.Flight = nil
	at := *ago(time.Hour)
	s.server(id).Replaced = &at
}

// reverting: on the way back, after the pod has served.
func (s *scene) reverting(id ensemble.ID) *migration.Flight {
	s.replaced(id)
	f := s.flight(migration.Revert, id)
	f.Served, f.Fenced = true, yes()
	return f
}

// closed: on the way back, the gate is closed and the pod still serves.
func (s *scene) closed(id ensemble.ID) *migration.Flight {
	f := s.reverting(id)
	s.host(id, vantage.PortClosed)
	c := &s.view(id).Cluster
	f.Before, f.StopAsked, f.PodUID = s.proof(epoch, counter-10, 20*time.Second, true), ago(10*time.Second), c.Pod.UID
	c.Gate = migration.GateView{Found: true, Generation: 3}
	return f
}

// rebridged: closed, and the hand-made endpoints repeat the pod's address.
func (s *scene) rebridged(id ensemble.ID) *migration.Flight {
	f := s.closed(id)
	c := &s.view(id).Cluster
	c.Endpoints.BridgeFound, c.Endpoints.Bridge, c.Endpoints.BridgePodUID = true, []string{c.Pod.IP}, c.Pod.UID
	return f
}

// unselected: rebridged, and the selector and what it left behind are gone.
func (s *scene) unselected(id ensemble.ID) *migration.Flight {
	f := s.rebridged(id)
	f.Cleared = ago(5 * time.Second)
	c := &s.view(id).Cluster
	c.Service.Selector, c.Endpoints.Controller = "", nil
	return f
}

// flippedBack: unselected, and the address is the host's.
func (s *scene) flippedBack(id ensemble.ID) *migration.Flight {
	f := s.unselected(id)
	host := s.server(id).HostIP
	s.view(id).Cluster.Endpoints = migration.EndpointsView{BridgeFound: true, Bridge: []string{host}, Union: []string{host}}
	return f
}

// reclaimed: flipped back, the old pod gone, its successor parked.
func (s *scene) reclaimed(id ensemble.ID) *migration.Flight {
	f := s.flippedBack(id)
	f.DeadSince = ago(time.Second)
	p := &s.view(id).Cluster.Pod
	p.UID, p.IP, p.Container = p.UID+"b", "10.244.1.9", migration.ContainerRunning
	p.Report.State, p.Report.Generation, p.Report.HostClosedFor = migration.GateParked, 3, closedFor(0)
	s.down(id)
	return f
}

// backAtHost: reclaimed and proven.
func (s *scene) backAtHost(id ensemble.ID) *migration.Flight {
	f := s.reclaimed(id)
	f.After = s.proof(epoch, counter-5, 5*time.Second, true)
	return f
}
