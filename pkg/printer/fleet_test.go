package printer

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/fleet"
)

// TestFleetDocuments: plan, status and report say the same in every form; in HTML, what others
// have written is text, and every element is closed.
func TestFleetDocuments(t *testing.T) {
	const forged = "<script src=\"//x\">[x](javascript:1)\n# forged"
	plan := fleet.Preview{Name: "wave", Ensembles: []fleet.PreviewTarget{{ID: "zk/" + forged, Why: forged, Next: forged}}, Recorded: []string{forged}}
	run := fleet.Overview{
		Name: "wave", Waits: []fleet.Wait{{Text: forged}}, Approvals: []fleet.ApprovalOne{{Name: "ok", Given: &fleet.Mark{At: time.Unix(1, 0), By: forged}}},
		Ensembles: []fleet.TargetView{{ID: "zk/a", Result: fleet.Result{Phase: fleet.Red, Reason: forged, Evidence: []string{forged}, Next: forged}}},
		Audit:     []fleet.Entry{{By: forged, What: "approve"}},
	}
	for name, print := range map[string]func(Printer, io.Writer) error{
		"plan":   func(p Printer, w io.Writer) error { return p.FleetPlan(w, plan) },
		"status": func(p Printer, w io.Writer) error { return p.FleetStatus(w, run) },
		"report": func(p Printer, w io.Writer) error { return p.FleetReport(w, run) },
	} {
		for _, format := range []Format{Table, Markdown, HTML} {
			var out strings.Builder
			if err := print(Printer{Format: format}, &out); err != nil {
				t.Fatal(err)
			}
			page := out.String()
			if format != HTML {
				if format == Markdown && (strings.Contains(page, "<script") || strings.Contains(page, "[x](") || strings.Contains(page, "\n# forged")) {
					t.Errorf("%s as %q:\n%s", name, format, page)
				}
				if strings.Contains(page, "<table>") || !strings.Contains(page, "wave") {
					t.Errorf("%s as %q:\n%s", name, format, page)
				}
				continue
			}
			if strings.Contains(page, "<script") || strings.Count(page, "<h1>") != 1 || !strings.Contains(page, "&lt;script") {
				t.Errorf("%s:\n%s", name, page)
			}
			d := xml.NewDecoder(strings.NewReader(strings.Replace(page, "<!doctype html>", "", 1)))
			d.Strict = true
			for {
				_, err := d.Token()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatalf("%s: %v\n%s", name, err, page)
				}
			}
		}
	}
}
