//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/faults"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// TestStreamsThatAreCut moves a server into its pod and back through a load balancer that
// ends every stream to a pod after a while, in the middle of whatever is said. Nothing is
// taken for dead or alive because of it, and the command goes on.
func TestStreamsThatAreCut(t *testing.T) {
	t.Parallel()
	s := scene.New(t, "cut", "3.8.0", []int{1, 2, 3})
	s.Ready()
	id := scene.But(s.IDs, s.Status().Leader)[0]
	s.ToLaptop()
	var cut atomic.Int64
	s.Behind(cutStreams(t, &cut))
	verdict := s.WatchSlices()
	for _, verb := range []string{"replace", "revert"} {
		r := s.Zkmigrate(0, verb, s.Name, fmt.Sprintf("--id=%d", id), "--yes", "--host-hook", s.Lab.HookCommand(), "--timeout", "5m", "--probe-via=pod")
		if says := faults.Elsewhere(t, "streams-cut").Verdict.Says; verb == "replace" && !strings.Contains(r.Stderr, says) {
			t.Errorf("it does not say %q:\n%s", says, r.Stderr)
		}
	}
	verdict()
	t.Logf("%d streams were cut", cut.Load())
	if cut.Load() < 3 {
		t.Error("too few to show anything")
	}
	if st := s.Status(); !st.Healthy || st.Replaced != 0 {
		t.Errorf("at the end: %+v", st)
	}
	s.NothingLost()
}

// cutStreams returns who forwards connections to an API server's address. client-go
// speaks HTTP/2 but for streams, which the first packet says in clear (ALPN).
func cutStreams(t *testing.T, cut *atomic.Int64) func(server string) (behind string) {
	return func(server string) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		forward := func(from net.Conn) {
			defer from.Close()
			to, err := net.Dial("tcp", server)
			if err != nil {
				return
			}
			defer to.Close()
			hello := make([]byte, 4096)
			n, err := from.Read(hello)
			if err != nil {
				return
			}
			if !bytes.Contains(hello[:n], []byte("\x02h2")) {
				// The moment is the fault.
				late := time.AfterFunc(500*time.Millisecond+rand.N(3*time.Second), func() {
					cut.Add(1)
					_ = from.Close()
					_ = to.Close()
				})
				defer late.Stop()
			}
			if _, err := to.Write(hello[:n]); err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(to, from)
				_ = to.Close()
			}()
			_, _ = io.Copy(from, to)
		}
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				go forward(conn)
			}
		}()
		return l.Addr().String()
	}
}
