package state

import (
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/ensemble"
)

func TestHosts(t *testing.T) {
	lab := &Lab{Name: "lab", Ensembles: []Ensemble{{
		Spec: ensemble.Spec{Name: "demo"},
		// Two servers on one host: the address alone is not enough.
		Servers: []ensemble.Server{{ID: 1, Address: "10.0.0.1"}, {ID: 5, Address: "10.0.0.1"}},
	}}}
	if _, s, err := lab.Host("demo/5"); err != nil || s.ID != 5 {
		t.Errorf("demo/5: %+v, %v", s, err)
	}
	for _, word := range []string{"demo", "demo/2", "other/1", ""} {
		if _, _, err := lab.Host(word); err == nil || !strings.Contains(err.Error(), "demo/1, demo/5") {
			t.Errorf("%q: got %v, want an error that names the hosts", word, err)
		}
	}
	if s, err := lab.HostByAddress("10.0.0.1", 5); err != nil || s.ID != 5 {
		t.Errorf("by address: %+v, %v", s, err)
	}
	if _, err := lab.HostByAddress("10.0.0.2", 5); err == nil {
		t.Error("an unknown address should be refused")
	}
}
