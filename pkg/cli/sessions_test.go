package cli

import (
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
	"github.com/zkmigrate/kubectl-zkmigrate/test/tcpfake"
)

// TestSessionFacts: each server is asked by itself, and only where clients must authenticate; one
// that refuses is told from one that is not there.
func TestSessionFacts(t *testing.T) {
	s, rec := wrappedHere(t)
	s.prober = newProber(nil)
	// A server grants a session and answers what comes then with a code.
	server := func(code byte) string {
		return tcpfake.Listen(t, func(c net.Conn) {
			head := make([]byte, 4)
			for first := true; ; first = false {
				if _, err := io.ReadFull(c, head); err != nil {
					return
				}
				body := make([]byte, int(head[2])<<8|int(head[3]))
				if _, err := io.ReadFull(c, body); err != nil {
					return
				}
				answer := append([]byte{0, 0, 0, 37, 0, 0, 0, 0, 0, 0, 23, 112, 1, 0, 0, 1, 67, 233, 64, 0, 0, 0, 0, 16}, make([]byte, 17)...)
				if !first {
					high := byte(0)
					if code != 0 {
						high = 0xff
					}
					answer = append(append([]byte{0, 0, 0, 16}, body[:4]...), 0, 0, 0, 0, 0, 0, 0, 1-high&1, high, high, high, code)
				}
				if _, err := c.Write(answer); err != nil {
					return
				}
			}
		})
	}
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	for i, addr := range []string{server(0), server(0x84), gone.Addr().String()} { // 0x84 is -124
		rec.Servers[i].ClientPort = int(netip.MustParseAddrPort(addr).Port())
	}
	ids := rec.Ensemble().IDs()
	var f preflight.Facts
	sessionFacts(t.Context(), s, rec, intake.Description{}, &f)
	if f.Sessions != nil {
		t.Errorf("nobody has to authenticate, and was asked: %+v", f.Sessions)
	}
	rec.Settings.Version, rec.Pods.ZooCfg = "3.8.0", "enforce.auth.enabled=true\nenforce.auth.schemes=digest\n"
	sessionFacts(t.Context(), s, rec, intake.Description{}, &f)
	for i, want := range []preflight.SessionTry{{}, {Refused: "demands that clients authenticate"}, {Unseen: "refused"}} {
		got := f.Sessions[ids[i]]
		if !strings.Contains(got.Refused, want.Refused) || !strings.Contains(got.Unseen, want.Unseen) || (got.Refused == "") != (want.Refused == "") || (got.Unseen == "") != (want.Unseen == "") {
			t.Errorf("server %d: got %+v", ids[i], got)
		}
	}
}
