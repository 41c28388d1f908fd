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
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

func addresses() cmp.Option {
	return cmp.Options{cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmpopts.EquateEmpty()}
}

func TestGateGolden(t *testing.T) {
	rec := record(manyPorts)
	g := GateData{Generation: 1}
	g.Open(1, 5, "empty:u-5")
	text, err := YAML([]Object{Gate(rec, g)})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "gate.yaml", text)
}

func TestGateOpensAndCloses(t *testing.T) {
	members, err := Members(record())
	if err != nil {
		t.Fatal(err)
	}
	// One of an earlier release; its map stays.
	g := GateData{Generation: 1, Members: members}
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
		back, err := ParseGate(g.Data(), record())
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
// the same list against the script. errs is what our error says.
func garbled() map[string]struct {
	data map[string]string
	says string
} {
	type gate = struct {
		data map[string]string
		says string
	}
	edit := func(key, value, says string) gate {
		data := map[string]string{"released": "", "generation": "1\n"}
		if value == "-" {
			delete(data, key)
		} else {
			data[key] = value
		}
		return gate{data, says}
	}
	const line1 = `key "released", line 1: `
	return map[string]gate{
		"no released":         edit("released", "-", `no key "released"`),
		"no generation":       edit("generation", "-", `no key "generation"`),
		"generation empty":    edit("generation", "", `key "generation": "" is not a whole number`),
		"generation text":     edit("generation", "x", `key "generation"`),
		"generation octal":    edit("generation", "010", `key "generation"`),
		"generation two":      edit("generation", "1 2", `key "generation"`),
		"released short":      edit("released", "0 2\n", line1),
		"released other id":   edit("released", "0 5 1 empty:u\n", line1+"the journal has no server 5 with ordinal 0"),
		"released other":      edit("released", "1 2 1 empty:u\n", line1+"the journal has no server 2 with ordinal 1"),
		"released unknown id": edit("released", "0 7 1 empty:u\n", line1+"the journal has no server 7"),
		"released twice":      edit("released", "0 2 1 empty:u\n0 2 2 empty:u\n", `key "released", line 2: ordinal 0 is released twice`),
		"released negative":   edit("released", "0 2 -1 empty:u\n", line1),
		"released huge":       edit("released", "0 2 99999999999999999999 empty:u\n", line1),
		"released glob":       edit("released", "0 2 * empty:u\n", line1),
		"released arith":      edit("released", "0 2 a[$(id)] empty:u\n", line1),
		"released bad other":  edit("released", "0 2 1 empty:u\nx\n", `key "released", line 2`),
		"released no start":   edit("released", "0 2 1\n", line1),
		"released for nobody": edit("released", "0 2 1 empty:\n", line1),
		"released odd uid":    edit("released", "0 2 1 empty:$(id)\n", line1),
		"released odd seed":   edit("released", "0 2 1 seed:../x\n", line1),
		"released odd start":  edit("released", "0 2 1 full:u\n", line1),
	}
}

// garbledTables are tables in a pod's template that the script refuses.
func garbledTables() map[string]string {
	return map[string]string{
		"none":       "",
		"short line": "0 2 10.1.0.2 2181",
		"long line":  "0 2 10.1.0.2 2181 3888 x",
		"twice":      "0 2 10.1.0.2 2181 3888\n0 5 10.1.0.5 2181 3888",
		"id twice":   "0 2 10.1.0.2 2181 3888\n1 2 10.1.0.5 2181 3888",
		"command":    "0 2 $(touch) 2181 3888",
		"name":       "0 2 zk1 2181 3888",
		"not ours":   "1 5 10.1.0.5 2181 3888",
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
	for name, tc := range garbled() {
		t.Run(name, func(t *testing.T) {
			if g, err := ParseGate(tc.data, record()); err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("accepted as %+v, or %v does not say %q", g, err, tc.says)
			}
		})
	}
	for name, text := range garbledTables() {
		if name == "none" || name == "not ours" {
			continue
		}
		t.Run("the map of an earlier release, "+name, func(t *testing.T) {
			data := map[string]string{"map": text, "released": "", "generation": "1\n"}
			if g, err := ParseGate(data, record()); err == nil || !strings.Contains(err.Error(), `key "map", line`) {
				t.Errorf("accepted as %+v, %v", g, err)
			}
		})
	}
	t.Run("another key", func(t *testing.T) {
		if g, err := ParseGate(map[string]string{"released": "", "generation": "1\n", "extra": ""}, record()); err == nil {
			t.Errorf("accepted as %+v", g)
		}
	})
}

func TestParseGateLine(t *testing.T) {
	three, seven := 3, 7*time.Second
	tests := map[string]struct {
		line string
		want GateReport
		bad  bool
	}{
		"parked": {
			line: `zkmigrate-gate pod=u1 at=7.000001 state=parked ordinal=1 id=5 generation=7 host-client=open host-election=unasked closed=0 cause=- seed=- synced=- data=0 since=- version=- detail="waits"` + "\r\n",
			want: GateReport{Pod: "u1", Ordinal: 1, ID: 5, HostClient: vantage.PortOpen, Report: migration.Report{Listens: migration.ListensNot, At: time.Unix(7, 1000), State: migration.GateParked, Generation: 7, Detail: "waits", Volume: migration.Volume{State: migration.VolumeUnused}}},
		},
		"of this release, a JVM is starting": {
			line: `zkmigrate-gate pod=u1 at=7.000001 state=parked ordinal=1 id=5 generation=7 host-client=open host-election=unasked closed=0 cause=- seed=- synced=- data=0 since=- version=- listens=- detail="waits"`,
			want: GateReport{Pod: "u1", Ordinal: 1, ID: 5, HostClient: vantage.PortOpen, Report: migration.Report{At: time.Unix(7, 1000), State: migration.GateParked, Generation: 7, Detail: "waits", Volume: migration.Volume{State: migration.VolumeUnused}}},
		},
		"it listens": {
			line: `zkmigrate-gate pod=u1 at=7.000001 state=parked ordinal=1 id=5 generation=7 host-client=open host-election=unasked closed=0 cause=- seed=- synced=- data=0 since=- version=- listens=yes detail="waits"`,
			want: GateReport{Pod: "u1", Ordinal: 1, ID: 5, HostClient: vantage.PortOpen, Report: migration.Report{Listens: migration.Listens, At: time.Unix(7, 1000), State: migration.GateParked, Generation: 7, Detail: "waits", Volume: migration.Volume{State: migration.VolumeUnused}}},
		},
		"odd listens": {line: `zkmigrate-gate pod=u1 at=7.000001 state=parked ordinal=1 id=5 generation=7 host-client=open host-election=unasked closed=0 cause=- seed=- synced=- data=0 since=- version=- listens=maybe detail=""`, bad: true},
		"closed": {
			line: `zkmigrate-gate pod=u1 at=7.000001 state=vetoed ordinal=0 id=2 generation=8 host-client=closed host-election=silent closed=0 cause=- seed=- synced=- data=0 since=- version=- detail=""`,
			want: GateReport{Pod: "u1", ID: 2, HostClient: vantage.PortClosed, HostElection: vantage.PortSilent, Report: migration.Report{Listens: migration.ListensNot, At: time.Unix(7, 1000), State: migration.GateVetoed, Generation: 8, Volume: migration.Volume{State: migration.VolumeUnused}}},
		},
		"no ordinal": {
			line: `zkmigrate-gate pod=u1 at=7.000001 state=refused ordinal=-1 id=0 generation=0 host-client=unasked host-election=unasked closed=0 cause=- seed=- synced=- data=0 since=- version=- detail="POD_NAME"`,
			want: GateReport{Pod: "u1", Ordinal: -1, Report: migration.Report{Listens: migration.ListensNot, At: time.Unix(7, 1000), State: migration.GateRefused, Detail: "POD_NAME", Volume: migration.Volume{State: migration.VolumeUnused}}},
		},
		"needs a proof": {
			line: `zkmigrate-gate pod=u1 at=7.000001 state=refused ordinal=0 id=2 generation=8 host-client=closed host-election=closed closed=0 cause=lost seed=2x1 synced=- data=0 since=- version=- detail="gone"`,
			want: GateReport{Pod: "u1", ID: 2, HostClient: vantage.PortClosed, HostElection: vantage.PortClosed, Report: migration.Report{Listens: migration.ListensNot, At: time.Unix(7, 1000), State: migration.GateRefused, Generation: 8, Cause: migration.CauseLost, Detail: "gone", HostClosedFor: new(time.Duration), Volume: migration.Volume{Seed: "2x1", State: migration.VolumeUnused}}},
		},
		"whose volume it is": {
			line: `zkmigrate-gate pod=u1 at=7.000001 state=parked ordinal=0 id=2 generation=8 host-client=closed host-election=closed closed=7 cause=- seed=- synced=old data=5 since=3 version=- detail=""`,
			want: GateReport{Pod: "u1", ID: 2, HostClient: vantage.PortClosed, HostElection: vantage.PortClosed, Report: migration.Report{Listens: migration.ListensNot, At: time.Unix(7, 1000), State: migration.GateParked, Generation: 8, HostClosedFor: &seven, Volume: migration.Volume{State: migration.VolumeOutlived, Generation: 5, Since: &three}}},
		},
		"odd data":       {line: `zkmigrate-gate pod=u1 at=7.000001 state=parked ordinal=0 id=2 generation=8 host-client=closed host-election=closed closed=0 cause=- seed=- synced=- data=x since=3 version=- detail=""`, bad: true},
		"odd since":      {line: `zkmigrate-gate pod=u1 at=7.000001 state=parked ordinal=0 id=2 generation=8 host-client=closed host-election=closed closed=0 cause=- seed=- synced=- data=1 since= version=- detail=""`, bad: true},
		"odd cause":      {line: `zkmigrate-gate pod=u1 at=7.000001 state=refused ordinal=0 id=2 generation=8 host-client=closed host-election=closed closed=0 cause=x seed=- synced=- data=0 since=- version=- detail=""`, bad: true},
		"odd seed":       {line: `zkmigrate-gate pod=u1 at=7.000001 state=refused ordinal=0 id=2 generation=8 host-client=closed host-election=closed closed=0 cause=- seed=../x synced=- data=0 since=- version=- detail=""`, bad: true},
		"cut off":        {line: `zkmigrate-gate pod=u1 at=7.000001 state=parked ordinal=1 id=5 generation=7 host-client=closed host-election=clo`, bad: true},
		"cut in detail":  {line: `zkmigrate-gate pod=u1 at=7.000001 state=parked ordinal=1 id=5 generation=7 host-client=closed host-election=closed closed=0 cause=- seed=- synced=- data=0 since=- version=- detail="wai`, bad: true},
		"another state":  {line: `zkmigrate-gate pod=u1 at=7.000001 state=x ordinal=1 id=5 generation=7 host-client=closed host-election=closed closed=0 cause=- seed=- synced=- data=0 since=- version=- detail=""`, bad: true},
		"field twice":    {line: `zkmigrate-gate pod=u1 at=7.000001 state=parked state=parked id=5 generation=7 host-client=closed host-election=closed closed=0 cause=- seed=- synced=- data=0 since=- version=- detail=""`, bad: true},
		"field missing":  {line: `zkmigrate-gate pod=u1 at=7.000001 state=parked id=5 generation=7 host-client=closed host-election=closed closed=0 cause=- seed=- synced=- data=0 since=- version=- detail=""`, bad: true},
		"odd port state": {line: `zkmigrate-gate pod=u1 at=7.000001 state=parked ordinal=1 id=5 generation=7 host-client=ajar host-election=closed closed=0 cause=- seed=- synced=- data=0 since=- version=- detail=""`, bad: true},
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
	f.Add(`zkmigrate-gate pod=u1 at=7.000001 state=parked ordinal=1 id=5 generation=7 host-client=open host-election=unasked closed=0 cause=- seed=- synced=- data=0 since=- version=- detail="waits"`)
	f.Add(`zkmigrate-gate pod=u1 at=7.000001 state=refused ordinal=-1 id=0 generation=0 host-client=unasked host-election=unasked closed=0 cause=- seed=- synced=- data=0 since=- version=- detail="it's"`)
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
		g, err := ParseGate(map[string]string{GateMapKey: members, GateReleasedKey: released, GateGenerationKey: generation}, record())
		if err != nil {
			return
		}
		back, err := ParseGate(g.Data(), record())
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
