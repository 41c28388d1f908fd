package hosts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/engine"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// maxReport is how much of a hook's answer is kept, in bytes: a report has 512 paths
// at most, each of some hundred bytes.
const maxReport = 1 << 20

// Report runs the operator's program with the action report: it runs the script that
// it gets on its standard input on the server's host, and prints what the script
// prints, one line of JSON, and nothing else. The program changes nothing, so that it
// may run while another command works on the ensemble. What it has printed is
// somebody's text: hostreport.Parse reads it.
func (h Hook) Report(ctx context.Context, s migration.ServerRecord, script []byte) ([]byte, error) {
	fail := func(err error, output string) error {
		return &HookError{Program: h.Program, Action: engine.HostReport, Host: s.HostIP, Output: output, Err: err}
	}
	limit := h.Timeout
	if limit == 0 {
		limit = DefaultHookTimeout
	}
	// It changes nothing, whenever it runs.
	h.NotAfter = nil
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd, err := h.command(ctx, engine.HostReport, s)
	if err != nil {
		return nil, fail(err, "")
	}
	out, complaints := beginning{limit: maxReport}, quote.Tail{Limit: hookEnding}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(script), &out, &complaints
	err = cmd.Run()
	switch {
	case err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, fail(fmt.Errorf("no end within %s", limit), quote.LastLine(complaints.String()))
	case err != nil && !errors.Is(err, exec.ErrWaitDelay): // as in Do
		return nil, fail(err, quote.LastLine(complaints.String()))
	case out.over:
		return nil, fail(fmt.Errorf("it printed more than %d bytes", maxReport), "")
	case out.buf.Len() == 0:
		return nil, fail(errors.New("it printed nothing: it must print what the script prints"), quote.LastLine(complaints.String()))
	}
	return out.buf.Bytes(), nil
}

// beginning keeps the beginning of what is written to it, and notes when that was
// not all.
type beginning struct {
	buf   bytes.Buffer
	limit int
	over  bool
}

func (b *beginning) Write(p []byte) (int, error) {
	if room := b.limit - b.buf.Len(); len(p) > room {
		b.over = true
		b.buf.Write(p[:room])
		return len(p), nil
	}
	return b.buf.Write(p)
}
