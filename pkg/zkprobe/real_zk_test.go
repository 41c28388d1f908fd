//go:build linux && zk

package zkprobe

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/zkreal"
)

// startReal starts an ensemble that serves, and ends with the test.
func startReal(ctx context.Context, t *testing.T, opts zkreal.Options) *zkreal.Ensemble {
	t.Helper()
	e, err := zkreal.New(ctx, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	if err := e.Start(ctx); err != nil {
		t.Fatal(err)
	}
	return e
}

func waitFor(ctx context.Context, t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited for %s: %v", what, ctx.Err())
		}
	}
}

// holdSession opens a session and returns what ends its connection.
func holdSession(ctx context.Context, t *testing.T, addr string) func() {
	t.Helper()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (&juteConn{conn: conn}).connect(30 * time.Second); err != nil {
		t.Fatal(err)
	}
	return func() { _ = conn.Close() }
}
