package cli

import (
	"context"
	"errors"
	"testing"
)

// TestAPodThatIsGone: where a pod cannot run a program any more, another one is looked for;
// this machine is never gone, and a command whose time is over judges nothing.
func TestAPodThatIsGone(t *testing.T) {
	t.Parallel()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		open func(context.Context) error
		want bool
	}{
		"this machine": {t.Context(), nil, false},
		"it runs":      {t.Context(), func(context.Context) error { return nil }, false},
		"it is gone":   {t.Context(), func(context.Context) error { return errors.New("not found") }, true},
		"no time":      {over, func(ctx context.Context) error { return ctx.Err() }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := (place{open: c.open}).gone(c.ctx); got != c.want {
				t.Errorf("gone: %t, want %t", got, c.want)
			}
		})
	}
}
