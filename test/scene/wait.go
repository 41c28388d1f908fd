package scene

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Eventually polls a condition until it holds, for three minutes at most: a
// machine with two cores and several labs is slow.
func Eventually(t *testing.T, what string, f func() error) {
	t.Helper()
	Within(t, 3*time.Minute, what, f)
}

// Within is the same with another limit.
func Within(t *testing.T, limit time.Duration, what string, f func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		err := f()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within %s: %v", what, limit, err)
		case <-tick.C:
		}
	}
}

// But is ids without one.
func But(ids []int, drop int) []int {
	var out []int
	for _, id := range ids {
		if id != drop {
			out = append(out, id)
		}
	}
	return out
}

// Contains is an error unless text has the part.
func Contains(text, part string) error {
	if strings.Contains(text, part) {
		return nil
	}
	return fmt.Errorf("no %q in:\n%s", part, text)
}

// DeleteNow deletes without a time to end in.
func DeleteNow() *metav1.DeleteOptions {
	zero := int64(0)
	return &metav1.DeleteOptions{GracePeriodSeconds: &zero}
}
