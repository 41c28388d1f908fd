// Package history records what a workload did, one JSON line an operation, in
// the terms a linearizability checker needs: when it was called, when it
// returned, and whether it is known to have happened.
package history

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/go-zookeeper/zk"
)

// Result is what is known of an operation's effect.
type Result string

const (
	// OK: acknowledged.
	OK Result = "ok"
	// Fail: refused by the server; it has no effect.
	Fail Result = "fail"
	// Unknown: no answer came; it may have happened or may happen yet.
	Unknown Result = "unknown"
)

// Classify tells what an error of the client library says about the effect.
// Only refusals that come from the server's own processing of the request are
// Fail; everything else may have been committed.
func Classify(err error) Result {
	if err == nil {
		return OK
	}
	for _, refused := range []error{
		zk.ErrBadVersion, zk.ErrNoNode, zk.ErrNodeExists, zk.ErrNotEmpty, zk.ErrNoAuth,
		zk.ErrInvalidACL, zk.ErrNoChildrenForEphemerals, zk.ErrBadArguments,
	} {
		if errors.Is(err, refused) {
			return Fail
		}
	}
	return Unknown
}

// Recorder writes operations to a file; it may be used from many goroutines.
type Recorder struct {
	start time.Time
	mu    sync.Mutex
	file  *os.File
	w     *bufio.Writer
	err   error
}

// NewRecorder starts a file.
func NewRecorder(path string) (*Recorder, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	return &Recorder{start: time.Now(), file: f, w: bufio.NewWriterSize(f, 1<<16)}, nil
}

// Now returns the time in the recorder's clock, which never jumps.
func (r *Recorder) Now() int64 { return r.start.UnixNano() + time.Since(r.start).Nanoseconds() }

// Record adds an operation. The first error is kept for Flush and Close.
func (r *Recorder) Record(op Op) {
	b, err := json.Marshal(op)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		_, err = r.w.Write(append(b, '\n'))
	}
	if r.err == nil {
		r.err = err
	}
}

// Flush hands everything to the operating system, so that it outlives this
// process.
func (r *Recorder) Flush() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.w.Flush(); r.err == nil {
		r.err = err
	}
	return r.err
}

// Close flushes and closes the file.
func (r *Recorder) Close() error { return errors.Join(r.Flush(), r.file.Close()) }

// ReadFile calls f with each operation of a file. A last line cut short, as a
// killed workload leaves it, is ignored.
func ReadFile(path string, f func(Op)) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("history: %w", err)
	}
	defer file.Close()
	r := bufio.NewReaderSize(file, 1<<16)
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("history %s: %w", path, err)
		}
		var op Op
		if err := json.Unmarshal(line, &op); err != nil {
			return fmt.Errorf("history %s, line %d: %w", path, n, err)
		}
		f(op)
	}
}
