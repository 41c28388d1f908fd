package zkprobe

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/test/tcpfake"
)

func TestProbePort(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		name   string
		ctx    context.Context
		addr   string
		dialer Dialer
		want   vantage.PortState
	}{
		{"open", t.Context(), tcpfake.Listen(t, func(net.Conn) {}), nil, vantage.PortOpen},
		{"closed", t.Context(), closedPort(t), nil, vantage.PortClosed},
		{"filtered", t.Context(), "192.0.2.1:3888", deadDialer{}, vantage.PortSilent},
		{"no route", t.Context(), "192.0.2.1:3888", unreachable(), vantage.PortUnreachable},
		{"given up", canceled, closedPort(t), nil, vantage.PortUnknown},
		{"no address", t.Context(), "192.0.2.1", nil, vantage.PortUnreachable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Prober{Dialer: tt.dialer, Timeout: 100 * time.Millisecond}.ProbePort(tt.ctx, tt.addr)
			if got != tt.want || (err == nil) != (tt.want == vantage.PortOpen) {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestProbePortClosesAtOnce(t *testing.T) {
	closed := make(chan struct{})
	addr := tcpfake.Listen(t, func(c net.Conn) {
		var b [1]byte
		if n, _ := c.Read(b[:]); n == 0 {
			close(closed)
		}
	})
	if state, err := (Prober{}).ProbePort(t.Context(), addr); state != vantage.PortOpen {
		t.Fatal(state, err)
	}
	select {
	case <-closed:
	case <-time.After(5 * time.Second):
		t.Error("the connection stays open")
	}
}
