package migration_test

import (
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

func TestValidate(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*migration.Record)
		says   string
	}{
		"as written":          {func(*migration.Record) {}, ""},
		"no servers":          {func(r *migration.Record) { r.Servers = nil }, "no servers"},
		"an id beyond a byte": {func(r *migration.Record) { r.Servers[0].ID = 300 }, ""},
		"id 0":                {func(r *migration.Record) { r.Servers[0].ID = 0 }, ""},
		"an id below 0":       {func(r *migration.Record) { r.Servers[0].ID = -1 }, "-1"},
		"an id too large":     {func(r *migration.Record) { r.Servers[0].ID = ensemble.MaxID + 1 }, "4294967296"},
		"an id twice":         {func(r *migration.Record) { r.Servers[0].ID = 2 }, "twice"},
		"no role":             {func(r *migration.Record) { r.Servers[0].Role = "" }, "role"},
		"nobody votes": {func(r *migration.Record) {
			for i := range r.Servers {
				r.Servers[i].Weight = 0
			}
		}, "vote"},
		"a negative weight":    {func(r *migration.Record) { r.Servers[0].Weight = -1 }, "weight"},
		"a host without place": {func(r *migration.Record) { r.Servers[0].HostIP = "" }, "hostIP"},
		"no client port":       {func(r *migration.Record) { r.Servers[0].ClientPort = 0 }, "port is missing"},
		"a negative limit":     {func(r *migration.Record) { r.Settings.SyncLimit = -5 }, "settings.syncLimit"},
		"an operation on nobody": {func(r *migration.Record) {
			r.Flight = &migration.Flight{Kind: migration.Replace, ID: 9}
		}, "server 9"},
		"pods without a gate, and a server on its host": {func(r *migration.Record) { r.Pods.Plain = true }, "not in its pod"},
		"an operation of a later release":               {func(r *migration.Record) { r.Flight = &migration.Flight{Kind: "merge", ID: 1} }, `"merge"`},
		"data of a later release": {func(r *migration.Record) {
			r.Flight = &migration.Flight{Kind: migration.Replace, ID: 1, Starting: migration.Starting{Data: "delta"}}
		}, `"delta"`},
		"an operation": {func(r *migration.Record) { r.Flight = &migration.Flight{Kind: migration.Revert, ID: ensemble.ID(1)} }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			rec := healthy("3.4.13", 1, 2, 3).o.Record
			c.change(&rec)
			err := rec.Validate()
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
}
