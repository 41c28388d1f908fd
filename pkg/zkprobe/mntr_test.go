package zkprobe

import (
	"math"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

func TestParseMntrOfRealServers(t *testing.T) {
	tests := []struct {
		version, role               string
		mode                        ensemble.Mode
		state                       string
		learners, synced, observers int64
	}{
		{"3.4.13", "leader", ensemble.Leader, "", 3, 2, -1},
		{"3.4.13", "follower", ensemble.Follower, "", -1, -1, -1},
		{"3.4.13", "observer", ensemble.Observing, "", -1, -1, -1},
		{"3.8.0", "leader", ensemble.Leader, "leading - broadcast", 3, 2, 1},
		{"3.8.0", "follower", ensemble.Follower, "following - broadcast", -1, -1, -1},
		{"3.8.0", "observer", ensemble.Observing, "observing - broadcast", -1, -1, -1},
		{"3.9.3", "leader", ensemble.Leader, "leading - broadcast", 3, 2, 1},
		{"3.9.3", "follower", ensemble.Follower, "following - broadcast", -1, -1, -1},
		{"3.9.3", "observer", ensemble.Observing, "observing - broadcast", -1, -1, -1},
	}
	for _, tt := range tests {
		t.Run(tt.version+"/"+tt.role, func(t *testing.T) {
			got := ParseMntr(recorded(t, tt.version, tt.role, Mntr))
			if got.Mode() != tt.mode || got.PeerState() != tt.state || got.Version().String() != tt.version {
				t.Errorf("got mode %q, peer state %q, version %s", got.Mode(), got.PeerState(), got.Version())
			}
			if got.Learners() != tt.learners || got.SyncedFollowers() != tt.synced {
				t.Errorf("got %d learners, %d synced followers, want %d, %d", got.Learners(), got.SyncedFollowers(), tt.learners, tt.synced)
			}
			if got.SyncedObservers() != tt.observers {
				t.Errorf("got %d synced observers, want %d", got.SyncedObservers(), tt.observers)
			}
			if len(got.Rest) != 0 {
				t.Errorf("lines not understood: %q", got.Rest)
			}
		})
	}
}

func TestMntrNumbers(t *testing.T) {
	r := ParseMntr("whole\t7\nfloat\t2.0\nhalf\t2.5\nnan\tNaN\ninf\tInfinity\nneg\t-1\ntext\tleader\nbig\t9007199254740993\nhuge\t1e300\nempty\t\nno tab\n")
	ints := map[string]int64{"whole": 7, "float": 2, "neg": -1, "big": 9007199254740993}
	for _, key := range []string{"whole", "float", "half", "nan", "inf", "neg", "text", "big", "huge", "empty", "missing"} {
		n, ok := r.Int(key)
		want, known := ints[key]
		if ok != known || n != want {
			t.Errorf("Int(%s): got %d, %t, want %d, %t", key, n, ok, want, known)
		}
	}
	if f, ok := r.Float("half"); !ok || f != 2.5 {
		t.Errorf("Float(half): got %v, %t", f, ok)
	}
	if _, ok := r.Float("nan"); ok {
		t.Error("Float(nan) is known")
	}
	if got := r.IntOr("missing", -1); got != -1 {
		t.Errorf("IntOr(missing): got %d", got)
	}
	if len(r.Rest) != 1 || r.Rest[0] != "no tab" {
		t.Errorf("rest: got %q", r.Rest)
	}
}

func FuzzParseMntr(f *testing.F) {
	eachRecorded(f, Mntr, func(_, text string) { f.Add(text) })
	f.Add("zk_a\tNaN\nzk_b\t-Inf\nzk_c\t1e308\n")
	f.Fuzz(func(t *testing.T, text string) {
		r := ParseMntr(text)
		for key := range r.Values {
			if v, ok := r.Float(key); ok && (math.IsNaN(v) || math.IsInf(v, 0)) {
				t.Errorf("%s is no number and known", key)
			}
			r.Int(key)
		}
		r.Mode()
		r.Version()
	})
}
