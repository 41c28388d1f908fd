package tunnel

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// maxBacklog bounds what came of one conversation and was not read yet, in bytes.
const maxBacklog = 32 << 20

// conn is one conversation.
type conn struct {
	s    *stream
	id   uint64
	addr string

	mu   sync.Mutex
	wake *sync.Cond
	open bool
	// came was not read yet; failed says why nothing more comes.
	came   []byte
	failed error
	closed bool
	until  time.Time
	timer  *time.Timer
}

func newConn(s *stream, id uint64, addr string) *conn {
	c := &conn{s: s, id: id, addr: addr}
	c.wake = sync.NewCond(&c.mu)
	return c
}

// take is called with what the program says of this conversation.
func (c *conn) take(e event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch e.kind {
	case 'o':
		c.open = true
	case 'f':
		c.fail(dialError(c.s.name, c.addr, e.words))
	case 'd':
		if c.came = append(c.came, e.bytes...); len(c.came) > maxBacklog {
			c.came = nil
			c.fail(&brokenError{c.s.name, "more came than is read"})
		}
	case 'e':
		c.fail(io.EOF)
	}
	c.wake.Broadcast()
}

// fail ends the conversation, if it has not ended yet.
func (c *conn) fail(err error) {
	if c.failed == nil {
		c.failed = err
	}
	c.wake.Broadcast()
}

func (c *conn) breakOff(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail(err)
}

// connected waits until the connection stands or has failed, or is given up.
func (c *conn) connected() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.open && c.failed == nil && !c.closed {
		c.wake.Wait()
	}
	switch {
	case c.open:
		return nil
	case c.failed != nil:
		return c.failed
	}
	return net.ErrClosed
}

// Read implements net.Conn.
func (c *conn) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case c.closed:
			return 0, net.ErrClosed
		case !c.until.IsZero() && !time.Now().Before(c.until):
			return 0, os.ErrDeadlineExceeded
		case len(c.came) > 0:
			n := copy(b, c.came)
			c.came = c.came[n:]
			return n, nil
		case c.failed != nil:
			return 0, c.failed
		}
		c.wake.Wait()
	}
}

// chunk is how many bytes one line brings to the program.
const chunk = 500

// Write implements net.Conn. It returns when the bytes are on their way.
func (c *conn) Write(b []byte) (int, error) {
	c.mu.Lock()
	failed, closed := c.failed, c.closed
	c.mu.Unlock()
	switch {
	case closed:
		return 0, net.ErrClosed
	case failed != nil && !errors.Is(failed, io.EOF):
		return 0, failed
	}
	for at := 0; at < len(b); at += chunk {
		if err := c.s.say("s %d %s", c.id, asEscapes(b[at:min(at+chunk, len(b))])); err != nil {
			return at, err
		}
	}
	return len(b), nil
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.mu.Lock()
	was, open := c.closed, c.open
	c.closed = true
	if c.timer != nil {
		c.timer.Stop()
	}
	c.wake.Broadcast()
	c.mu.Unlock()
	if !was {
		c.s.forget(c.id, open)
	}
	return nil
}

// SetReadDeadline implements net.Conn.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer != nil {
		c.timer.Stop()
	}
	c.until = t
	if !t.IsZero() {
		c.timer = time.AfterFunc(time.Until(t), func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.wake.Broadcast()
		})
	}
	c.wake.Broadcast()
	return nil
}

// SetWriteDeadline implements net.Conn; writing never waits.
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// LocalAddr implements net.Conn.
func (c *conn) LocalAddr() net.Addr { return address("pod/" + c.s.name) }

// RemoteAddr implements net.Conn.
func (c *conn) RemoteAddr() net.Addr { return address(c.addr) }

type address string

// Network implements net.Addr.
func (address) Network() string { return "tcp" }

// String implements net.Addr.
func (a address) String() string { return string(a) }
