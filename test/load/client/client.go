// Package client is a ZooKeeper client that can be moved to another connection
// string and keeps its session: what a well-kept application does when its
// configuration changes, and what tells whether a session survived.
package client

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/go-zookeeper/zk"
)

// Client is one session (and, if it gets lost, its successors).
type Client struct {
	*zk.Conn
	Name    string
	hosts   *hosts
	timeout time.Duration

	mu       sync.Mutex
	current  net.Conn
	ids      []int64 // sessions, in order
	expired  int
	connects int
	watches  map[string]int // events that told of a watch, by path
	changed  chan struct{}  // closed and replaced at every connect
	closed   bool
	tell     []func(Event)
}

// Event is something that happened to a client.
type Event struct {
	What What
	// Session is the session it happened to.
	Session int64
	// Path is the znode whose watch fired.
	Path string
}

// What happened.
type What int

// Opened is a session's first connection, Connected a later one.
const (
	Opened What = iota
	Connected
	Disconnected
	Expired
	Fired
)

// Stats tells what became of the client's sessions.
type Stats struct {
	// Sessions lists session ids in order; one is what should be.
	Sessions []int64
	// Expired counts sessions the servers declared gone.
	Expired int
	// Reconnects counts connections after the first.
	Reconnects int
}

// Open connects. The session timeout is a wish; servers bound it. Each tell is
// called with every event, one at a time and in order, and must not block.
func Open(name string, servers []string, timeout time.Duration, logf func(string, ...any), tell ...func(Event)) (*Client, error) {
	c := &Client{Name: name, hosts: &hosts{}, timeout: timeout, watches: map[string]int{}, changed: make(chan struct{}), tell: tell}
	// The library calls back from its own goroutine, which may be faster than
	// this one: it waits for the lock.
	c.mu.Lock()
	defer c.mu.Unlock()
	conn, _, err := zk.Connect(servers, timeout,
		zk.WithHostProvider(c.hosts), zk.WithDialer(c.dial), zk.WithEventCallback(c.event),
		zk.WithLogInfo(false), zk.WithLogger(&logger{name: name, logf: logf, last: map[string]time.Time{}}))
	if err != nil {
		return nil, fmt.Errorf("client %s: %w", name, err)
	}
	c.Conn = conn
	return c, nil
}

// logger passes on what the library says, each kind of message at most once a
// second: while servers are away it complains many times.
type logger struct {
	name string
	logf func(string, ...any)
	mu   sync.Mutex
	last map[string]time.Time
}

// Printf implements zk.Logger.
func (l *logger) Printf(format string, args ...any) {
	l.mu.Lock()
	quiet := time.Since(l.last[format]) < time.Second
	if !quiet {
		l.last[format] = time.Now()
	}
	l.mu.Unlock()
	if !quiet {
		l.logf(l.name+": "+format, args...)
	}
}

func (c *Client) dial(network, address string, timeout time.Duration) (net.Conn, error) {
	conn, err := net.DialTimeout(network, address, timeout)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.current = conn
	c.mu.Unlock()
	return &handshake{Conn: conn, limit: max(c.timeout/5, time.Second)}, nil
}

// handshake bounds the wait for the server's first words. The library waits
// several session timeouts for them, so that one server that accepts and stays
// silent would cost the session.
type handshake struct {
	net.Conn
	limit time.Duration
	done  bool
}

// Read and SetReadDeadline are called from one goroutine at a time.
func (h *handshake) Read(b []byte) (int, error) {
	n, err := h.Conn.Read(b)
	h.done = h.done || n > 0
	return n, err
}

// SetReadDeadline implements net.Conn.
func (h *handshake) SetReadDeadline(t time.Time) error {
	if bound := time.Now().Add(h.limit); !h.done && t.After(bound) {
		t = bound
	}
	return h.Conn.SetReadDeadline(t)
}

// event is called from the library's own goroutines and must not block.
func (c *Client) event(e zk.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return // the library's own farewell
	}
	seen := Event{Path: e.Path}
	if len(c.ids) > 0 {
		seen.Session = c.ids[len(c.ids)-1]
	}
	switch {
	case e.Type == zk.EventSession && e.State == zk.StateHasSession:
		c.connects++
		seen.What = Connected
		if id := c.SessionID(); id != seen.Session {
			c.ids = append(c.ids, id)
			seen.What, seen.Session = Opened, id
		}
		close(c.changed)
		c.changed = make(chan struct{})
	case e.Type == zk.EventSession && e.State == zk.StateExpired:
		c.expired++
		seen.What = Expired
	case e.Type == zk.EventSession && e.State == zk.StateDisconnected:
		seen.What = Disconnected
	case e.Type > 0:
		c.watches[e.Path]++
		seen.What = Fired
	default:
		return
	}
	for _, tell := range c.tell {
		tell(seen)
	}
}

// Close ends the session, as far as a server can be told; events that come
// after it began are not passed on. It reports whether it was the first call.
func (c *Client) Close() bool {
	c.mu.Lock()
	first := !c.closed
	c.closed = true
	c.mu.Unlock()
	c.Conn.Close()
	return first
}

// Fired returns how many watch events came for a path.
func (c *Client) Fired(path string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.watches[path]
}

// Stats returns what became of the sessions so far.
func (c *Client) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Stats{Sessions: append([]int64(nil), c.ids...), Expired: c.expired, Reconnects: max(c.connects-1, 0)}
}

// WaitSession waits until the client has a session.
func (c *Client) WaitSession(ctx context.Context) error {
	c.mu.Lock()
	connects := c.connects
	c.mu.Unlock()
	if connects > 0 && c.State() == zk.StateHasSession {
		return nil
	}
	return c.waitConnect(ctx, connects)
}

func (c *Client) waitConnect(ctx context.Context, after int) error {
	for {
		c.mu.Lock()
		connects, changed := c.connects, c.changed
		c.mu.Unlock()
		if connects > after {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("client %s: no session: %w", c.Name, ctx.Err())
		}
	}
}

// Switch moves the client to other servers: it forgets the old ones, drops its
// connection and waits until it is connected again. It reports the session
// before and after; they are equal unless the session was lost.
func (c *Client) Switch(ctx context.Context, servers []string) (before, after int64, err error) {
	if len(servers) == 0 {
		return 0, 0, fmt.Errorf("client %s: switch: no servers given", c.Name)
	}
	before = c.SessionID()
	c.hosts.set(servers)
	for {
		c.mu.Lock()
		current, connects := c.current, c.connects
		c.mu.Unlock()
		if current != nil {
			_ = current.Close() // it may be closed already
		}
		if err := c.waitConnect(ctx, connects); err != nil {
			return before, 0, err
		}
		// An attempt at an old server may have been under way.
		if slices.Contains(servers, c.Server()) {
			return before, c.SessionID(), nil
		}
	}
}
