package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostreport"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// hookThat is a program for --host-hook.
func hookThat(t *testing.T, does string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hook")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+does+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// told is a line that a host prints.
func told(digest, address string, at int64) string {
	return fmt.Sprintf(`{"kind":"HostReport","schema":1,"ensemble":"demo","asked":"%s","time":%d,"hostname":"h","addresses":["%s"],"names":[],"paths":[]}`, digest, at, address)
}

// TestAskHosts: the script goes to every host, and what comes back counts only as that host's answer
// to it; whoever does not answer is named, and the others count.
func TestAskHosts(t *testing.T) {
	s := wrapped(t, "3.8.0")
	rec, err := s.record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	q := questions(rec, nil)
	line := told(q.Digest(), `'"$ZKMIGRATE_HOST"'`, 1764400000)
	for name, c := range map[string]struct {
		hook  string
		count int
		says  string
	}{
		"all":               {`grep -q "batch try 2 service 192.0.2.2 3888" && echo '` + line + `'`, 3, ""},
		"one fails":         {`[ $ZKMIGRATE_ID = 2 ] && { echo no way in >&2; exit 1; }; echo '` + line + `'`, 2, "host 198.51.100.2 has not reported: host hook"},
		"another script":    {`echo '` + strings.Replace(line, q.Digest(), "0123456789abcdef", 1) + `'`, 0, "the answer to another script"},
		"another host":      {`echo '` + told(q.Digest(), "198.51.100.9", 1764400000) + `'`, 0, "ran the script on h, which does not have the address 198.51.100.1"},
		"two reports":       {`echo '` + line + "\n" + line + `'`, 0, "printed 2 reports (expected one)"},
		"cut short":         {`echo '` + line[:60] + `'`, 0, "the line is not a report, or only part of one"},
		"a host without ip": {`echo '` + strings.Replace(line, `["`+`'"$ZKMIGRATE_HOST"'`+`"]`, "null", 1) + `'`, 3, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			s.kube.warn = &out
			got, err := s.askHosts(t.Context(), hookThat(t, c.hook), rec, q)
			if err != nil || len(got) != c.count || !strings.Contains(out.String(), c.says) || c.says == "" && out.Len() > 0 {
				t.Errorf("%d reports (%v), want %d:\n%s", len(got), err, c.count, out.String())
			}
			for _, r := range got {
				if !strings.HasPrefix(r.Addresses[0], "198.51.100.") {
					t.Errorf("a report of %v", r.Addresses)
				}
			}
		})
	}
}

// TestKeptReports: what one command was told another one knows, the latest of each machine; what
// is garbled or refused is said and stops nobody.
func TestKeptReports(t *testing.T) {
	s := wrapped(t, "3.8.0")
	var out bytes.Buffer
	s.kube.warn = &out
	parse := func(lines ...string) []hostreport.Report {
		t.Helper()
		r, err := hostreport.Parse(strings.NewReader(strings.Join(lines, "\n")), "f")
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	const digest = "0123456789abcdef"
	s.keepReports(t.Context(), parse(told(digest, "10.0.0.1", 1764400000), told(digest, "10.0.0.2", 1764400000)))
	s.keepReports(t.Context(), parse(told(digest, "10.0.0.1", 1764400005)))
	got := s.keptReports(t.Context())
	if len(got) != 2 || got[0].Time != 1764400005 || out.Len() > 0 {
		t.Errorf("%+v: %s", got, out.String())
	}
	if ages := dated(got, time.Unix(1764400065, 0)); ages[0].Age != time.Minute {
		t.Errorf("its age is %s", ages[0].Age)
	}
	// Somebody else's line in it.
	if err := s.journal.KeepReports(t.Context(), func([]byte) ([]byte, error) { return []byte("oops\n"), nil }); err != nil {
		t.Fatal(err)
	}
	if got := s.keptReports(t.Context()); got != nil || !strings.Contains(out.String(), "earlier host reports are not known: host report kept, line 1: the line is not a report") {
		t.Errorf("%v: %s", got, out.String())
	}
	s.keepReports(t.Context(), parse(told(digest, "10.0.0.1", 1764400009)))
	if got := s.keptReports(t.Context()); len(got) != 1 {
		t.Errorf("%v", got)
	}
	s.kube.client.(*fake.Clientset).PrependReactor("*", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, "x", errors.New("no"))
	})
	out.Reset()
	s.keepReports(t.Context(), parse(told(digest, "10.0.0.1", 1764400009)))
	if !strings.Contains(out.String(), "later commands will not know these host reports: ") {
		t.Errorf("%s", out.String())
	}
}

// TestALostPathStopsReplace: what a host reported within the hour keeps a replacement from
// beginning, and neither a revert nor what is older.
func TestALostPathStopsReplace(t *testing.T) {
	s := wrapped(t, "3.8.0")
	s.kube.warn = &bytes.Buffer{}
	rec, err := s.record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	report := func(age time.Duration) {
		r := hostreport.Report{Kind: "HostReport", Schema: 1, Ensemble: "demo", Asked: "0123456789abcdef", Time: time.Now().Add(-age).Unix(), Hostname: "zk1", Addresses: []string{"198.51.100.1"}, Names: []hostreport.Name{}}
		for _, t := range questions(rec, nil).Paths {
			state := vantage.PortOpen
			if t.Via == vantage.ViaService && t.Server == 2 {
				state = vantage.PortSilent
			}
			r.Paths = append(r.Paths, hostreport.Path{Server: t.Server, Via: t.Via, Host: t.Host, Port: t.Port, Result: state})
		}
		s.keepReports(t.Context(), []hostreport.Report{r})
	}
	blocks := func(phase migration.PhaseName) string {
		var out []string
		for _, f := range preflight.Failed(preflight.BeforeStop(s.beforeStopFacts(t.Context(), rec, phase, nil, false))) {
			out = append(out, f.ID)
			if text := strings.Join(f.Detail, "\n"); !strings.Contains(text, "host 198.51.100.1 does not reach server 2 at its Service") {
				t.Errorf("%s", text)
			}
		}
		return strings.Join(out, " ")
	}
	report(2 * time.Hour)
	if got := blocks(migration.PlanReplace); got != "" {
		t.Errorf("an old report blocks: %s", got)
	}
	report(time.Minute)
	for phase, want := range map[migration.PhaseName]string{migration.PlanReplace: "NET001", migration.PlanReconfigure: "NET001", "": ""} {
		if got := blocks(phase); got != want {
			t.Errorf("before %q: %q, want %q", phase, got, want)
		}
	}
}
