package intake

import (
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestUpgradedSinceTheWrap: pods are made for the version that runs.
func TestUpgradedSinceTheWrap(t *testing.T) {
	for name, c := range map[string]struct {
		version, image string
		replaced, file bool
		want           string
		lag            Lag
	}{
		"the first wrap":                  {"", "", false, true, "", Lag{}},
		"the same":                        {"3.8.0", "mine", true, false, "mine", Lag{}},
		"upgraded on the hosts":           {"3.4.13", "zookeeper:3.4.13", false, true, "", Lag{}},
		"upgraded, an image of their own": {"3.4.13", "registry/zk:1", false, true, "registry/zk:1", Lag{}},
		"upgraded, no file given":         {"3.4.13", "zookeeper:3.4.13", false, false, "zookeeper:3.4.13", Lag{Runs: "3.8.0", Recorded: "3.4.13"}},
		"upgraded in the middle":          {"3.4.13", "zookeeper:3.4.13", true, true, "zookeeper:3.4.13", Lag{Runs: "3.8.0", Recorded: "3.4.13", Begun: true}},
	} {
		t.Run(name, func(t *testing.T) {
			rec := migration.Record{Servers: []migration.ServerRecord{{}}, Settings: migration.Settings{Version: c.version}, Pods: migration.PodOptions{Image: c.image}}
			if c.replaced {
				rec.Servers[0].Replaced = &time.Time{}
			}
			lag, lags := FollowVersion(&rec, []string{"3.8.0"}, c.file)
			if lag != c.lag || lags != (c.lag != Lag{}) {
				t.Errorf("got %+v, %t; want %+v", lag, lags, c.lag)
			}
			if !lags && rec.Settings.Version != "3.8.0" || rec.Pods.Image != c.want {
				t.Errorf("version %s, image %q, want %q", rec.Settings.Version, rec.Pods.Image, c.want)
			}
		})
	}
}

// TestFromRunning: what no file has said comes from the first server that says it;
// what a file has said stays.
func TestFromRunning(t *testing.T) {
	version := ensemble.Version{Major: 3, Minor: 8}
	servers := []Running{
		{ID: 1},
		{ID: 2, Says: ensemble.ID(2).Known(), Version: version, TickTime: 2 * time.Second, InitLimit: 10, SyncLimit: 5, Mode: ensemble.Follower, Zxid: 3 << 32},
		{ID: 3, Version: version, TickTime: time.Second, InitLimit: 20, SyncLimit: 10, Mode: ensemble.Leader, Zxid: 4 << 32},
	}
	rec := recorded()
	rec.Settings = migration.Settings{}
	if err := KnownLimits(rec); err == nil {
		t.Error("nothing is known, and it goes on")
	}
	if got := FromRunning(&rec, servers); len(got) != 1 || got[0] != "3.8.0" {
		t.Errorf("versions %v", got)
	}
	if s := rec.Settings; s.TickTimeMillis != 2000 || s.InitLimit != 10 || s.SyncLimit != 5 || rec.Elections.AtWrap != 4 || KnownLimits(rec) != nil {
		t.Errorf("%+v, epoch %d", s, rec.Elections.AtWrap)
	}
	rec.Settings.TickTimeMillis, rec.Settings.InitLimit, rec.Elections.AtWrap = 3000, 7, 2
	FromRunning(&rec, servers)
	if s := rec.Settings; s.TickTimeMillis != 3000 || s.InitLimit != 7 || rec.Elections.AtWrap != 2 {
		t.Errorf("written over: %+v, epoch %d", s, rec.Elections.AtWrap)
	}
}

// TestWaive: a waiver is recorded once.
func TestWaive(t *testing.T) {
	var rec migration.Record
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	Waive(&rec, []string{"ZK030", "ZK030"}, "alice", at)
	Waive(&rec, []string{"ZK030"}, "bob", at.Add(time.Hour))
	if len(rec.Waivers) != 1 || rec.Waivers[0] != (migration.Waiver{Check: "ZK030", By: "alice", At: at}) {
		t.Errorf("%+v", rec.Waivers)
	}
}

// TestWhoSaysNothingOfTheEnsemble: what answers at the old host of a server in its pod,
// or as another one, is not believed.
func TestWhoSaysNothingOfTheEnsemble(t *testing.T) {
	ghost := Running{Version: ensemble.Version{Major: 3, Minor: 4, Patch: 5}, TickTime: time.Hour, InitLimit: 1, SyncLimit: 1, Mode: ensemble.Leader, Zxid: 99 << 32}
	for name, change := range map[string]func(*Running, *migration.Record){
		"its server is in a pod": func(r *Running, rec *migration.Record) { r.ID, rec.Servers[1].Replaced = 2, &time.Time{} },
		"another id":             func(r *Running, _ *migration.Record) { r.ID, r.Says = 2, ensemble.ID(3).Known() },
		"nobody's":               func(r *Running, _ *migration.Record) { r.ID = 7 },
	} {
		t.Run(name, func(t *testing.T) {
			rec := recorded()
			rec.Settings = migration.Settings{}
			answer := ghost
			change(&answer, &rec)
			if got := FromRunning(&rec, []Running{answer}); len(got) > 0 || rec.Settings.TickTimeMillis != 0 || rec.Elections.AtWrap != 0 {
				t.Errorf("versions %v, %+v, epoch %d", got, rec.Settings, rec.Elections.AtWrap)
			}
		})
	}
}
