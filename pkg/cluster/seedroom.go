package cluster

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
)

// roomLine reads from a program's output how much room it has said there is.
type roomLine struct {
	once  sync.Once
	known chan struct{}
	bytes int64
	head  bytes.Buffer
}

func newRoomLine() *roomLine { return &roomLine{known: make(chan struct{})} }

// Write implements io.Writer; only the first line counts.
func (r *roomLine) Write(p []byte) (int, error) {
	const limit = 64
	r.head.Write(p[:min(len(p), max(0, limit-r.head.Len()))])
	if line, _, ended := strings.Cut(r.head.String(), "\n"); ended {
		r.once.Do(func() {
			var kib int64
			if _, err := fmt.Sscanf(line, "room %d", &kib); err == nil && kib < 1<<52 {
				r.bytes = kib << 10
			}
			close(r.known)
		})
	}
	return len(p), nil
}

// end says that there comes no more; said is false when the line had not come before.
func (r *roomLine) end() (said bool) {
	said = true
	r.once.Do(func() { said = false; close(r.known) })
	return said
}

// room waits for the line; there is no room where none came.
func (r *roomLine) room() int64 {
	<-r.known
	return r.bytes
}

// bounded keeps the beginning of what is written to it.
type bounded struct {
	limit int
	buf   bytes.Buffer
}

// Write implements io.Writer; it takes everything.
func (b *bounded) Write(p []byte) (int, error) {
	b.buf.Write(p[:min(len(p), max(0, b.limit-b.buf.Len()))])
	return len(p), nil
}

func (b *bounded) String() string { return b.buf.String() }

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}
