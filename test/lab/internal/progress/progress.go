// Package progress says what the lab does while it does it.
package progress

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Log prints lines with the time since it was made. It is safe for concurrent use.
type Log struct {
	mu    sync.Mutex
	out   io.Writer
	start time.Time
}

// New makes a Log that starts its clock now.
func New(out io.Writer) *Log { return &Log{out: out, start: time.Now()} }

// Say prints one line.
func (l *Log) Say(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.out, "[%6.1fs] %s\n", time.Since(l.start).Seconds(), fmt.Sprintf(format, args...))
}

// Elapsed is the time since the log was made.
func (l *Log) Elapsed() time.Duration { return time.Since(l.start) }
