// Package simworld is a small obedient world behind all of the engine's interfaces: an ensemble of
// three servers, of which number 3 leads as long as it is up, its hosts, its pods and its journal. It is for loops;
// the rules are explored in test/model.
package simworld

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/engine"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// World is one ensemble's. One engine at a time works on it.
type World struct {
	// WroteThrough are the servers that canaries went through.
	WroteThrough []ensemble.ID
	// At is the time; sleeping moves it.
	At     time.Time
	Rec    migration.Record
	gen    int
	zxid   ensemble.Zxid
	parked bool
	hostUp map[ensemble.ID]bool
	masked map[ensemble.ID]bool
	podUp  map[ensemble.ID]bool
	leader ensemble.ID
	cv     map[ensemble.ID]*migration.ClusterView
	stops  map[ensemble.ID]time.Time
	made   map[ensemble.ID]int // pods of each server so far
	// Wrong is what must never happen, and did.
	Wrong []string
	// Calls are the writes, in order; Fail lists errors to return once.
	Calls []string
	Fail  map[string]error
	// Die, when set, is asked before each write and kills the engine by ErrKilled.
	Die func(call string) bool
	// Hiccup, when set, is asked before each write, which fails if it says so.
	Hiccup func() bool
	// Until, when set, is when whoever sleeps has no time left.
	Until time.Time
	// Stubborn: hosts do not stop.
	Stubborn bool
}

// ErrKilled is how a killed engine ends.
var ErrKilled = errors.New("killed")

// New is an ensemble whose servers run on their hosts, with the new list.
func New() *World {
	w := &World{
		At: time.Unix(1700000000, 0), zxid: 0x200000001, leader: 3, hostUp: map[ensemble.ID]bool{}, masked: map[ensemble.ID]bool{},
		podUp: map[ensemble.ID]bool{}, cv: map[ensemble.ID]*migration.ClusterView{}, stops: map[ensemble.ID]time.Time{}, made: map[ensemble.ID]int{}, Fail: map[string]error{},
	}
	w.Rec = migration.Record{Name: "zk", Namespace: "ns", EndpointsAPI: migration.EndpointSlices,
		Settings: migration.Settings{TickTimeMillis: 2000, InitLimit: 10, SyncLimit: 5, Version: "3.8.0"}}
	for i, id := range []ensemble.ID{1, 2, 3} {
		s := migration.ServerRecord{HostIP: fmt.Sprintf("10.0.0.%d", id), ClusterIP: fmt.Sprintf("10.96.0.%d", id), ServiceUID: "u", Service: fmt.Sprintf("zk-%d", id), Ordinal: i,
			Reconfigured: &migration.Confirmation{}}
		s.ID, s.Role, s.Weight, s.ClientPort, s.PeerPort, s.ElectionPort = id, ensemble.Participant, 1, 2181, 2888, 3888
		w.Rec.Servers = append(w.Rec.Servers, s)
		w.hostUp[id] = true
		w.cv[id] = &migration.ClusterView{
			Service:   migration.ServiceView{Found: true, UID: "u", ClusterIP: s.ClusterIP},
			Endpoints: migration.EndpointsView{BridgeFound: true, Bridge: []string{s.HostIP}, Union: []string{s.HostIP}},
		}
	}
	return w
}

func (w *World) write(call string) error {
	if w.Die != nil && w.Die(call) {
		return ErrKilled
	}
	if err := w.Fail[call]; err != nil {
		delete(w.Fail, call)
		return err
	}
	if w.Hiccup != nil && w.Hiccup() {
		return errors.New("the API server is away")
	}
	w.Calls = append(w.Calls, call)
	return nil
}

func (w *World) Now() time.Time { return w.At }

func (w *World) Sleep(ctx context.Context, d time.Duration) error {
	w.At = w.At.Add(d)
	if !w.Until.IsZero() && w.At.After(w.Until) {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}

func (w *World) Load(context.Context) (migration.Record, error) { return w.Rec, nil }

func (w *World) Save(_ context.Context, rec migration.Record) error {
	if err := w.write("save"); err != nil {
		return err
	}
	w.Rec = rec
	return nil
}

func (w *World) Observe(_ context.Context, rec migration.Record) (map[ensemble.ID]migration.ClusterView, error) {
	out := map[ensemble.ID]migration.ClusterView{}
	for _, s := range rec.Servers {
		v := *w.cv[s.ID]
		if w.parked {
			v.Gate.Found, v.Gate.Generation = true, w.gen
			v.Pod = migration.PodView{Name: fmt.Sprintf("zk-pod-%d", s.Ordinal), UID: w.uid(s.ID), IP: fmt.Sprintf("10.1.0.%d", s.ID), Node: "n", Container: migration.ContainerRunning,
				Report: migration.Report{State: migration.GateParked, Generation: w.gen, Fresh: true, At: w.At, Version: ensemble.Version{Major: 3, Minor: 8}}}
			if !w.hostUp[s.ID] {
				v.Pod.Report.HostClosedFor = new(time.Duration)
			}
			if image := rec.Pods.Image; image != "" {
				v.Pod.Report.Version, _ = ensemble.ParseVersion(strings.TrimPrefix(image, "zookeeper:"))
			}
			if w.podUp[s.ID] {
				v.Pod.Report.State, v.Pod.Container = migration.GateStarted, migration.ContainerReady
			}
		}
		out[s.ID] = v
	}
	return out, nil
}

func (w *World) uid(id ensemble.ID) string { return fmt.Sprintf("p%d", w.made[id]) }

func (w *World) at(id ensemble.ID, address string, selector bool) {
	v := w.cv[id]
	v.Endpoints = migration.EndpointsView{BridgeFound: true, Bridge: []string{address}, BridgePodUID: w.uid(id), Union: []string{address}}
	if selector {
		v.Endpoints.Controller = []string{address}
	}
}

func (w *World) Park(context.Context, migration.Record) error {
	err := w.write("park")
	w.parked = w.parked || err == nil
	return err
}

func (w *World) Ungate(context.Context, migration.Record) (*migration.PlainFiles, error) {
	return nil, w.write("ungate")
}

func (w *World) Finalize(context.Context, migration.Record) error { return w.write("finalize") }

func (w *World) PointToPod(_ context.Context, _ migration.Record, id ensemble.ID, _, podIP string) error {
	if err := w.write("flip"); err != nil {
		return err
	}
	w.at(id, podIP, false)
	return nil
}

func (w *World) PointToHost(_ context.Context, rec migration.Record, id ensemble.ID) error {
	if err := w.write("flip-back"); err != nil {
		return err
	}
	s, _ := rec.Server(id)
	w.at(id, s.HostIP, false)
	return nil
}

func (w *World) SetSelector(_ context.Context, _ migration.Record, id ensemble.ID) error {
	if err := w.write("adopt"); err != nil {
		return err
	}
	w.cv[id].Service.Selector = fmt.Sprintf("zk-pod-%d", id-1)
	w.cv[id].Endpoints.Controller = w.cv[id].Endpoints.Union
	return nil
}

func (w *World) ClearSelector(_ context.Context, _ migration.Record, id ensemble.ID) error {
	if err := w.write("clear-selector"); err != nil {
		return err
	}
	w.cv[id].Service.Selector = ""
	w.cv[id].Endpoints.Leftovers = []string{"slice"}
	return nil
}

func (w *World) DropBridge(_ context.Context, _ migration.Record, id ensemble.ID) error {
	if err := w.write("drop-bridge"); err != nil {
		return err
	}
	e := &w.cv[id].Endpoints
	e.BridgeFound, e.Bridge, e.BridgePodUID = false, nil, ""
	return nil
}

func (w *World) DeleteLeftovers(_ context.Context, _ migration.Record, id ensemble.ID) error {
	if err := w.write("delete-leftovers"); err != nil {
		return err
	}
	w.cv[id].Endpoints.Leftovers, w.cv[id].Endpoints.Controller = nil, nil
	return nil
}

func (w *World) OpenGate(_ context.Context, _ migration.Record, id ensemble.ID, _ migration.GateStart) error {
	if err := w.write("release"); err != nil {
		return err
	}
	if w.hostUp[id] {
		w.Wrong = append(w.Wrong, fmt.Sprintf("the gate of server %d was opened beside its running host", id))
		return errors.New("the gate was opened beside a running host")
	}
	w.gen++
	w.cv[id].Gate.Released, w.podUp[id] = true, true
	return nil
}

func (w *World) RenewGate(context.Context, migration.Record, ensemble.ID, migration.GateStart, int) error {
	return w.write("renew")
}

func (w *World) RestoreGate(context.Context, migration.Record, ensemble.ID, migration.Release) error {
	return w.write("restore")
}

func (w *World) Seed(context.Context, migration.Record, ensemble.ID, io.Reader) error {
	return w.write("seed")
}

// CopyData implements engine.Hosts.
func (w *World) CopyData(context.Context, migration.ServerRecord, string) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("")), w.write("copy-data")
}

func (w *World) CloseGate(_ context.Context, _ migration.Record, id ensemble.ID) error {
	if err := w.write("close-gate"); err != nil {
		return err
	}
	w.gen++
	w.cv[id].Gate.Released = false
	return nil
}

func (w *World) Kick(context.Context, migration.Record, ensemble.ID) error { return w.write("kick") }

func (w *World) DeletePod(_ context.Context, _ migration.Record, id ensemble.ID, _ string) error {
	if err := w.write("delete-pod"); err != nil {
		return err
	}
	w.made[id]++
	w.podUp[id] = w.cv[id].Gate.Released
	return nil
}

// Masked reports whether the host's unit cannot start.
func (w *World) Masked(id ensemble.ID) bool { return w.masked[id] }

// Do implements engine.Hosts.
func (w *World) Do(_ context.Context, action engine.HostAction, s migration.ServerRecord) (bool, string, error) {
	if err := w.write(string(action)); err != nil {
		return false, "", err
	}
	switch action {
	case engine.HostStop:
		if w.Stubborn {
			return false, "", errors.New("the unit does not stop")
		}
		w.hostUp[s.ID] = false
		w.elect()
	case engine.HostMask:
		w.masked[s.ID] = true
	case engine.HostUnmask:
		w.masked[s.ID] = false
	case engine.HostStart:
		if w.masked[s.ID] {
			return false, "", errors.New("the unit is masked")
		}
		if w.podUp[s.ID] {
			w.Wrong = append(w.Wrong, fmt.Sprintf("host %d was started beside its pod", s.ID))
			return false, "", errors.New("the host was started beside its pod")
		}
		w.hostUp[s.ID] = true
	}
	return true, "test", nil
}

// up reports whether a server runs where its address leads.
func (w *World) up(s migration.ServerRecord) bool {
	union := w.cv[s.ID].Endpoints.Union
	return w.hostUp[s.ID] && len(union) == 1 && union[0] == s.HostIP || w.podUp[s.ID]
}

// elect has another server lead, in a new epoch, if the leader is down.
func (w *World) elect() {
	if s, _ := w.Rec.Server(w.leader); w.up(*s) {
		return
	}
	for _, s := range w.Rec.Servers {
		if w.up(s) {
			w.leader = s.ID
		}
	}
	w.zxid = ensemble.Zxid(w.zxid.Epoch()+1)<<32 | 1
}

// Sight implements engine.Prober.
func (w *World) Sight(_ context.Context, t vantage.Target) vantage.Sighting {
	address := t.Address()
	for _, s := range w.Rec.Servers {
		if address == s.HostIP+":2181" && w.hostUp[s.ID] {
			return vantage.Sighting{Reach: vantage.Answered, Mode: ensemble.Follower, ServerID: s.ID.Known(), SyncedFollowers: -1}
		}
		if address != s.ClusterIP+":2181" {
			continue
		}
		if !w.up(s) {
			return vantage.Sighting{Reach: vantage.Refused, SyncedFollowers: -1}
		}
		mode := ensemble.Follower
		if s.ID == w.leader {
			mode = ensemble.Leader
		}
		return vantage.Sighting{Reach: vantage.Answered, Mode: mode, Zxid: w.zxid, ServerID: s.ID.Known(), SyncedFollowers: -1, Version: ensemble.Version{Major: 3, Minor: 8}}
	}
	return vantage.Sighting{Reach: vantage.Other, SyncedFollowers: -1}
}

// Port implements engine.Prober.
func (w *World) Port(_ context.Context, t vantage.Target) vantage.PortState {
	address := t.Address()
	for _, s := range w.Rec.Servers {
		if address == s.HostIP+":2181" || address == s.HostIP+":3888" {
			if w.hostUp[s.ID] {
				return vantage.PortOpen
			}
			return vantage.PortClosed
		}
	}
	return vantage.PortUnknown
}

// Canary implements engine.Prober.
func (w *World) Canary(_ context.Context, t vantage.Target) (ensemble.Zxid, error) {
	w.WroteThrough = append(w.WroteThrough, t.Server)
	if err := w.write("canary"); err != nil {
		return 0, err
	}
	w.zxid++
	return w.zxid, nil
}

// Engine works on the world.
func (w *World) Engine() *engine.Engine {
	return &engine.Engine{Cluster: w, Prober: w, Hosts: w, Journal: w, Clock: w, Poll: 100 * time.Millisecond, ErrorBudget: 10 * time.Second}
}
