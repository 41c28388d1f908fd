package hostpatch

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/manager"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// managersSection says which programs write the hosts' files or start their servers, by what each
// was recognized, and how it is held.
func managersSection(in Input) string {
	signs := map[string][]string{}
	hosts := map[string][]ensemble.ID{}
	for _, h := range in.Hosts {
		if slices.Contains(in.InPods, h.ID) {
			continue
		}
		for _, s := range append(h.Config.Managers(), h.Managers...) {
			if !slices.Contains(hosts[s.Code], h.ID) {
				hosts[s.Code] = append(hosts[s.Code], h.ID)
			}
			if text := signText(s); !slices.Contains(signs[s.Code], text) {
				signs[s.Code] = append(signs[s.Code], text)
			}
		}
	}
	if len(hosts) == 0 {
		return ""
	}
	var b strings.Builder
	w := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	w("Hold these first, until the end of the migration: they would undo the patches, or start a server that was stopped")
	for _, code := range manager.Codes() {
		if len(hosts[code]) == 0 {
			continue
		}
		m, _ := manager.Find(code)
		w("  %s, on the hosts of %s (%s)", m.Name, ensemble.JoinIDs(hosts[code]), strings.Join(signs[code], "; "))
		w("    %s.", m.Does)
		for _, line := range m.Hold {
			w("    %s", line)
		}
		w("    The new lines go into %s. At the end:", m.Lasting)
		for _, line := range m.Release {
			w("    %s", line)
		}
	}
	w("")
	return b.String()
}

func signText(s manager.Sign) string {
	switch {
	case s.Line > 0:
		return fmt.Sprintf("%s:%d: %s", quote.Line(s.File), s.Line, quote.Line(s.Text))
	case s.Text != "":
		return quote.Line(s.File) + ": " + quote.Line(s.Text)
	}
	return quote.Line(s.File)
}
