package cli

import (
	"bufio"
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
func (d *deps) confirm(question string) error {
	in := d.terminal()
	if in == nil {
		return usagef("a server would be stopped: confirm with --yes where there is no terminal")
	}
	fmt.Fprint(d.streams.ErrOut, question)
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if !strings.HasPrefix(strings.ToLower(strings.TrimSpace(answer)), "y") {
		return &refusedError{reason: "not confirmed"}
	}
	return nil
}
