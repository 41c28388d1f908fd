package kubeconn_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/kubeconn"
)

// TestExplainWhatCameUnasked: net/http's own word for bytes that nobody asked for
// depends on a race, and one of its texts is a broken one.
func TestExplainWhatCameUnasked(t *testing.T) {
	var none error
	for name, c := range map[string]struct {
		err  error
		says string
	}{
		"bytes before the question": {fmt.Errorf("readLoopPeekFailLocked: %w", none), "does not speak HTTP"},
		"a read that failed":        {fmt.Errorf("readLoopPeekFailLocked: %w", errors.New("message too long")), "the request to the API server failed: message too long"},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			e, ok := kubeconn.Explain(fmt.Errorf("cannot read the journal: %w", &url.Error{Op: "Get", URL: "http://127.0.0.1:1/api", Err: c.err}), command.Via{})
			if !ok {
				t.Fatal("not explained")
			}
			if !strings.HasSuffix(e.What, c.says) || strings.Contains(e.What, "%!") || strings.Contains(e.What, "readLoop") {
				t.Errorf("says %q", e.What)
			}
		})
	}
}
