package quote

import "sync"

// Tail keeps the end of what is written to it, Limit bytes at most.
type Tail struct {
	Limit int

	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer.
func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-t.Limit):]
	return len(p), nil
}

// String returns it as it was written.
func (t *Tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
