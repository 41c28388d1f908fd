package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

const (
	// lookTimeout bounds a command that only looks, unless --timeout says otherwise.
	lookTimeout = 2 * time.Minute
	// backstop is how much longer than its time a command may take to end in
	// order; what then still hangs (a program, a pipe) is left behind.
	backstop = 10 * time.Second
)

// timeoutError: a command's time was over before it could tell more.
type timeoutError struct {
	limit time.Duration
	while string
	cause error
}

func (e *timeoutError) Error() string {
	text := fmt.Sprintf("timed out after %s (--timeout)", e.limit)
	if e.while != "" {
		text += " while waiting: " + e.while
	}
	return text
}

// lookFlag is the --timeout of a command that only looks.
func lookFlag(cmd *cobra.Command, limit *time.Duration) {
	*limit = lookTimeout
	cmd.Flags().DurationVar(limit, "timeout", lookTimeout, "How long the look may take")
}

func badTimeout(limit time.Duration) error {
	return usagef("--timeout=%s: expected a positive duration, as 30s or 5m", limit)
}

// within runs a command, from its first byte to its last, in the time it has.
func within(ctx context.Context, limit time.Duration, f func(context.Context) error) error {
	if limit <= 0 {
		return badTimeout(limit)
	}
	work, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	// One that does not end when its time is over is not waited for: it is as if
	// the command were killed, which every command may be at any moment.
	done := make(chan error, 1)
	go func() { done <- f(work) }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = orderly(done, context.Canceled)
	case <-work.Done():
		err = orderly(done, context.DeadlineExceeded)
	}
	if err == nil || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) || work.Err() == nil {
		return err
	}
	if told := (*pausedError)(nil); errors.As(err, &told) {
		return err
	}
	p := plain(err)
	e := &timeoutError{limit: limit, while: p.text, cause: err}
	if errors.Is(err, context.DeadlineExceeded) && err.Error() == context.DeadlineExceeded.Error() {
		e.while = ""
	}
	return e
}

// orderly gives a command the time to end by itself.
func orderly(done <-chan error, otherwise error) error {
	t := time.NewTimer(backstop)
	defer t.Stop()
	select {
	case err := <-done:
		return err
	case <-t.C:
		return otherwise
	}
}
