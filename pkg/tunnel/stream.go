package tunnel

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// Run runs a program in a pod until it ends or the context does.
type Run func(ctx context.Context, program []string, stdin io.Reader, stdout, stderr io.Writer) error

const (
	// beat is how often a quiet program is asked whether it is there; it ends by itself
	// when it hears nothing for a minute.
	beat = 15 * time.Second
	// quiet is how long it may say nothing.
	quiet = 45 * time.Second
	// waiting lines for the program; more means that it does not read.
	waiting = 4096
)

// stream is one run of the program.
type stream struct {
	name string
	out  chan string
	// ready is closed by the first line, ended when the program has ended or broke off;
	// why is set by then.
	ready, ended chan struct{}
	why          error
	stop         context.CancelFunc

	mu    sync.Mutex
	last  uint64
	conns map[uint64]*conn
	heard time.Time
}

// start runs the program; ctx is the life of the stream.
func start(ctx context.Context, name string, run Run) *stream {
	ctx, stop := context.WithCancel(ctx)
	s := &stream{
		name: name, out: make(chan string, waiting), ready: make(chan struct{}), ended: make(chan struct{}),
		stop: stop, conns: map[uint64]*conn{}, heard: time.Now(),
	}
	in, commands := io.Pipe()
	lines, answers := io.Pipe()
	says := &quote.Tail{Limit: 300}
	read := make(chan error, 1)
	go func() {
		err := s.listen(lines)
		read <- err
		_ = lines.CloseWithError(io.ErrClosedPipe) // what still comes is nobody's
		stop()
	}()
	go s.talk(ctx, commands)
	go func() {
		err := run(ctx, Program(), in, answers, says)
		_ = in.CloseWithError(io.ErrClosedPipe)
		_ = answers.CloseWithError(io.EOF)
		stop()
		s.end(reason(<-read, err, quote.Line(strings.TrimSpace(says.String()))))
	}()
	return s
}

// reason says in words why a stream ended: what it said that it should not, what it said
// on standard error, or how the run failed.
func reason(read, ran error, says string) string {
	switch {
	case read != nil:
		return read.Error()
	case says != "" && ran != nil:
		return says
	case ran != nil && !errors.Is(ran, context.Canceled):
		return quote.Line(ran.Error())
	}
	return "it ended"
}

// listen reads the program's lines until they end; an error is one that should not be.
func (s *stream) listen(r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, maxLine), maxLine)
	for n := 0; lines.Scan(); n++ {
		line := lines.Text()
		if n == 0 {
			if line != hello {
				return unexpected(line)
			}
			close(s.ready)
			continue
		}
		e, err := parseLine(line)
		if err != nil {
			return err
		}
		s.mu.Lock()
		s.heard = time.Now()
		c := s.conns[e.id]
		s.mu.Unlock()
		if c != nil && e.kind != 'p' {
			c.take(e)
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("a line of more than %d bytes", maxLine)
	}
	return nil
}

// talk writes what was said to the program, and asks it whether it is there.
func (s *stream) talk(ctx context.Context, w *io.PipeWriter) {
	defer func() { _ = w.Close() }() // nothing is lost that was written
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for {
		line := "p"
		select {
		case <-ctx.Done():
			return
		case line = <-s.out:
		case <-ticker.C:
			s.mu.Lock()
			silent := time.Since(s.heard) > quiet
			s.mu.Unlock()
			if silent {
				s.stop()
				return
			}
		}
		if _, err := io.WriteString(w, line+"\n"); err != nil {
			return
		}
	}
}

// say queues a line. A program that does not read them ends the stream.
func (s *stream) say(format string, a ...any) error {
	select {
	case <-s.ended:
		return s.why
	default:
	}
	select {
	case s.out <- fmt.Sprintf(format, a...):
		return nil
	default:
		s.stop()
		return &brokenError{s.name, "it takes nothing any more"}
	}
}

func (s *stream) end(why string) {
	s.mu.Lock()
	s.why = &brokenError{s.name, why}
	conns := s.conns
	s.conns = nil
	close(s.ended)
	s.mu.Unlock()
	for _, c := range conns {
		c.breakOff(s.why)
	}
}

// dial opens one conversation.
func (s *stream) dial(ctx context.Context, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || strings.ContainsAny(host+port, " \t\n\\") || host == "" || port == "" {
		return nil, fmt.Errorf("connect to %q from pod %s: no host and port", addr, s.name)
	}
	select {
	case <-s.ready:
	case <-s.ended:
		return nil, s.why
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s.mu.Lock()
	if s.conns == nil {
		s.mu.Unlock()
		return nil, s.why
	}
	s.last++
	c := newConn(s, s.last, addr)
	s.conns[c.id] = c
	s.mu.Unlock()
	if err := s.say("o %d %s %s", c.id, host, port); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	if err := c.connected(); err != nil {
		_ = c.Close()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, err
	}
	return c, nil
}

// forget ends a conversation; one that was never open may hang in its connect.
func (s *stream) forget(id uint64, open bool) {
	s.mu.Lock()
	delete(s.conns, id)
	s.mu.Unlock()
	how := "k"
	if open {
		how = "c"
	}
	_ = s.say("%s %d", how, id) // a stream that has ended has forgotten it
}
