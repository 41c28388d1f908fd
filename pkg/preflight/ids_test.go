package preflight

import (
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestIDs: ids that every release runs are a warning, and those that share a byte of their
// sessions' ids are named together.
func TestIDs(t *testing.T) {
	for name, c := range map[string]struct {
		ids           []ensemble.ID
		large, shared string
	}{
		"the documented ones": {[]ensemble.ID{1, 254, 255}, "", ""},
		"0":                   {[]ensemble.ID{0, 1, 2}, "server 0: its id is below 1", ""},
		"above 255":           {[]ensemble.ID{1, 300, 1023}, "server 1023: its sessions look like those of a server 255; server 300: its sessions look like those of a server 44", ""},
		"one byte for two":    {[]ensemble.ID{1, 2, 257}, "server 257: its sessions look like those of a server 1", "servers 1, 257: the low byte of their ids is 1"},
		"0 and its like":      {[]ensemble.ID{0, 256, 512}, "server 0: its id is below 1; server 256: its sessions look like those of a server 0; server 512: its sessions look like those of a server 0", "servers 0, 256, 512: the low byte of their ids is 0"},
	} {
		var f Facts
		for _, id := range c.ids {
			f.Servers = append(f.Servers, migration.ServerRecord{Server: ensemble.Server{ID: id}})
		}
		for id, want := range map[string]string{"ZK027": c.large, "ZK028": c.shared} {
			for _, check := range Checks() {
				if check.ID != id {
					continue
				}
				got := check.run(f, false)
				if strings.Join(got.Detail, "; ") != want || (got.Result == Warn) != (want != "") || got.Blocks {
					t.Errorf("%s: %s %s %v, want %q", name, id, got.Result, got.Detail, want)
				}
			}
		}
	}
}
