package preflight

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostreport"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/manager"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

const programs = "ZK031"

// managerCheck looks for programs that would undo a patch, or start a server that was stopped:
// by the heads of the hosts' files, and by what hosts report of theirs.
func managerCheck() Check {
	const hint = "hold each until the end, and give it the new lines: docs/managers.md has the commands for each"
	return Check{ID: programs, Title: "no configuration manager or entrypoint undoes the patches", Severity: Warning, Codes: manager.Codes(),
		Hint: hint,
		HintFor: func(f Facts) string {
			var lines []string
			for _, code := range f.managers() {
				m, _ := manager.Find(code)
				lines = append(lines, m.HoldLine())
			}
			return strings.Join(append(lines, hint), ". ")
		},
		Eval: func(f Facts) (wrong []string, _ string) {
			for id, signs := range f.HostManagers() {
				s := f.server(id)
				for _, sign := range signs {
					m, _ := manager.Find(sign.Code)
					text := fmt.Sprintf("host %s: %s: %s has a hand in it", s.HostIP, sign.File, m.Name)
					if sign.Text != "" {
						text += ": " + sign.Text
					}
					wrong = append(wrong, text)
				}
			}
			return wrong, ""
		}}
}

// managers are the codes of those that were found, in the order of the table.
func (f Facts) managers() (out []string) {
	found := map[string]bool{}
	for _, l := range f.Lint {
		found[l.Code] = true
	}
	for _, signs := range f.HostManagers() {
		for _, s := range signs {
			found[s.Code] = true
		}
	}
	for _, code := range manager.Codes() {
		if found[code] {
			out = append(out, code)
		}
	}
	return out
}

// HostManagers are the programs that hosts' own reports tell of, one sign for each.
func (f Facts) HostManagers() map[ensemble.ID][]manager.Sign {
	out := map[ensemble.ID][]manager.Sign{}
	for _, l := range f.looks() {
		if l.from.Place == OnHost && l.tellsOfServers() {
			s := f.server(l.from.Server.ID)
			if signs := managersOf(s, l.report.Report); len(signs) > 0 {
				out[s.ID] = signs
			}
		}
	}
	return out
}

func managersOf(s migration.ServerRecord, r hostreport.Report) (out []manager.Sign) {
	add := func(signs []manager.Sign) {
		for _, sign := range signs {
			if !slices.ContainsFunc(out, func(o manager.Sign) bool { return o.Code == sign.Code }) {
				out = append(out, sign)
			}
		}
	}
	own, _, _ := processes(s, r)
	if own == nil {
		return nil
	}
	if own.File != nil {
		add(manager.InComments(own.Config, own.File.Comments))
		add(manager.InPath(own.File.Target))
	}
	add(manager.InPath(own.Config))
	add(manager.InPath(own.Unit))
	for _, u := range r.Units {
		for _, file := range u.Files {
			add(manager.InComments(file.Path, file.Comments))
			add(manager.InPath(file.Path))
		}
	}
	return out
}
