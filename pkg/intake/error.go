// Package intake turns what an operator gave, files and flags, into the
// migration's record. It reads no file and asks nobody: contents, addresses and
// what running servers said come in as values, or through a small function.
package intake

import "fmt"

// Error says why nothing can be made of what was given.
type Error struct {
	// Usage: the files or flags are wrong in themselves. Otherwise they contradict
	// what is recorded, and Next says what to do about it.
	Usage  bool
	Reason string
	Next   string
	// Err is the cause; nil where there is none.
	Err error
}

func (e *Error) Error() string { return e.Reason }
func (e *Error) Unwrap() error { return e.Err }

func usage(err error) error { return &Error{Usage: true, Reason: err.Error(), Err: err} }

func usagef(format string, a ...any) error { return usage(fmt.Errorf(format, a...)) }

func refused(reason, next string) error { return &Error{Reason: reason, Next: next} }
