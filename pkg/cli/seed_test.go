package cli

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/engine"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkdata"
)

// standing is a world that does not change.
type standing struct {
	engine.Cluster
	engine.Prober
	engine.Journal
	rec  migration.Record
	view migration.ClusterView
	host vantage.PortState
}

func (w standing) Observe(context.Context, migration.Record) (map[ensemble.ID]migration.ClusterView, error) {
	return map[ensemble.ID]migration.ClusterView{3: w.view}, nil
}
func (w standing) Sight(context.Context, vantage.Target) vantage.Sighting { return vantage.Sighting{} }
func (w standing) Port(context.Context, vantage.Target) vantage.PortState { return w.host }
func (w standing) Load(context.Context) (migration.Record, error)         { return w.rec, nil }

func TestSeedComesOnlyWhenItIsWaitedFor(t *testing.T) {
	flight := func(change func(*migration.Flight)) *migration.Flight {
		f := &migration.Flight{Kind: migration.Replace, ID: 3, Starting: migration.Starting{Data: migration.DataCopy, Seed: "3xtok"}, Proofs: migration.Proofs{Before: &migration.Proof{Zxid: 1, Complete: true}}}
		if change != nil {
			change(f)
		}
		return f
	}
	parked := migration.PodView{UID: "u", Container: migration.ContainerRunning, Name: "main-pod-2", IP: "10.2.0.3", Report: migration.Report{State: migration.GateParked}}
	started, seeded := parked, parked
	started.Report.State, seeded.Report.Volume.Seed = migration.GateStarted, "3xtok"
	for name, tc := range map[string]struct {
		flight *migration.Flight
		pod    migration.PodView
		gate   migration.GateView
		host   vantage.PortState
		says   string
		seeded bool
	}{
		"good":                 {flight: flight(nil), pod: parked},
		"it is there":          {flight: flight(nil), pod: seeded, seeded: true},
		"nothing under way":    {pod: parked, says: "no replacement of server 3 is under way"},
		"a revert":             {flight: flight(func(f *migration.Flight) { f.Kind = migration.Revert }), pod: parked, says: "the revert of server 3"},
		"another server":       {flight: flight(func(f *migration.Flight) { f.ID = 1 }), pod: parked, says: "the replace of server 1"},
		"begun without copy":   {flight: flight(func(f *migration.Flight) { f.Data = "" }), pod: parked, says: "cannot change on the way"},
		"not proven dead yet":  {flight: flight(func(f *migration.Flight) { f.Seed = "" }), pod: parked, says: "not proven dead yet"},
		"host is up":           {flight: flight(nil), pod: parked, host: vantage.PortOpen, says: "makes no copy"},
		"host is silent":       {flight: flight(nil), pod: parked, host: vantage.PortSilent, says: "makes no copy"},
		"gate is open":         {flight: flight(nil), pod: parked, gate: migration.GateView{Found: true, Released: true}, says: "gate of server 3 is open"},
		"pod is not parked":    {flight: flight(nil), pod: started, says: "does not wait at its gate"},
		"pod does not exist":   {flight: flight(nil), says: "does not wait at its gate"},
		"host is up, it is in": {flight: flight(nil), pod: seeded, host: vantage.PortOpen, says: "makes no copy"},
	} {
		t.Run(name, func(t *testing.T) {
			rec := migration.Record{Name: "main", Namespace: "zk", Flight: tc.flight, Servers: []migration.ServerRecord{
				{Server: ensemble.Server{ID: 1}, HostIP: "10.0.0.1"}, {Server: ensemble.Server{ID: 3}, HostIP: "10.0.0.3"},
			}}
			if tc.host == "" {
				tc.host = vantage.PortClosed
			}
			w := standing{rec: rec, view: migration.ClusterView{Pod: tc.pod, Gate: tc.gate}, host: tc.host}
			s := &session{name: "main", kube: kube{namespace: "zk"}, engine: &engine.Engine{Cluster: w, Prober: w, Journal: w, Clock: clock{}}}
			seeded, err := (&SeedOptions{id: 3}).ready(t.Context(), s, rec)
			var refused *refusedError
			if tc.says == "" {
				if err != nil || seeded != tc.seeded {
					t.Errorf("seeded %v, %v", seeded, err)
				}
				return
			}
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), tc.says) || refused.next == "" {
				t.Errorf("got %v, want a refusal that says %q and what to do next", err, tc.says)
			}
		})
	}
}

func TestManualCopyNamesTheCommand(t *testing.T) {
	rec := migration.Record{Name: "main", Namespace: "zk"}
	lines, _ := manualCopy(rec, command.Via{})(migration.ServerRecord{Server: ensemble.Server{ID: 3}, HostIP: "10.0.0.3", DataDir: "/d", DataLogDir: "/l"}, "3xtok")
	want := "ssh 10.0.0.3 'cd /d && echo 3xtok > zkmigrate-seed && tar -chSPf - myid version-2 /l/version-2 && tar -cf - zkmigrate-seed' | kubectl zkmigrate seed main --id=3 -n zk"
	if len(lines) != 1 || lines[0] != want {
		t.Errorf("got %q, want %q", lines, want)
	}
}

func TestMeterTellsOnTheWay(t *testing.T) {
	var out bytes.Buffer
	m := &meter{r: bytes.NewReader(make([]byte, 3<<20)), out: &out, began: time.Now().Add(-10 * time.Second), told: time.Now()}
	buf := make([]byte, 2<<20)
	if _, err := m.Read(buf); err != nil || out.Len() > 0 {
		t.Fatalf("told too early: %q, %v", &out, err)
	}
	m.told = time.Now().Add(-tellEvery)
	if _, err := m.Read(buf); err != nil || !strings.HasPrefix(out.String(), "3.0 MiB read, ") {
		t.Errorf("told %q, %v", &out, err)
	}
}

func TestDataFlag(t *testing.T) {
	for value, ok := range map[string]bool{"": true, "empty": true, "copy": true, "hot": false} {
		f := &moveFlags{said: &said{cmd: &cobra.Command{}}, kind: migration.Replace, id: idFlag{ensemble.ID(3).Known()}, timeout: time.Minute, data: value}
		o, err := f.toOptions(nil)
		if !ok && report(&bytes.Buffer{}, err) != exitUsage || ok && (err != nil || o.data != migration.DataMode(value)) {
			t.Errorf("--data=%s: %+v, %v", value, o, err)
		}
	}
}

// TestAFullVolumeIsNotSentTheSameAgain: the command that is printed makes room, or
// goes back; every other refusal wants a new copy.
func TestAFullVolumeIsNotSentTheSameAgain(t *testing.T) {
	rec := migration.Record{Name: "zk1", Namespace: "zk", Servers: []migration.ServerRecord{{Server: ensemble.Server{ID: 3}, Ordinal: 2}}}
	full := afterRefusedCopy(zkdata.NoRoomError("the pod's volume is full"), rec, 3, "send it again", command.At{Namespace: "zk"})
	for _, want := range []string{"kubectl edit pvc data-zk1-pod-2 -n zk", "then send it again", "kubectl zkmigrate revert zk1 --id=3 -n zk"} {
		if !strings.Contains(full, want) {
			t.Errorf("%q lacks %q", full, want)
		}
	}
	if other := afterRefusedCopy(&zkdata.RefusedError{Reason: zkdata.CutShort}, rec, 3, "send it again", command.At{Namespace: "zk"}); other != "send it again" {
		t.Errorf("for a copy that was cut off: %q", other)
	}
}
