package engine_test

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

// world is a small obedient world behind all of the engine's interfaces: three
// servers, of which number 3 leads. It is for the loop; the rules are explored
// in test/model.
type world struct {
	// wroteThrough are the servers that canaries went through.
	wroteThrough []ensemble.ID
	now          time.Time
	rec          migration.Record
	gen          int
	zxid         ensemble.Zxid
	parked       bool
	hostUp       map[ensemble.ID]bool
	masked       map[ensemble.ID]bool
	podUp        map[ensemble.ID]bool
	cv           map[ensemble.ID]*migration.ClusterView
	stops        map[ensemble.ID]time.Time
	made         map[ensemble.ID]int // pods of each server so far
	// calls are the writes, in order; fail lists errors to return once.
	calls []string
	fail  map[string]error
	// die, when set, is asked before each write and kills the engine by an
	// error that only the test knows.
	die func(call string) bool
}

var errKilled = errors.New("killed")

func newWorld() *world {
	w := &world{
		now: time.Unix(1700000000, 0), zxid: 0x200000001, hostUp: map[ensemble.ID]bool{}, masked: map[ensemble.ID]bool{},
		podUp: map[ensemble.ID]bool{}, cv: map[ensemble.ID]*migration.ClusterView{}, stops: map[ensemble.ID]time.Time{}, made: map[ensemble.ID]int{}, fail: map[string]error{},
	}
	w.rec = migration.Record{Name: "zk", Namespace: "ns", EndpointsAPI: migration.EndpointSlices,
		Settings: migration.Settings{TickTimeMillis: 2000, InitLimit: 10, SyncLimit: 5, Version: "3.8.0"}}
	for i, id := range []ensemble.ID{1, 2, 3} {
		s := migration.ServerRecord{HostIP: fmt.Sprintf("10.0.0.%d", id), ClusterIP: fmt.Sprintf("10.96.0.%d", id), ServiceUID: "u", Service: fmt.Sprintf("zk-%d", id), Ordinal: i,
			Reconfigured: &migration.Confirmation{}}
		s.ID, s.Role, s.Weight, s.ClientPort, s.PeerPort, s.ElectionPort = id, ensemble.Participant, 1, 2181, 2888, 3888
		w.rec.Servers = append(w.rec.Servers, s)
		w.hostUp[id] = true
		w.cv[id] = &migration.ClusterView{
			Service:   migration.ServiceView{Found: true, UID: "u", ClusterIP: s.ClusterIP},
			Endpoints: migration.EndpointsView{BridgeFound: true, Bridge: []string{s.HostIP}, Union: []string{s.HostIP}},
		}
	}
	return w
}

func (w *world) write(call string) error {
	if w.die != nil && w.die(call) {
		return errKilled
	}
	if err := w.fail[call]; err != nil {
		delete(w.fail, call)
		return err
	}
	w.calls = append(w.calls, call)
	return nil
}

func (w *world) Now() time.Time { return w.now }

func (w *world) Sleep(ctx context.Context, d time.Duration) error {
	w.now = w.now.Add(d)
	return ctx.Err()
}

func (w *world) Load(context.Context) (migration.Record, error) { return w.rec, nil }

func (w *world) Save(_ context.Context, rec migration.Record) error {
	if err := w.write("save"); err != nil {
		return err
	}
	w.rec = rec
	return nil
}

func (w *world) Observe(_ context.Context, rec migration.Record) (map[ensemble.ID]migration.ClusterView, error) {
	out := map[ensemble.ID]migration.ClusterView{}
	for _, s := range rec.Servers {
		v := *w.cv[s.ID]
		if w.parked {
			v.Gate.Found, v.Gate.Generation = true, w.gen
			v.Pod = migration.PodView{Name: fmt.Sprintf("zk-pod-%d", s.Ordinal), UID: w.uid(s.ID), IP: fmt.Sprintf("10.1.0.%d", s.ID), Node: "n", Container: migration.ContainerRunning,
				Report: migration.Report{State: migration.GateParked, Generation: w.gen, Fresh: true, At: w.now, Version: ensemble.Version{Major: 3, Minor: 8}}}
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

func (w *world) uid(id ensemble.ID) string { return fmt.Sprintf("p%d", w.made[id]) }

func (w *world) at(id ensemble.ID, address string, selector bool) {
	v := w.cv[id]
	v.Endpoints = migration.EndpointsView{BridgeFound: true, Bridge: []string{address}, BridgePodUID: w.uid(id), Union: []string{address}}
	if selector {
		v.Endpoints.Controller = []string{address}
	}
}

func (w *world) Park(context.Context, migration.Record) error {
	err := w.write("park")
	w.parked = w.parked || err == nil
	return err
}

func (w *world) PointToPod(_ context.Context, _ migration.Record, id ensemble.ID, _, podIP string) error {
	if err := w.write("flip"); err != nil {
		return err
	}
	w.at(id, podIP, false)
	return nil
}

func (w *world) PointToHost(_ context.Context, rec migration.Record, id ensemble.ID) error {
	if err := w.write("flip-back"); err != nil {
		return err
	}
	s, _ := rec.Server(id)
	w.at(id, s.HostIP, false)
	return nil
}

func (w *world) SetSelector(_ context.Context, _ migration.Record, id ensemble.ID) error {
	if err := w.write("adopt"); err != nil {
		return err
	}
	w.cv[id].Service.Selector = fmt.Sprintf("zk-pod-%d", id-1)
	w.cv[id].Endpoints.Controller = w.cv[id].Endpoints.Union
	return nil
}

func (w *world) ClearSelector(_ context.Context, _ migration.Record, id ensemble.ID) error {
	if err := w.write("clear-selector"); err != nil {
		return err
	}
	w.cv[id].Service.Selector = ""
	w.cv[id].Endpoints.Leftovers = []string{"slice"}
	return nil
}

func (w *world) DropBridge(_ context.Context, _ migration.Record, id ensemble.ID) error {
	if err := w.write("drop-bridge"); err != nil {
		return err
	}
	e := &w.cv[id].Endpoints
	e.BridgeFound, e.Bridge, e.BridgePodUID = false, nil, ""
	return nil
}

func (w *world) DeleteLeftovers(_ context.Context, _ migration.Record, id ensemble.ID) error {
	if err := w.write("delete-leftovers"); err != nil {
		return err
	}
	w.cv[id].Endpoints.Leftovers, w.cv[id].Endpoints.Controller = nil, nil
	return nil
}

func (w *world) OpenGate(_ context.Context, _ migration.Record, id ensemble.ID, _ migration.GateStart) error {
	if err := w.write("release"); err != nil {
		return err
	}
	if w.hostUp[id] {
		return errors.New("the gate was opened beside a running host")
	}
	w.gen++
	w.cv[id].Gate.Released, w.podUp[id] = true, true
	return nil
}

func (w *world) RenewGate(context.Context, migration.Record, ensemble.ID, migration.GateStart, int) error {
	return w.write("renew")
}

func (w *world) RestoreGate(context.Context, migration.Record, ensemble.ID, migration.Release) error {
	return w.write("restore")
}

func (w *world) Seed(context.Context, migration.Record, ensemble.ID, io.Reader) error {
	return w.write("seed")
}

// CopyData implements engine.Hosts.
func (w *world) CopyData(context.Context, migration.ServerRecord, string) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("")), w.write("copy-data")
}

func (w *world) CloseGate(_ context.Context, _ migration.Record, id ensemble.ID) error {
	if err := w.write("close-gate"); err != nil {
		return err
	}
	w.gen++
	w.cv[id].Gate.Released = false
	return nil
}

func (w *world) Kick(context.Context, migration.Record, ensemble.ID) error { return w.write("kick") }

func (w *world) DeletePod(_ context.Context, _ migration.Record, id ensemble.ID, _ string) error {
	if err := w.write("delete-pod"); err != nil {
		return err
	}
	w.made[id]++
	w.podUp[id] = w.cv[id].Gate.Released
	return nil
}

// Do implements engine.Hosts.
func (w *world) Do(_ context.Context, action engine.HostAction, s migration.ServerRecord) (bool, string, error) {
	if err := w.write(string(action)); err != nil {
		return false, "", err
	}
	switch action {
	case engine.HostStop:
		w.hostUp[s.ID] = false
	case engine.HostMask:
		w.masked[s.ID] = true
	case engine.HostUnmask:
		w.masked[s.ID] = false
	case engine.HostStart:
		if w.podUp[s.ID] {
			return false, "", errors.New("the host was started beside its pod")
		}
		w.hostUp[s.ID] = true
	}
	return true, "test", nil
}

// Sight implements engine.Prober.
func (w *world) Sight(_ context.Context, t vantage.Target) vantage.Sighting {
	address := t.Address()
	for _, s := range w.rec.Servers {
		if address == s.HostIP+":2181" && w.hostUp[s.ID] {
			return vantage.Sighting{Reach: vantage.Answered, Mode: ensemble.Follower, ServerID: s.ID.Known(), SyncedFollowers: -1}
		}
		if address != s.ClusterIP+":2181" {
			continue
		}
		up := w.hostUp[s.ID] && len(w.cv[s.ID].Endpoints.Union) == 1 && w.cv[s.ID].Endpoints.Union[0] == s.HostIP || w.podUp[s.ID]
		if !up {
			return vantage.Sighting{Reach: vantage.Refused, SyncedFollowers: -1}
		}
		mode := ensemble.Follower
		if s.ID == 3 {
			mode = ensemble.Leader
		}
		return vantage.Sighting{Reach: vantage.Answered, Mode: mode, Zxid: w.zxid, ServerID: s.ID.Known(), SyncedFollowers: -1, Version: ensemble.Version{Major: 3, Minor: 8}}
	}
	return vantage.Sighting{Reach: vantage.Other, SyncedFollowers: -1}
}

// Port implements engine.Prober.
func (w *world) Port(_ context.Context, t vantage.Target) vantage.PortState {
	address := t.Address()
	for _, s := range w.rec.Servers {
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
func (w *world) Canary(_ context.Context, t vantage.Target) (ensemble.Zxid, error) {
	w.wroteThrough = append(w.wroteThrough, t.Server)
	if err := w.write("canary"); err != nil {
		return 0, err
	}
	w.zxid++
	return w.zxid, nil
}

func (w *world) engine() *engine.Engine {
	return &engine.Engine{Cluster: w, Prober: w, Hosts: w, Journal: w, Clock: w, Poll: 100 * time.Millisecond, ErrorBudget: 10 * time.Second}
}
