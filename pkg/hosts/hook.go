// Package hosts carries out, or asks for, what must happen on the servers'
// hosts. The tool never logs in to a host: an operator's own program does it
// (Hook), or the operator (Manual).
package hosts

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/engine"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// DefaultHookTimeout bounds one call of a hook.
const DefaultHookTimeout = 2 * time.Minute

// Hook runs the operator's program for each action. The contract: it is called
// with the arguments that were named with it (divided as a shell does, quote.Split) and with the
// environment
//
//	ZKMIGRATE_ACTION     stop | start | mask | unmask | apply-patch | undo-patch | copy-data | report
//	ZKMIGRATE_ENSEMBLE   the ensemble's name
//	ZKMIGRATE_NAMESPACE  its namespace
//	ZKMIGRATE_ID         the server's id
//	ZKMIGRATE_HOST       the host's address
//	ZKMIGRATE_FILES      a directory with the patches (*.patch) of the host's
//	                     files and those that take them back (*.undo.patch), set
//	                     for apply-patch and undo-patch
//	ZKMIGRATE_NOT_AFTER  seconds since 1970 by this machine's clock: until then
//	                     no other command works on the ensemble, whatever happens
//	                     to this one; a call that comes later must do nothing
//
// besides the caller's own; CopyData has more, and Report is less. Exit code 0 says that the action is complete: stop
// returns when the process is gone. Every action must be idempotent. Anything
// else stops the run; the state is saved.
type Hook struct {
	Program   string
	Ensemble  string
	Namespace string
	// FilesDir returns the directory with a server's patches.
	FilesDir func(s migration.ServerRecord) string
	// NotAfter is when the lock's time is over; nil where there is none.
	NotAfter func() time.Time
	Timeout  time.Duration
}

// HookError says which call of a hook failed.
type HookError struct {
	Program string
	Action  engine.HostAction
	Host    string
	Output  string
	Err     error
}

// Error prints the program, the action, the host and the program's own words.
func (e *HookError) Error() string {
	msg := fmt.Sprintf("host hook %s: %s on host %s: %v", quote.Line(e.Program), e.Action, e.Host, e.Err)
	if e.Output != "" {
		msg += ": " + e.Output
	}
	return msg
}

// Unwrap returns the cause.
func (e *HookError) Unwrap() error { return e.Err }

// Permanent: a hook that fails is not called again by itself.
func (e *HookError) Permanent() bool { return true }

// Do runs the program once.
func (h Hook) Do(ctx context.Context, action engine.HostAction, s migration.ServerRecord) (bool, string, error) {
	limit := h.Timeout
	if limit == 0 {
		limit = DefaultHookTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd, err := h.command(ctx, action, s)
	if err != nil {
		return false, "", &HookError{Program: h.Program, Action: action, Host: s.HostIP, Err: err}
	}
	if h.FilesDir != nil && (action == engine.HostApplyPatch || action == engine.HostUndoPatch) {
		cmd.Env = append(cmd.Env, "ZKMIGRATE_FILES="+h.FilesDir(s))
	}
	// A program may print without end.
	out := quote.Tail{Limit: hookEnding}
	cmd.Stdout, cmd.Stderr = &out, &out
	// A program that has ended well may have left a child with its output behind.
	if err := cmd.Run(); err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		if ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			err = fmt.Errorf("no end within %s", limit)
		}
		return false, "", &HookError{Program: h.Program, Action: action, Host: s.HostIP, Output: quote.LastLine(out.String()), Err: err}
	}
	return true, "host hook " + quote.Line(h.Program), nil
}
