package cli

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestWrapMeetsAnother: while wrap checked and waited for the lock, another command
// has gone on; its journal is not written over by the one that wrap has read.
func TestWrapMeetsAnother(t *testing.T) {
	at := time.Now()
	for name, c := range map[string]struct {
		change         func(*migration.Record)
		known, restore bool
		refused        bool
	}{
		"nobody":                       {known: true},
		"a server was replaced":        {change: func(r *migration.Record) { r.Servers[0].Replaced = &at }, known: true, refused: true},
		"a replacement has begun":      {change: func(r *migration.Record) { r.Flight = &migration.Flight{Kind: migration.Replace, ID: 1} }, known: true, refused: true},
		"somebody wrapped it first":    {refused: true},
		"somebody put the copy back":   {known: true, restore: true, refused: true},
		"the settings were changed":    {change: func(r *migration.Record) { r.Pods.Memory = "2Gi" }, known: true, refused: true},
		"one server fewer is recorded": {change: func(r *migration.Record) { r.Servers = r.Servers[:2] }, known: true, refused: true},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			s := wrapped(t, "3.4.13")
			full, err := s.record(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			full.Servers[0].Emitted, full.Servers[1].Reconfigured = &migration.Emission{At: at, Epoch: 1, Digest: "9f86d081"}, &migration.Confirmation{At: at, How: "verified"}
			if err := s.journal.Save(t.Context(), full); err != nil {
				t.Fatal(err)
			}
			recorded, err := s.record(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			other := journal.New(s.kube.client, s.kube.namespace, s.name)
			now, err := other.Load(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if c.change != nil {
				c.change(&now)
				if err := other.Save(t.Context(), now); err != nil {
					t.Fatal(err)
				}
			}
			var out bytes.Buffer
			o := &WrapOptions{deps: &deps{streams: genericiooptions.IOStreams{Out: &out, ErrOut: &out}}, restore: c.restore}
			if !c.refused {
				if err := o.unchanged(t.Context(), s, recorded, c.known); err != nil {
					t.Error(err)
				}
				return
			}
			err = o.applyTo(t.Context(), s, recorded, recorded, intake.Description{}, c.known)
			var refused *refusedError
			if !errors.As(err, &refused) {
				t.Fatalf("it ends with %v\n%s", err, out.String())
			}
			if after, err := other.Load(t.Context()); err != nil || after.Pods.Memory != now.Pods.Memory || after.Flight == nil != (now.Flight == nil) || len(after.Servers) != len(now.Servers) || after.Servers[0].Replaced == nil != (now.Servers[0].Replaced == nil) {
				t.Errorf("written over: %+v, %v", after, err)
			}
		})
	}
}
