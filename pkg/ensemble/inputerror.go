package ensemble

import (
	"fmt"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// InputError says what is wrong in a file the operator gave us, where, and
// what would have been right. Callers map it to a usage error.
type InputError struct {
	// File is the name the caller gave the input.
	File string
	// Line is the number of the (first physical) line, from 1; 0 means the
	// file as a whole.
	Line int
	// Problem is what is wrong, lower case, without a period.
	Problem string
	// Text is the offending line as it stands in the file.
	Text string
	// Want is what was expected in its place.
	Want string
}

// Error prints file:line: problem, the line, what was expected.
func (e *InputError) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(quote.Line(e.File))
		b.WriteByte(':')
	}
	if e.Line > 0 {
		fmt.Fprintf(&b, "%d:", e.Line)
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	b.WriteString(quote.Line(e.Problem))
	if e.Text != "" {
		b.WriteString(": " + quote.Text(e.Text))
	}
	if e.Want != "" {
		b.WriteString(" (expected ")
		b.WriteString(e.Want)
		b.WriteByte(')')
	}
	return b.String()
}
