package intake

import (
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/strict"
)

// directories keeps where a host has its server's data, if its file was read.
// One file alone stands for all hosts, as it does for the patches.
func (d Description) directories(sr *migration.ServerRecord) {
	for _, h := range d.Hosts {
		if !h.ID.Is(sr.ID) && len(d.Hosts) > 1 {
			continue
		}
		keepDirectories(sr, h.Config)
	}
}

func keepDirectories(sr *migration.ServerRecord, c *ensemble.Config) {
	sr.DataDir, sr.DataLogDir = "", ""
	// One that names no single place for sure counts as unknown.
	if strict.Path(c.DataDir) != "" || strict.Path(c.DataLogDir) != "" {
		return
	}
	sr.DataDir = c.DataDir
	if c.DataLogDir != c.DataDir {
		sr.DataLogDir = c.DataLogDir
	}
}
