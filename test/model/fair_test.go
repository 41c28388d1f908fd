package model

import (
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// fairSamples bounds how many endings are tried in one exploration.
const fairSamples = 3000

// fair asks that from every sampled state the operation under way, and then
// the whole migration, ends when the world stays healthy.
func fair(t *testing.T, r Result, samples int) {
	t.Helper()
	tried := r.Sampled[:min(samples, len(r.Sampled))]
	var followed, bad, at atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for k := int(at.Add(1)) - 1; k < len(tried) && bad.Load() < 2; k = int(at.Add(1)) - 1 {
				st := tried[k].st
				err := Fair(r.Config, st)
				if err == nil && !wordless(st) {
					followed.Add(1)
					err = Literal(r.Config, st)
				}
				if err != nil {
					bad.Add(1)
					t.Errorf("from a reachable state:\n  %s\n  then, in a healthy world: %v", strings.Join(r.Way(tried[k]), "\n  "), err)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%s: the migration ends from each of %d sampled states; status's words were followed from %d", r.Config.Name, len(tried), followed.Load())
	if len(tried) == 0 || bad.Load() == 0 && followed.Load() < int64(len(tried)/3) {
		t.Errorf("words were followed from %d of %d states: that shows little", followed.Load(), len(tried))
	}
}

// wordless: status's words lead nowhere after one coincidence, which docs/safety.md
// names among what is not covered: a server is on its way back, or its start was given up,
// its pod was to be deleted, and another voter has lost its volume just then.
func wordless(st state) bool {
	f := st.flight
	back := f.kind == revert && f.served && f.released == never && (f.stopAsked != never || f.deadSince != never || f.reclaimed != never)
	if !f.on || !back && !(f.kind == replace && f.aborted && f.reclaimed != never) {
		return false
	}
	for i := range st.s {
		if s := &st.s[i]; int(f.id) != i && s.replaced && s.marker == 0 && s.podRole == down {
			return true
		}
	}
	return false
}

// TestHealthyRoads: without any fault, every kind of ensemble is restarted and
// replaced to the end.
func TestHealthyRoads(t *testing.T) {
	roads := append(Walks(), Quick()...)
	roads = append(roads, Config{Name: "restart with an observer", IDs: observed(), Observers: observed()[3:], Version: "3.4.13", Restart: true})
	for _, cfg := range roads {
		t.Run(strings.ReplaceAll(cfg.Name, " ", "_"), func(t *testing.T) {
			w := newWorld(cfg, migration.Decide)
			if err := Fair(cfg, w.start()); err != nil {
				t.Error(err)
			}
			if err := Literal(cfg, w.start()); err != nil {
				t.Error("word by word: ", err)
			}
		})
	}
}
