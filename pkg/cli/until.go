package cli

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// until asks, with a pause after each time, until it is so, or asking fails, or the
// context ends. The error is that of asking, or else the context's.
func until(ctx context.Context, pause time.Duration, ask func(context.Context) (bool, error)) error {
	var failed error
	err := wait.Backoff{Duration: pause}.DelayFunc().Until(ctx, true, true, func(ctx context.Context) (is bool, _ error) {
		is, failed = ask(ctx)
		return is, failed
	})
	if failed != nil {
		return failed
	}
	return err
}
