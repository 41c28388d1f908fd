package migration_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestTwins: an ensemble is known by its hosts' addresses and ports, not by its
// name; another one may run on the same machines.
func TestTwins(t *testing.T) {
	rec := healthy("3.8.0", 1, 2, 3).o.Record
	other := func(change func(*migration.ServerRecord)) migration.Claim {
		r := healthy("3.8.0", 1, 2, 3).o.Record
		r.Name, r.Namespace = "other", "elsewhere"
		for i := range r.Servers {
			change(&r.Servers[i])
		}
		return r.Claim()
	}
	for name, c := range map[string]struct {
		claim migration.Claim
		want  int
	}{
		"itself":               {rec.Claim(), 0},
		"the same hosts":       {other(func(*migration.ServerRecord) {}), 9},
		"other hosts":          {other(func(s *migration.ServerRecord) { s.HostIP = "10.9.0.1" }), 0},
		"other ports there":    {other(func(s *migration.ServerRecord) { s.ClientPort, s.PeerPort, s.ElectionPort = 2182, 2889, 3889 }), 0},
		"hosts that are gone":  {other(func(s *migration.ServerRecord) { s.Retired = &migration.Confirmation{} }), 0},
		"the client port only": {other(func(s *migration.ServerRecord) { s.PeerPort, s.ElectionPort = 2889, 3889 }), 3},
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			for _, twin := range rec.Twins([]migration.Claim{c.claim}) {
				n += len(twin.Addresses)
			}
			if n != c.want {
				t.Errorf("%d shared addresses, want %d", n, c.want)
			}
		})
	}
}

// TestWrappedTwice: nothing is begun beside another ensemble's claim, and the way
// back is open.
func TestWrappedTwice(t *testing.T) {
	s := healthy("3.8.0", 1, 2, 3)
	s.o.Twins = []migration.Claim{{Namespace: "elsewhere", Name: "other", Addresses: []string{"10.0.0.1:2181"}}}
	d := migration.Decide(migration.Intent{Kind: migration.Replace, ID: 1}, s.o)
	if d.Kind != migration.Stop || d.Code != migration.CodeWrappedTwice || d.Next != "kubectl zkmigrate status other -n elsewhere" {
		t.Errorf("got %+v", d)
	}
	st := migration.Summarize(s.o)
	if diff := cmp.Diff([]string{"refusal WrappedTwice"}, short(st.Problems)); diff != "" || st.Next != d.Next {
		t.Errorf("next %q\n%s", st.Next, diff)
	}
	s.replaced(1)
	if d := migration.Decide(migration.Intent{Kind: migration.Revert, ID: 1}, s.o); d.Code == migration.CodeWrappedTwice {
		t.Errorf("got %+v", d)
	}
}
