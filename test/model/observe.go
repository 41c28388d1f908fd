package model

import (
	"fmt"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// decideFunc is migration.Decide, or Decide with a rule taken out.
type decideFunc func(migration.Intent, migration.Observation) migration.Decision

// gateGeneration is the newest generation of the gate in every observation: it
// is only ever compared with what a pod has read.
const gateGeneration = 10

// base holds what is the same in every observation.
type base struct {
	record  migration.Record
	version ensemble.Version
	// podIPs[i][u] is the address of the pod of server i with uid u.
	podIPs [maxServers][8]string
	uids   [8]string
	steps  []migration.StepID
}

func newBase(cfg Config, servers []ensemble.Server) base {
	b := base{record: migration.Record{
		APIVersion: migration.RecordVersion, Name: "m", Namespace: "m", EndpointsAPI: migration.EndpointSlices,
		Settings: migration.Settings{TickTimeMillis: 2000, InitLimit: 10, SyncLimit: 5, Version: cfg.Version},
	}}
	b.version, _ = ensemble.ParseVersion(cfg.Version)
	for _, s := range migration.Steps() {
		b.steps = append(b.steps, s.ID)
	}
	for u := range b.uids {
		b.uids[u] = string(rune('a' + u))
	}
	for i, s := range servers {
		sr := migration.ServerRecord{
			Server: s, HostIP: fmt.Sprintf("host-%d", s.ID), Service: fmt.Sprintf("m-%d", s.ID), ServiceUID: "uid",
			ClusterIP: fmt.Sprintf("cluster-%d", s.ID), Ordinal: i, Reconfigured: confirmed(true),
		}
		b.record.Servers = append(b.record.Servers, sr)
		for u := range b.podIPs[i] {
			b.podIPs[i][u] = fmt.Sprintf("pod-%d-%s", s.ID, b.uids[u])
		}
	}
	return b
}

func (b *base) uid(u uint8) string { return b.uids[u] }

func (b *base) stepIndex(id migration.StepID) uint8 {
	for i, s := range b.steps {
		if s == id {
			return uint8(i)
		}
	}
	return 0
}

func (b *base) index(id ensemble.ID) uint8 {
	for i, s := range b.record.Servers {
		if s.ID == id {
			return uint8(i)
		}
	}
	return 0
}

// record is the journal in that state.
func (w *world) record(st *state) migration.Record {
	rec := w.base.record
	rec.Servers = append([]migration.ServerRecord(nil), rec.Servers...)
	at := now()
	for i := range w.n {
		if st.s[i].replaced {
			if w.cfg.Restart {
				continue
			}
			rec.Servers[i].Replaced, rec.Servers[i].Release = &at, &migration.Release{Generation: int(st.s[i].line), Start: startOf(st.s[i].lineFor)}
		} else if w.cfg.Restart {
			rec.Servers[i].Reconfigured = nil
		}
	}
	if st.removing {
		rec.Removal = &migration.Removal{Kind: migration.Unwrap, Started: at, By: "model"}
	}
	rec.Flight = st.flight.migration(w)
	if f := rec.Flight; f != nil {
		// All paths are there: one that is missing holds the stop, and nothing else.
		f.Paths = &migration.Paths{At: at, Listened: true}
		if f.Kind == migration.Replace {
			f.Paths.PodUID = w.base.uid(st.s[st.flight.id].uid)
		}
	}
	return rec
}

// address is where a slice points to.
func (w *world) address(i int, t target, uid uint8) []string {
	switch t {
	case toHost:
		return []string{w.base.record.Servers[i].HostIP}
	case toPod:
		return []string{w.base.podIPs[i][uid]}
	}
	return nil
}

// union returns the distinct ready addresses of a server's Service.
func (w *world) union(st *state, i int) []string {
	s := &st.s[i]
	a, b := w.address(i, s.bridge, s.bridgeUID), w.address(i, s.slice, s.sliceUID)
	if len(a) == 0 || len(b) == 1 && len(a) == 1 && a[0] == b[0] {
		return b
	}
	return append(a, b...)
}

// observe is what the engine would see: the same questions, the same answers.
func (w *world) observe(st *state) migration.Observation {
	o := migration.Observation{At: now(), ClusterComplete: true, Record: w.record(st), Servers: make([]migration.ServerView, w.n)}
	if w.cfg.Through {
		o.From = vantage.Point{Pod: "probe", Node: "another node"}
		if st.beside {
			o.From.Node = podsNode
		}
	}
	for i := range w.n {
		s, v := &st.s[i], &o.Servers[i]
		sr := &o.Record.Servers[i]
		v.ID = sr.ID
		v.Cluster.Service = migration.ServiceView{Found: true, UID: sr.ServiceUID, ClusterIP: sr.ClusterIP}
		if s.selector {
			v.Cluster.Service.Selector = "pod"
		}
		ep := &v.Cluster.Endpoints
		ep.BridgeFound, ep.Bridge = s.bridge != noSlice, w.address(i, s.bridge, s.bridgeUID)
		if s.bridge == toPod {
			ep.BridgePodUID = w.base.uid(s.bridgeUID)
		}
		ep.Controller = w.address(i, s.slice, s.sliceUID)
		if s.slice != noSlice {
			ep.Leftovers = []string{"slice"}
		}
		ep.Union = w.union(st, i)
		v.Cluster.Gate = migration.GateView{Found: true, Generation: gateGeneration, Released: s.gate != 0, ReleasedGeneration: int(s.gate), Start: startOf(s.gateFor)}
		v.Cluster.Pod = w.podView(s, i)
		if st.flight.on && int(st.flight.id) == i || s.replaced || !st.flight.on {
			v.Host = w.hostView(st, i)
		}
		v.Live = w.sighting(st, i, ep.Union)
		if v.AwayFromPod() {
			v.AtPod = w.answer(st, i, int8(2*i+1))
		}
	}
	w.unwraps(st, &o)
	return o
}

// podsNode is that of the parked pod in question.
const podsNode = "node"

func (w *world) podView(s *server, i int) migration.PodView {
	if s.phase == podAbsent {
		return migration.PodView{}
	}
	p := migration.PodView{
		Name: "pod", UID: w.base.uid(s.uid), IP: w.base.podIPs[i][s.uid], Node: podsNode,
		Terminating: s.phase == podTerminating, Container: migration.ContainerRunning, Report: w.gateReport(s),
	}
	p.Source.Pod.Outdated = s.outdated
	if s.podRole.serving() && s.joined {
		p.Container = migration.ContainerReady
	}
	return p
}

// gateReport is what the gate's script tells in the pod.
func (w *world) gateReport(s *server) migration.Report {
	r := migration.Report{
		State: migration.GateParked, Generation: gateGeneration, At: reportTime(s.reportAt), Fresh: true,
		Version: w.version, Volume: volume(s),
	}
	if !s.viewFresh {
		r.Generation--
	}
	if s.hostClosed {
		r.HostClosedFor = new(time.Duration)
		if s.quiet {
			*r.HostClosedFor = now().Sub(*ancient.time())
		}
	}
	switch {
	case s.podRole != down || s.phase == podStarted:
		r.State = migration.GateStarted
	case s.view != 0 && !s.hostClosed:
		r.State = migration.GateVetoed
	case refusal(s) != migration.CauseNone:
		r.State, r.Cause = migration.GateRefused, refusal(s)
	}
	return r
}

// volume is what that script has found on the pod's volume.
func volume(s *server) migration.Volume {
	v := migration.Volume{Generation: int(s.marker)}
	switch {
	case s.phase == podWaiting && s.marker == 0:
		v.State = migration.VolumeUnused
	case s.phase == podWaiting && s.pod.current == 0:
		v.State = migration.VolumeUnsynced
	case s.outlived:
		v.State = migration.VolumeOutlived
	default:
		v.State = migration.VolumeSynced
	}
	if !s.another {
		v.Since = new(int)
	}
	if s.seeded {
		v.Seed = token
	}
	return v
}

// hostView is what the tool's own probe of the host brings.
func (w *world) hostView(st *state, i int) migration.HostView {
	s := &st.s[i]
	p := vantage.PortClosed
	switch {
	case s.cut, s.sight == silent:
		p = vantage.PortSilent
	case s.toolBlind, s.podBlind && st.beside, s.sight == refused:
	case s.hostRole != down, s.sight == swallowed:
		p = vantage.PortOpen
	}
	v := migration.HostView{Client: p, Election: p}
	if p == vantage.PortOpen {
		v.Answer = w.answer(st, i, int8(2*i))
	}
	return v
}

// sighting is what the server behind the Service's address says.
func (w *world) sighting(st *state, i int, union []string) vantage.Sighting {
	p, ok := w.behind(st, i, union)
	if !ok {
		p = -1
	}
	return w.answer(st, i, p)
}

// answer is what a process says of itself, as the tool hears it; p is negative
// where there is none.
func (w *world) answer(st *state, i int, p int8) vantage.Sighting {
	out := vantage.Sighting{Reach: vantage.Refused, SyncedFollowers: -1, Learners: -1}
	switch st.s[i].sight {
	case silent, swallowed:
		out.Reach = vantage.Timeout
		return out
	case refused:
		return out
	}
	if p < 0 || p%2 == 0 && st.s[i].podBlind && st.beside {
		return out
	}
	r, s := *w.roleOf(st, p), storeOf(st, p)
	if r != down && st.s[i].paused {
		out.Reach = vantage.Timeout
		return out
	}
	switch r {
	case down:
		return out
	case looking:
		out.Reach = vantage.NotServing
		return out
	case leading:
		out.Mode = ensemble.Leader
		out.SyncedFollowers = w.followers(st)
	default:
		out.Mode = ensemble.Follower
		if !w.counted[i] {
			out.Mode = ensemble.Observing
		}
	}
	out.Reach, out.Version, out.ServerID = vantage.Answered, w.base.version, w.cfg.IDs[i].Known()
	if st.s[i].sight == halved {
		out.ServerID, out.ConfUnread = ensemble.MaybeID{}, true
	}
	out.Zxid = toZxid(shown(s))
	if r == following {
		out.Zxid = toZxid(s.z)
	}
	return out
}

// shown is the zxid a leader shows: its epoch's first where it has committed
// nothing yet.
func shown(s *store) zxid {
	if s.z.epoch() < s.current {
		return zx(s.current, 0)
	}
	return s.z
}

// behind is the process that answers at the Service's address, if any.
func (w *world) behind(st *state, i int, union []string) (int8, bool) {
	for _, a := range union {
		if a == w.base.record.Servers[i].HostIP {
			return int8(2 * i), !st.s[i].cut
		}
	}
	s := &st.s[i]
	for _, a := range union {
		if s.phase != podAbsent && a == w.base.podIPs[i][s.uid] {
			return int8(2*i + 1), true
		}
	}
	return 0, false
}

func (w *world) followers(st *state) int {
	n := 0
	for i := range w.n {
		if w.counted[i] && (st.s[i].hostRole == following || st.s[i].podRole == following) {
			n++
		}
	}
	return n
}
