package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

const (
	// maxFile bounds what is read of a host's file; the largest known zoo.cfg has
	// some KiB.
	maxFile = 8 << 20
	// readTimeout bounds the reading of one, which may come out of a pipe.
	readTimeout = time.Minute
)

// readInput reads a file or, for "-", stdin. A pipe that nobody writes to, or
// that never ends, is left behind when the time is over.
func readInput(ctx context.Context, path string, stdin io.Reader) ([]byte, error) {
	type content struct {
		data []byte
		err  error
	}
	if path == "-" && stdin == nil {
		return nil, errors.New("-: stdin is not read here: give a file")
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	done := make(chan content, 1)
	go func() {
		var c content
		if path == "-" {
			c.data, c.err = readAll(stdin, maxFile)
		} else {
			c.data, c.err = readBounded(path, maxFile)
		}
		done <- c
	}()
	name := path
	if path == "-" {
		name = "stdin"
	}
	select {
	case c := <-done:
		if c.err != nil && path == "-" {
			return nil, fmt.Errorf("stdin: %w", c.err)
		}
		return c.data, c.err
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%s: it did not end in time: is it a pipe that somebody still has to write to? Give a file, or close the pipe", name)
	}
}

// readBounded reads a file of at most limit bytes; its errors are sentences
// that begin with the file's name.
func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	defer func() { _ = f.Close() }() // only read from
	data, err := readAll(f, limit)
	if err != nil {
		return nil, fileError(path, err)
	}
	return data, nil
}

func readAll(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = &tooLongError{limit}
	}
	return data, err
}

// tooLongError: there is more to read than such a file can hold.
type tooLongError struct{ limit int64 }

func (e *tooLongError) Error() string {
	return fmt.Sprintf("it is longer than %s, and no such file is: check what was given", bytesText(e.limit))
}

// fileError says why a file cannot be read.
func fileError(path string, err error) error { return errors.New(fileReason(path, err)) }

func fileReason(path string, err error) string {
	why := reason(err)
	var long *tooLongError
	var syscallErr syscall.Errno
	switch {
	case errors.As(err, &long):
		why = long.Error()
	case errors.Is(err, fs.ErrNotExist):
		why = "no such file: check the path (relative paths begin in the current directory)"
	case errors.Is(err, fs.ErrPermission):
		why = "it may not be read: check its permissions (ls -l), or copy it to where you may read it"
	case errors.Is(err, syscall.EISDIR):
		why = "it is a directory: give a file"
	case errors.Is(err, syscall.ELOOP):
		why = "its symbolic links lead in a circle: give the file itself"
	case errors.As(err, &syscallErr):
		why = syscallErr.Error() + ": give a readable file"
	}
	return path + ": " + why
}

// reason is what the system says, without the call that it says it of.
func reason(err error) string {
	if no := syscall.Errno(0); errors.As(err, &no) {
		return no.Error()
	}
	return err.Error()
}
