package quote

import (
	"io"
	"sync"
	"unicode/utf8"
)

// Writer makes everything that passes Visible. What we print needs no control
// character but newline and tab, so that there is no list of exceptions.
type Writer struct {
	mu   sync.Mutex
	w    io.Writer
	held []byte
}

// NewWriter returns a Writer in front of w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Write writes p. The beginning of a character at its end is held until the rest
// comes.
func (v *Writer) Write(p []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := append(v.held, p...)
	whole := len(all) - unfinished(all)
	v.held = append([]byte(nil), all[whole:]...)
	if err := v.write(all[:whole]); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush writes what is held: the text ended in the middle of a character.
func (v *Writer) Flush() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	rest := v.held
	v.held = nil
	return v.write(rest)
}

func (v *Writer) write(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	_, err := io.WriteString(v.w, Visible(string(p)))
	return err
}

// unfinished is the length of a character at the end that is not complete.
func unfinished(p []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		if tail := p[len(p)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}
