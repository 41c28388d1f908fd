package cli

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// TestPatient: all of what comes is read, and a line that has gone silent ends
// the copy with the reason.
func TestPatient(t *testing.T) {
	long := strings.Repeat("0123456789", 20000)
	got, err := io.ReadAll(&patient{r: strings.NewReader(long), limit: time.Minute})
	if err != nil || string(got) != long {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	r, w := io.Pipe()
	t.Cleanup(func() { _ = w.Close() })
	var silent *silentError
	if _, err := (&patient{r: r, limit: time.Millisecond}).Read(make([]byte, 1)); !errors.As(err, &silent) {
		t.Errorf("got %v", err)
	}
}
