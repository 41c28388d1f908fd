package cli

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostscript"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/tunnel"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/test/podfake"
	"github.com/zkmigrate/kubectl-zkmigrate/test/tcpfake"
)

// TestTryAll: what a pod tries comes by its tunnel, and the address under which ZooKeeper sees
// it after that; a tunnel that breaks tells nothing of anybody.
func TestTryAll(t *testing.T) {
	zookeeper := tcpfake.Listen(t, func(c net.Conn) {
		var word [4]byte
		if n, _ := c.Read(word[:]); string(word[:n]) == "cons" {
			_, _ = c.Write([]byte(" /10.0.0.7:4000[1](queued=0,recved=7,sent=7,sid=0x1,lop=PING)\n /10.8.1.9:51234[0](queued=0,recved=1,sent=0)\n"))
		}
	})
	closed := func() string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return l.Addr().String()
	}()
	target := func(addr string) vantage.Target {
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			t.Fatal(err)
		}
		n, err := net.LookupPort("tcp", port)
		if err != nil {
			t.Fatal(err)
		}
		return vantage.Target{Server: 1, Via: vantage.ViaService, Host: host, Port: n}
	}
	open, refused := target(zookeeper), target(closed)
	q := hostscript.Questions{Paths: []vantage.Target{open, refused}, Cons: []vantage.Target{open}}
	through := tunnel.New(t.Context(), "demo-pod-0", podfake.Run)
	defer through.Close()
	got := tryAll(t.Context(), newProber(through), q)
	seenAs(t.Context(), newProber(through), q.Cons, got)
	if r := got[open]; r.State != vantage.PortOpen || r.SeenAs != "10.8.1.9" {
		t.Errorf("%+v", r)
	}
	if r := got[refused]; r.State != vantage.PortClosed || r.SeenAs != "" {
		t.Errorf("%+v", r)
	}
	for _, r := range tryAll(t.Context(), newProber(breaks{}), q) {
		if r.State != vantage.PortUnknown || !strings.Contains(r.Detail, "the stream broke") {
			t.Errorf("%+v", r)
		}
	}
}

// breaks is a tunnel whose stream ends.
type breaks struct{}

func (breaks) DialContext(context.Context, string, string) (net.Conn, error) {
	return nil, streamError{errors.New("the stream broke")}
}

type streamError struct{ error }

func (streamError) StreamBroke() bool { return true }
