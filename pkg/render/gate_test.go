package render

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

func addresses() cmp.Option {
	return cmp.Options{cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmpopts.EquateEmpty()}
}

func TestGateGolden(t *testing.T) {
	rec := record(manyPorts)
	g, err := NewGate(rec, 1)
	if err != nil {
		t.Fatal(err)
	}
	g.Open(1, 5, "empty:u-5")
	text, err := YAML([]Object{Gate(rec, g)})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "gate.yaml", text)
}

func TestGateOpensAndCloses(t *testing.T) {
	g, err := NewGate(record(), 1)
	if err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		do         func() bool
		changed    bool
		generation int
		released   []GateRelease
	}{
		{func() bool { return g.Close(0, 2) }, false, 1, nil},
		{func() bool { return g.Open(1, 5, "empty:u-5") }, true, 2, []GateRelease{{1, 5, 2, "empty:u-5"}}},
		{func() bool { return g.Open(1, 5, "empty:u-5") }, false, 2, []GateRelease{{1, 5, 2, "empty:u-5"}}},
		{func() bool { return g.Open(0, 2, "seed:2x1") }, true, 3, []GateRelease{{0, 2, 3, "seed:2x1"}, {1, 5, 2, "empty:u-5"}}},
		{func() bool { return g.Close(1, 5) }, true, 4, []GateRelease{{0, 2, 3, "seed:2x1"}}},
		// A second release is another generation: data of the first is stale.
		{func() bool { return g.Open(1, 5, "empty:u-5") }, true, 5, []GateRelease{{0, 2, 3, "seed:2x1"}, {1, 5, 5, "empty:u-5"}}},
	}
	for i, s := range steps {
		if got := s.do(); got != s.changed {
			t.Errorf("step %d: changed = %t", i, got)
		}
		if g.Generation != s.generation {
			t.Errorf("step %d: generation %d, want %d", i, g.Generation, s.generation)
		}
		if diff := cmp.Diff(s.released, g.Released, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("step %d: %s", i, diff)
		}
		back, err := ParseGate(g.Data())
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		if diff := cmp.Diff(g, back, addresses()); diff != "" {
			t.Errorf("step %d: round trip: %s", i, diff)
		}
	}
	if r, ok := g.Release(5); !ok || r.Generation != 5 {
		t.Errorf("Release(5) = %v, %t", r, ok)
	}
	if _, ok := g.Release(9); ok {
		t.Error("server 9 is released")
	}
}

// garbled are gates that both we and the script refuse; script_test.go runs
// the same list against the script.
func garbled() map[string]map[string]string {
	gate := func(key, value string) map[string]string {
		data := map[string]string{"map": "0 2 10.1.0.2 2181 3888\n1 5 10.1.0.5 2181 3888\n", "released": "", "generation": "1\n"}
		if value == "-" {
			delete(data, key)
		} else {
			data[key] = value
		}
		return data
	}
	return map[string]map[string]string{
		"no map":              gate("map", "-"),
		"no released":         gate("released", "-"),
		"no generation":       gate("generation", "-"),
		"generation empty":    gate("generation", ""),
		"generation text":     gate("generation", "x"),
		"generation octal":    gate("generation", "010"),
		"generation two":      gate("generation", "1 2"),
		"map short line":      gate("map", "0 2 10.1.0.2 2181\n"),
		"map long line":       gate("map", "0 2 10.1.0.2 2181 3888 x\n"),
		"map twice":           gate("map", "0 2 10.1.0.2 2181 3888\n0 5 10.1.0.5 2181 3888\n"),
		"map id twice":        gate("map", "0 2 10.1.0.2 2181 3888\n1 2 10.1.0.5 2181 3888\n"),
		"map command":         gate("map", "0 2 $(touch) 2181 3888\n"),
		"map name":            gate("map", "0 2 zk1 2181 3888\n"),
		"released short":      gate("released", "0 2\n"),
		"released other id":   gate("released", "0 5 1 empty:u\n"),
		"released other":      gate("released", "1 2 1 empty:u\n"),
		"released twice":      gate("released", "0 2 1 empty:u\n0 2 2 empty:u\n"),
		"released negative":   gate("released", "0 2 -1 empty:u\n"),
		"released huge":       gate("released", "0 2 99999999999999999999 empty:u\n"),
		"released glob":       gate("released", "0 2 * empty:u\n"),
		"released arith":      gate("released", "0 2 a[$(id)] empty:u\n"),
		"released bad other":  gate("released", "0 2 1 empty:u\nx\n"),
		"released no start":   gate("released", "0 2 1\n"),
		"released for nobody": gate("released", "0 2 1 empty:\n"),
		"released odd uid":    gate("released", "0 2 1 empty:$(id)\n"),
		"released odd seed":   gate("released", "0 2 1 seed:../x\n"),
		"released odd start":  gate("released", "0 2 1 full:u\n"),
	}
}

func TestGateRenewAndRestore(t *testing.T) {
	g := GateData{Generation: 4}
	g.Open(1, 5, "empty:a")
	if !g.Renew(1, 5, "empty:b", 5) || g.Renew(1, 5, "empty:c", 5) {
		t.Error("a line is renewed once for a generation")
	}
	if diff := cmp.Diff([]GateRelease{{1, 5, 6, "empty:b"}}, g.Released); diff != "" {
		t.Error(diff)
	}
	line := migration.Release{Generation: 6, Start: "empty:b"}
	g.Close(1, 5)
	if !g.Restore(1, 5, line) || g.Restore(1, 5, line) {
		t.Error("a line is restored once")
	}
	if diff := cmp.Diff([]GateRelease{{1, 5, 6, "empty:b"}}, g.Released); diff != "" || g.Generation != 8 {
		t.Errorf("generation %d %s", g.Generation, diff)
	}
	anew := GateData{Generation: 2}
	if anew.Restore(1, 5, line); anew.Generation < 6 {
		t.Errorf("generation %d is older than that of a line", anew.Generation)
	}
}

func TestParseGateRefusesGarbled(t *testing.T) {
	for name, data := range garbled() {
		t.Run(name, func(t *testing.T) {
			if g, err := ParseGate(data); err == nil {
				t.Errorf("accepted as %+v", g)
			}
		})
	}
}

func TestParseGateLine(t *testing.T) {
	three := 3
	tests := map[string]struct {
		line string
		want GateReport
		bad  bool
	}{
		"parked": {
			line: `zkmigrate-gate pod=u1 at=7.000001 state=parked ordinal=1 id=5 generation=7 host-client=open host-election=unasked closed=0 cause=- seed=- synced=- data=0 since=- detail="waits"` + "\r\n",
			want: GateReport{Pod: "u1", At: time.Unix(7, 1000), State: migration.GateParked, Ordinal: 1, ID: 5, Generation: 7, HostClient: migration.PortOpen, NeverStarted: true, Detail: "waits"},
		},
		"closed": {
			line: `zkmigrate-gate pod=u1 at=7.000001 state=vetoed ordinal=0 id=2 generation=8 host-client=closed host-election=silent closed=0 cause=- seed=- synced=- data=0 since=- detail=""`,
			want: GateReport{Pod: "u1", At: time.Unix(7, 1000), State: migration.GateVetoed, ID: 2, Generation: 8, HostClient: migration.PortClosed, HostElection: migration.PortSilent, NeverStarted: true},
		},
		"no ordinal": {
			line: `zkmigrate-gate pod=u1 at=7.000001 state=refused ordinal=-1 id=0 generation=0 host-client=unasked host-election=unasked closed=0 cause=- seed=- synced=- data=0 since=- detail="POD_NAME"`,
			want: GateReport{Pod: "u1", At: time.Unix(7, 1000), State: migration.GateRefused, Ordinal: -1, NeverStarted: true, Detail: "POD_NAME"},
		},
		"needs a proof": {
			line: `zkmigrate-gate pod=u1 at=7.000001 state=refused ordinal=0 id=2 generation=8 host-client=closed host-election=closed closed=0 cause=lost seed=2x1 synced=- data=0 since=- detail="gone"`,
			want: GateReport{Pod: "u1", At: time.Unix(7, 1000), State: migration.GateRefused, ID: 2, Generation: 8, HostClient: migration.PortClosed, HostElection: migration.PortClosed, Cause: migration.CauseLost, Seed: "2x1", NeverStarted: true, Detail: "gone"},
		},
		"whose volume it is": {
			line: `zkmigrate-gate pod=u1 at=7.000001 state=parked ordinal=0 id=2 generation=8 host-client=closed host-election=closed closed=7 cause=- seed=- synced=old data=5 since=3 detail=""`,
			want: GateReport{Pod: "u1", At: time.Unix(7, 1000), State: migration.GateParked, ID: 2, Generation: 8, HostClient: migration.PortClosed, HostElection: migration.PortClosed, HostClosedFor: 7 * time.Second, Outlived: true, Data: 5, Since: &three},
		},
		"odd data":       {line: `zkmigrate-gate pod=u1 at=7.000001 state=parked ordinal=0 id=2 generation=8 host-client=closed host-election=closed closed=0 cause=- seed=- synced=- data=x since=3 detail=""`, bad: true},
		"odd since":      {line: `zkmigrate-gate pod=u1 at=7.000001 state=parked ordinal=0 id=2 generation=8 host-client=closed host-election=closed closed=0 cause=- seed=- synced=- data=1 since= detail=""`, bad: true},
		"odd cause":      {line: `zkmigrate-gate pod=u1 at=7.000001 state=refused ordinal=0 id=2 generation=8 host-client=closed host-election=closed closed=0 cause=x seed=- synced=- data=0 since=- detail=""`, bad: true},
		"odd seed":       {line: `zkmigrate-gate pod=u1 at=7.000001 state=refused ordinal=0 id=2 generation=8 host-client=closed host-election=closed closed=0 cause=- seed=../x synced=- data=0 since=- detail=""`, bad: true},
		"cut off":        {line: `zkmigrate-gate pod=u1 at=7.000001 state=parked ordinal=1 id=5 generation=7 host-client=closed host-election=clo`, bad: true},
		"cut in detail":  {line: `zkmigrate-gate pod=u1 at=7.000001 state=parked ordinal=1 id=5 generation=7 host-client=closed host-election=closed closed=0 cause=- seed=- synced=- data=0 since=- detail="wai`, bad: true},
		"another state":  {line: `zkmigrate-gate pod=u1 at=7.000001 state=x ordinal=1 id=5 generation=7 host-client=closed host-election=closed closed=0 cause=- seed=- synced=- data=0 since=- detail=""`, bad: true},
		"field twice":    {line: `zkmigrate-gate pod=u1 at=7.000001 state=parked state=parked id=5 generation=7 host-client=closed host-election=closed closed=0 cause=- seed=- synced=- data=0 since=- detail=""`, bad: true},
		"field missing":  {line: `zkmigrate-gate pod=u1 at=7.000001 state=parked id=5 generation=7 host-client=closed host-election=closed closed=0 cause=- seed=- synced=- data=0 since=- detail=""`, bad: true},
		"odd port state": {line: `zkmigrate-gate pod=u1 at=7.000001 state=parked ordinal=1 id=5 generation=7 host-client=ajar host-election=closed closed=0 cause=- seed=- synced=- data=0 since=- detail=""`, bad: true},
		"something else": {line: `2020-01-01 INFO zkmigrate-gate pod=u1 at=7.000001 state=parked`, bad: true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ParseGateLine(tc.line)
			if (err != nil) != tc.bad {
				t.Fatalf("error %v", err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" && !tc.bad {
				t.Error(diff)
			}
		})
	}
}

func FuzzParseGateLine(f *testing.F) {
	f.Add(`zkmigrate-gate pod=u1 at=7.000001 state=parked ordinal=1 id=5 generation=7 host-client=open host-election=unasked closed=0 cause=- seed=- synced=- data=0 since=- detail="waits"`)
	f.Add(`zkmigrate-gate pod=u1 at=7.000001 state=refused ordinal=-1 id=0 generation=0 host-client=unasked host-election=unasked closed=0 cause=- seed=- synced=- data=0 since=- detail="it's"`)
	f.Fuzz(func(t *testing.T, line string) {
		r, err := ParseGateLine(line)
		if err != nil {
			return
		}
		if strings.Contains(r.Detail, `"`) || r.Ordinal < -1 || r.ID < 0 || r.Generation < 0 {
			t.Errorf("%q was read as %+v", line, r)
		}
	})
}

func FuzzParseGate(f *testing.F) {
	f.Add("0 2 10.1.0.2 2181 3888\n", "0 2 1 empty:u-1\n", "1\n")
	f.Add("0 2 10.1.0.2 2181 3888\n", "0 2 1 seed:2x1\n", "1\n")
	f.Fuzz(func(t *testing.T, members, released, generation string) {
		g, err := ParseGate(map[string]string{GateMapKey: members, GateReleasedKey: released, GateGenerationKey: generation})
		if err != nil {
			return
		}
		back, err := ParseGate(g.Data())
		if err != nil {
			t.Fatalf("%+v does not come back: %v", g, err)
		}
		if diff := cmp.Diff(g, back, addresses()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestNames(t *testing.T) {
	long := strings.Repeat("a", MaxNameLength)
	if err := ValidateName(long); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{ServiceName(long, ensemble.MaxID), HeadlessName(long), StatefulSetName(long) + "-0123456789"} {
		if len(name) > 63 {
			t.Errorf("%s has %d characters", name, len(name))
		}
	}
}
