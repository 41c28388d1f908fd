package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// warnings prints what the API server warns of, each text once, as kubectl
// does. That v1 Endpoints is deprecated is left out: every look reads them on
// purpose, to find what controllers left behind.
type warnings struct {
	out  io.Writer
	mu   sync.Mutex
	said map[string]bool
}

// HandleWarningHeader implements rest.WarningHandler.
func (w *warnings) HandleWarningHeader(code int, _ string, text string) {
	if code != 299 || text == "" || strings.HasPrefix(text, "v1 Endpoints is deprecated") {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.said[text] {
		return
	}
	if w.said == nil {
		w.said = map[string]bool{}
	}
	w.said[text] = true
	fmt.Fprintf(w.out, "Warning: %s\n", quote.Line(text))
}
