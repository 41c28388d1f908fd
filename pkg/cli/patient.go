package cli

import (
	"fmt"
	"io"
	"time"
)

// silence is how long a copy's line may bring nothing.
const silence = 2 * time.Minute

// silentError: nothing came any more.
type silentError struct{ limit time.Duration }

func (e *silentError) Error() string {
	return fmt.Sprintf("the copy ended: nothing came on standard input for %s", e.limit)
}

// patient reads from what may block for ever, and gives up after a while; a
// read that still hangs is left behind with the process.
type patient struct {
	r     io.Reader
	limit time.Duration
	// buf is read into beside the caller's, which is gone when a read comes late.
	buf  [64 << 10]byte
	done chan int
	err  error
}

// Read implements io.Reader.
func (p *patient) Read(b []byte) (int, error) {
	if p.err != nil {
		return 0, p.err
	}
	if p.done == nil {
		p.done = make(chan int, 1)
	}
	var failed error
	go func() {
		var n int
		n, failed = p.r.Read(p.buf[:min(len(b), len(p.buf))])
		p.done <- n
	}()
	t := time.NewTimer(p.limit)
	defer t.Stop()
	select {
	case n := <-p.done:
		return copy(b, p.buf[:n]), failed
	case <-t.C:
		p.err = &silentError{p.limit}
		return 0, p.err
	}
}
