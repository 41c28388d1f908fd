//go:build unix

package cli

import (
	"errors"
	"syscall"
)

// processGone reports whether there is no process with that id.
func processGone(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
