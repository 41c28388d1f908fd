package cli

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestSettingsThatReachNoPod: flags of replace that can change nothing any more are
// refused. A command that went well would be taken for one that has applied them.
func TestSettingsThatReachNoPod(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	moved := func(n int) func(*migration.Record) {
		return func(r *migration.Record) {
			for i := range r.Servers[:n] {
				r.Servers[i].Replaced = &at
			}
		}
	}
	flying := func(kind migration.FlightKind) func(*migration.Record) {
		return func(r *migration.Record) { r.Flight = &migration.Flight{Kind: kind, ID: 2, Started: at} }
	}
	const back = "kubectl zkmigrate revert demo --id=%d -n zk, then replace it with the new settings"
	for name, c := range map[string]struct {
		set       func(*migration.Record)
		args      []string
		why, next string
	}{
		"the server runs in its pod": {moved(1), []string{"--id=1", "--memory=600Mi"},
			"server 1 runs in its pod already, and replace does not restart a pod that serves", "kubectl zkmigrate apply demo --id=1 --memory=600Mi -n zk"},
		"its replacement has begun": {flying(migration.Replace), []string{"--id=2", "--memory=600Mi"},
			"the replace of server 2 has begun with the settings that are recorded", strings.Replace(back, "%d", "2", 1)},
		"another one is on its way back": {flying(migration.Revert), []string{"--id=1", "--memory=600Mi"},
			"the revert of server 2 has begun with the settings that are recorded", strings.Replace(back, "%d", "2", 1)},
		"all servers run in their pods": {moved(3), []string{"--all", "--memory=600Mi"},
			"all servers run in their pods already, and replace does not restart pods that serve", "kubectl zkmigrate apply demo --memory=600Mi -n zk"},
		"another server runs in its pod":    {moved(1), []string{"--id=2", "--memory=600Mi"}, "", ""},
		"the flag says what is recorded":    {moved(1), []string{"--id=1", "--memory=2Gi"}, "", ""},
		"no flag, and others than recorded": {moved(1), []string{"--id=1"}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := wrapped(t, "3.8.0")
			var out bytes.Buffer
			s.kube.warn = &out
			o := replacing(t, c.args...)
			rec, err := s.record(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if rec.Pods, err = replacing(t, "--id=1").pods.Over(rec.Pods, "3.8.0"); err != nil {
				t.Fatal(err)
			}
			c.set(&rec)
			if err := s.journal.Save(t.Context(), rec); err != nil {
				t.Fatal(err)
			}
			asked := false
			err = o.pods.store(t.Context(), s, o.id, func(migration.Record) error { asked = true; return nil })
			after, loadErr := s.record(t.Context())
			if loadErr != nil {
				t.Fatal(loadErr)
			}
			if c.why == "" {
				want := map[bool]string{true: "600Mi", false: "2Gi"}[o.pods.Values.Memory == "600Mi"]
				if err != nil || !asked || after.Pods.Memory != want {
					t.Errorf("%v; memory %s, want %s", err, after.Pods.Memory, want)
				}
				return
			}
			var refused *refusedError
			if !errors.As(err, &refused) || asked || after.Pods.Memory != "2Gi" || out.Len() > 0 {
				t.Fatalf("it ends with %v, asked %t, memory %s\n%s", err, asked, after.Pods.Memory, out.String())
			}
			if want := "nothing would change: " + c.why + ` (--memory from "2Gi" to "600Mi")`; refused.reason != want || refused.next != c.next {
				t.Errorf("it says %q, next %q; want %q, next %q", refused.reason, refused.next, want, c.next)
			}
		})
	}
}

// replacing parses a command line of replace.
func replacing(t *testing.T, args ...string) *MoveOptions {
	t.Helper()
	f, cmd := &moveFlags{deps: &deps{}, kind: migration.Replace}, &cobra.Command{}
	cmd.SetContext(t.Context())
	f.add(cmd, "spec.hosts.hook", "spec.pods")
	cmd.Flags().BoolVar(&f.all, "all", false, "")
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	if err := f.said.readTemplate(t.Context()); err != nil {
		t.Fatal(err)
	}
	o, err := f.toOptions(nil)
	if err != nil {
		t.Fatal(err)
	}
	return o
}
