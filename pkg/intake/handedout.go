package intake

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostpatch"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// HandedOut is what reconfigure has written for whoever patches the hosts.
type HandedOut struct {
	At time.Time
	By string
	// Epoch is the leader's at that time, 0 when unknown.
	Epoch uint32
	// Options is how hosts are run, Hosts the files as they are, Plan as they are
	// to be.
	Options migration.HostOptions
	Hosts   []hostpatch.Host
	Plan    hostpatch.Plan
}

// Keep writes into the record what later commands need: when each patch was
// handed out and in which epoch, how hosts are run, and the pods' files, made
// from the patched ones so that pods run with the same settings. What was made for
// those is returned.
func (h HandedOut) Keep(rec *migration.Record) (out Derived, err error) {
	rec.Hosts = h.Options
	if rec.Elections.AtReconfigure == 0 {
		rec.Elections.AtReconfigure = h.Epoch
	}
	for i := range rec.Servers {
		h.keepServer(&rec.Servers[i])
	}
	if !rec.Begun() {
		var hosts []ensemble.HostConfig
		for _, patched := range h.Plan.Hosts {
			config, err := patchedConfig(patched)
			if err != nil {
				return out, err
			}
			hosts = append(hosts, ensemble.HostConfig{ID: patched.ID.Known(), Source: patched.Path, Config: config})
		}
		if out, err = setPodConfig(rec, hosts); err != nil {
			return out, err
		}
		rec.Settings.InitLimit = hosts[0].Config.InitLimit
	}
	rec.Note(migration.AuditEntry{At: h.At, By: h.By, Step: "reconfigure", Detail: "patches written"})
	return out, nil
}

// keepServer keeps where one server has its data, and when its patch was handed
// out: the same patch once more is nothing new.
func (h HandedOut) keepServer(sr *migration.ServerRecord) {
	for _, in := range h.Hosts {
		if in.ID == sr.ID {
			keepDirectories(sr, in.Config)
		}
	}
	patch, ok := h.Plan.Host(sr.ID)
	if !ok {
		return
	}
	if sum := digest(patch); sr.Emitted == nil || sr.Emitted.Digest != sum {
		sr.Emitted = &migration.Emission{At: h.At, Epoch: h.Epoch, Digest: sum}
	}
}

func patchedConfig(h hostpatch.HostPatch) (*ensemble.Config, error) {
	var dynamic []byte
	if h.Dynamic != nil {
		dynamic = h.Dynamic.New
	}
	return ensemble.ParseConfig(h.Path, h.New, dynamic)
}

// digest is that of a host's files as patched.
func digest(h hostpatch.HostPatch) string {
	sum := sha256.New()
	for _, file := range h.Files() {
		fmt.Fprintf(sum, "%s %d\n", file.Path, len(file.New))
		_, _ = sum.Write(file.New) // a hash takes everything
	}
	return hex.EncodeToString(sum.Sum(nil))
}
