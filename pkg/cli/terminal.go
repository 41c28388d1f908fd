package cli

import (
	"io"
	"os"

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
