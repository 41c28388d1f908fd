package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// terminal returns the input where a person sits at it, nil otherwise.
func (d *deps) terminal() io.Reader {
	f, ok := d.streams.In.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return f
}

// confirm asks before a server is stopped by a program. Where nobody can be
// asked, --yes must have been given.
func (d *deps) confirm(ctx context.Context, question string) error {
	in := d.terminal()
	if in == nil {
		return usagef("a server would be stopped: confirm with --yes where there is no terminal")
	}
	fmt.Fprint(d.streams.ErrOut, question)
	answer, err := readLine(ctx, in)
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if !strings.HasPrefix(strings.ToLower(strings.TrimSpace(answer)), "y") {
		return &refusedError{reason: "not confirmed"}
	}
	return nil
}

// readLine reads one line and gives up when ctx ends: a Ctrl-C at a question is
// an answer, too.
func readLine(ctx context.Context, in io.Reader) (string, error) {
	type reply struct {
		line string
		err  error
	}
	ch := make(chan reply, 1)
	go func() {
		line, err := bufio.NewReader(in).ReadString('\n')
		ch <- reply{line, err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case r := <-ch:
		if errors.Is(r.err, io.EOF) {
			r.err = nil
		}
		return r.line, r.err
	}
}
