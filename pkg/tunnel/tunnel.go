package tunnel

import (
	"context"
	"net"
	"sync"
	"time"
)

// Tunnel opens connections from a pod. A stream that broke is made anew by the next
// dial.
type Tunnel struct {
	// begin runs the program; every stream ends with the tunnel's context.
	begin func() *stream

	mu sync.Mutex
	s  *stream
}

// New returns a tunnel through a pod; nothing is run before Open or the first dial. It is
// good until ctx ends or Close.
func New(ctx context.Context, pod string, run Run) *Tunnel {
	return &Tunnel{begin: func() *stream { return start(ctx, pod, run) }}
}

// Open runs the program and waits for its first line, so that the first question is not
// late for it.
func (t *Tunnel) Open(ctx context.Context) error {
	s := t.stream()
	select {
	case <-s.ready:
		return nil
	case <-s.ended:
		return s.why
	case <-ctx.Done():
		return ctx.Err()
	}
}

// DialContext opens a conversation with an address as the pod sees it. Errors are those
// of a dialer here: syscall.ECONNREFUSED where the pod was refused, and so on; a stream
// that breaks is a time-out, also in the middle of an answer, and never its end.
func (t *Tunnel) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	return t.stream().dial(ctx, address)
}

func (t *Tunnel) stream() *stream {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.s != nil {
		select {
		case <-t.s.ended:
		default:
			return t.s
		}
	}
	t.s = t.begin()
	return t.s
}

// closeWait bounds the time until a stream has ended; a cluster that does not answer
// holds nobody up, and the program ends by itself.
const closeWait = 5 * time.Second

// Close ends the program, and waits until the stream has ended.
func (t *Tunnel) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.s == nil {
		return
	}
	t.s.stop()
	late := time.NewTimer(closeWait)
	defer late.Stop()
	select {
	case <-t.s.ended:
	case <-late.C:
	}
}
