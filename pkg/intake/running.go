package intake

import (
	"slices"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// Running is what one server says of itself on its host. What it does not say, or
// does not say because it does not run, is zero.
type Running struct {
	// ID is the server's, Says the one that it gives itself, if it gives any.
	ID       ensemble.ID
	Says     ensemble.MaybeID
	Version  ensemble.Version
	TickTime time.Duration
	// InitLimit and SyncLimit are in ticks.
	InitLimit, SyncLimit int
	Mode                 ensemble.Mode
	Zxid                 ensemble.Zxid
}

// FromRunning puts into the record what no file has said: the limits, and the
// epoch from which elections are counted. It returns the versions that run, each
// once. Who answers at the old host of a server in its pod, or as somebody else, says
// nothing of the ensemble.
func FromRunning(rec *migration.Record, servers []Running) []string {
	var versions []string
	for _, live := range servers {
		if sr, ok := rec.Server(live.ID); !ok || sr.Replaced != nil || live.Says.IsNot(live.ID) {
			// Whatever answers there is none of the ensemble's servers.
			continue
		}
		if !live.Version.IsZero() && !slices.Contains(versions, live.Version.String()) {
			versions = append(versions, live.Version.String())
		}
		if rec.Settings.TickTimeMillis == 0 && live.TickTime > 0 {
			rec.Settings.TickTimeMillis, rec.Settings.InitLimit, rec.Settings.SyncLimit = int(live.TickTime.Milliseconds()), live.InitLimit, live.SyncLimit
		}
		if live.Mode == ensemble.Leader && rec.Elections.AtWrap == 0 {
			rec.Elections.AtWrap = live.Zxid.Epoch()
		}
	}
	return versions
}

// KnownLimits refuses to go on without the limits that holding a server needs.
func KnownLimits(rec migration.Record) error {
	if rec.Settings.TickTimeMillis == 0 || rec.Settings.SyncLimit == 0 || rec.Settings.InitLimit == 0 {
		return usagef("tickTime, initLimit and syncLimit are not known: conf is not answered; give the hosts' files with -f")
	}
	return nil
}

// Lag says that the pods stay with the recorded version though the hosts run
// another one.
type Lag struct {
	// Runs is what the hosts run, Recorded what the pods are made for.
	Runs, Recorded string
	// Begun: servers have moved. Otherwise the pods would follow if the hosts'
	// files were given.
	Begun bool
}

// FollowVersion records the version that runs. One that changed since an earlier
// wrap changes the pods' image and file as well, as long as there is no pod that
// has served. It never stands in the way of a wrap that mends a Service: what it
// cannot do it says.
func FollowVersion(rec *migration.Record, live []string, files bool) (lag Lag, lags bool) {
	old := rec.Settings.Version
	switch {
	case len(live) == 0 || slices.Contains(live, old):
		return Lag{}, false
	case old == "":
	case rec.Begun():
		return Lag{Runs: live[0], Recorded: old, Begun: true}, true
	case !files:
		return Lag{Runs: live[0], Recorded: old}, true
	}
	rec.Settings.Version = live[0]
	if rec.Pods.Image == DefaultImage(old) {
		rec.Pods.Image = ""
	}
	return Lag{}, false
}

// Waive keeps the waivers that are not recorded yet.
func Waive(rec *migration.Record, checks []string, by string, at time.Time) {
	for _, w := range checks {
		if !rec.Waived(w) {
			rec.Waivers = append(rec.Waivers, migration.Waiver{Check: w, By: by, At: at})
		}
	}
}
