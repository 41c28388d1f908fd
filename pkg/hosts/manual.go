package hosts

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/engine"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// Manual prints what the operator must do. Stopping and starting are seen by
// themselves afterwards; masking cannot be seen, so it is asked for.
type Manual struct {
	Out io.Writer
	// In is asked for confirmations; nil when there is no terminal.
	In io.Reader
	// Fenced lists confirmations given on the command line.
	Fenced bool
	// Commands renders the shell commands for an action, one per line.
	Commands func(engine.HostAction, migration.ServerRecord) []string
	// Copy renders the command that sends the host's data with the token, and
	// what must be known to run it.
	Copy func(s migration.ServerRecord, token string) (lines, notes []string)

	told map[string]bool
}

// Asked is who has done what nobody sees: it was asked for, and is taken for done.
const Asked = "asked of the operator"

// ConfirmationError is returned when an action cannot be seen and nobody can be
// asked.
type ConfirmationError struct {
	Action engine.HostAction
	Host   string
	Flag   string
}

// Error says what is waited for and how to confirm it.
func (e *ConfirmationError) Error() string {
	return fmt.Sprintf("%s on host %s cannot be seen from here and must be confirmed: do it, then run the command again with %s", e.Action, e.Host, e.Flag)
}

// Permanent: looking again will not mend it.
func (e *ConfirmationError) Permanent() bool { return true }

// Do prints the commands once per action and host.
func (m *Manual) Do(ctx context.Context, action engine.HostAction, s migration.ServerRecord) (bool, string, error) {
	key := string(action) + s.ID.String()
	if m.told == nil {
		m.told = map[string]bool{}
	}
	first := !m.told[key]
	m.told[key] = true
	if first && !(action == engine.HostMask && m.Fenced) {
		fmt.Fprintf(m.Out, "\n  On host %s (server %d), %s:\n", s.HostIP, s.ID, describe(action))
		for _, c := range m.Commands(action, s) {
			fmt.Fprintf(m.Out, "    %s\n", c)
		}
		fmt.Fprintln(m.Out)
	}
	if action == engine.HostStop || action == engine.HostStart {
		// What happens on the host is seen by itself.
		return false, "", nil
	}
	if action == engine.HostUnmask {
		// That it can start is seen by its start.
		return true, Asked, nil
	}
	if action == engine.HostMask && m.Fenced {
		return true, "confirmed with --fenced", nil
	}
	if m.In == nil {
		return false, "", &ConfirmationError{Action: action, Host: s.HostIP, Flag: flagFor(action)}
	}
	answer, err := m.ask(ctx, fmt.Sprintf("  Done on host %s? [y/N] ", s.HostIP))
	if err != nil {
		return false, "", err
	}
	if strings.HasPrefix(strings.ToLower(strings.TrimSpace(answer)), "y") {
		return true, "confirmed at the terminal", nil
	}
	return false, "", &ConfirmationError{Action: action, Host: s.HostIP, Flag: flagFor(action)}
}

// ask reads one line, and gives up when the context ends.
func (m *Manual) ask(ctx context.Context, question string) (string, error) {
	fmt.Fprint(m.Out, question)
	type reply struct {
		line string
		err  error
	}
	ch := make(chan reply, 1)
	go func() {
		line, err := bufio.NewReader(m.In).ReadString('\n')
		if err == io.EOF {
			err = nil
		}
		ch <- reply{line, err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case r := <-ch:
		return r.line, r.err
	}
}

func describe(a engine.HostAction) string {
	switch a {
	case engine.HostStop:
		return "stop the server now"
	case engine.HostStart:
		return "start the server"
	case engine.HostMask:
		return "make sure that nothing can start the server again"
	case engine.HostUnmask:
		return "let the server be started again"
	case engine.HostApplyPatch:
		return "apply the patch to zoo.cfg"
	case engine.HostUndoPatch:
		return "undo the patch to zoo.cfg"
	default:
		return string(a)
	}
}

func flagFor(a engine.HostAction) string {
	if a == engine.HostMask {
		return "--fenced"
	}
	return "--confirmed"
}
