package cli

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// TestInterrupted: only a command that keeps its state says that it is saved.
func TestInterrupted(t *testing.T) {
	for name, tc := range map[string]struct {
		err   error
		saved bool
	}{
		"looking": {err: context.Canceled},
		"working": {err: &workingError{context.Canceled}, saved: true},
		"deep":    {err: errors.Join(&workingError{context.Canceled}), saved: true},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			if code := report(&out, tc.err); code != exitInterrupted {
				t.Errorf("exit code %d", code)
			}
			if got := strings.Contains(out.String(), "saved"); got != tc.saved {
				t.Errorf("says that the state is saved: %t\n%s", got, out.String())
			}
		})
	}
}
