//go:build e2e

package e2e

import (
	"os"
	"regexp"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

var (
	sections = regexp.MustCompile(`(?m)^##+ (.+)$`)
	scripts  = regexp.MustCompile("(?ms)^ *```sh\n(.*?)^ *```$")
)

// page returns the shell blocks below a heading of docs/finalize.md, with the ensemble's name in
// place of zk1: what the page says is what the test runs.
func page(s *scene.Scene, heading string) []string {
	s.T.Helper()
	text, err := os.ReadFile("../../docs/finalize.md")
	if err != nil {
		s.T.Fatal(err)
	}
	heads := sections.FindAllSubmatchIndex(text, -1)
	for i, h := range heads {
		if string(text[h[2]:h[3]]) != heading {
			continue
		}
		end := len(text)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		var out []string
		for _, block := range scripts.FindAllSubmatch(text[h[1]:end], -1) {
			out = append(out, strings.ReplaceAll(string(block[1]), "zk1", s.Name))
		}
		if len(out) == 0 {
			s.T.Fatalf("docs/finalize.md: nothing to run below %q", heading)
		}
		return out
	}
	s.T.Fatalf("docs/finalize.md: no heading %q", heading)
	return nil
}

// shell runs a script with all rights in the ensemble's namespace, as an administrator does.
func shell(s *scene.Scene, script string) string {
	s.T.Helper()
	admin := *s.Lab
	admin.Kubeconfig = ""
	own := `set -euo pipefail; kubectl() { command kubectl -n "` + s.Name + `" "$@"; }` + "\n"
	return s.Must(admin.OnClient(s.T.Context(), "bash", "-c", own+script)).Stdout
}
