package zkprobe

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/test/tcpfake"
)

func TestAskReach(t *testing.T) {
	say := func(text string) func(net.Conn) {
		return func(c net.Conn) { word(c); _, _ = io.WriteString(c, text) }
	}
	tests := []struct {
		name   string
		addr   string
		dialer Dialer
		want   vantage.Reach
		text   string
		err    string
	}{
		{name: "answered", addr: tcpfake.Listen(t, say("imok")), want: vantage.Answered, text: "imok"},
		{name: "not serving", addr: tcpfake.Listen(t, say(notServingText+"\n")), want: vantage.NotServing, text: notServingText + "\n", err: "in no quorum"},
		{name: "not whitelisted", addr: tcpfake.Listen(t, say("srvr is not executed because it is not in the whitelist.")), want: vantage.NotWhitelisted,
			text: "srvr is not executed because it is not in the whitelist.", err: "4lw.commands.whitelist"},
		{name: "closed at once", addr: tcpfake.Listen(t, func(c net.Conn) {}), want: vantage.ClosedEmpty, err: "maxClientCnxns"},
		{name: "reset", addr: tcpfake.Listen(t, func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }), want: vantage.ClosedEmpty, err: "maxClientCnxns"},
		{name: "silent", addr: tcpfake.Listen(t, tcpfake.Silent), want: vantage.Timeout, err: "no answer within 150ms"},
		{name: "half an answer", addr: tcpfake.Listen(t, func(c net.Conn) { say("Zookeeper ver")(c); tcpfake.Silent(c) }), want: vantage.Timeout, text: "Zookeeper ver", err: "no answer"},
		{name: "refused", addr: closedPort(t), want: vantage.Refused, err: "refused"},
		{name: "filtered", addr: "192.0.2.1:2181", dialer: deadDialer{}, want: vantage.Timeout, err: "no answer"},
		{name: "no route", addr: "192.0.2.1:2181", dialer: unreachable(), want: vantage.Unreachable, err: "no route"},
		{name: "no name", addr: "zk1.invalid:2181", dialer: deadDialer{&net.DNSError{Name: "zk1.invalid", IsNotFound: true}}, want: vantage.Unreachable, err: "zk1.invalid"},
		{name: "name server silent", addr: "zk1.invalid:2181", dialer: deadDialer{&net.DNSError{Name: "zk1.invalid", IsTimeout: true}}, want: vantage.Unreachable, err: "zk1.invalid"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := Prober{Dialer: tt.dialer, Timeout: 150 * time.Millisecond}
			got := p.Ask(t.Context(), tt.addr, Srvr)
			if got.Reach != tt.want || got.Text != tt.text {
				t.Errorf("got %q with text %q, want %q with %q (error %v)", got.Reach, got.Text, tt.want, tt.text, got.Err)
			}
			if tt.err == "" && got.Err != nil || tt.err != "" && (got.Err == nil || !strings.Contains(got.Err.Error(), tt.err)) {
				t.Errorf("error: got %v, want one with %q", got.Err, tt.err)
			}
			if got.Err != nil && !strings.Contains(got.Err.Error(), tt.addr) {
				t.Errorf("error %v does not name %s", got.Err, tt.addr)
			}
			if got.Took > 2*time.Second {
				t.Errorf("took %s", got.Took)
			}
		})
	}
}

func TestAskLearnsNothingWhenTheCallerGivesUp(t *testing.T) {
	for _, dialer := range []Dialer{deadDialer{}, nil} {
		ctx, cancel := context.WithCancel(t.Context())
		addr := tcpfake.Listen(t, tcpfake.Silent)
		time.AfterFunc(50*time.Millisecond, cancel)
		got := Prober{Dialer: dialer}.Ask(ctx, addr, Srvr)
		if got.Reach != vantage.NotAsked || !errors.Is(got.Err, context.Canceled) {
			t.Errorf("got %q, error %v", got.Reach, got.Err)
		}
	}
}

func TestAskBoundsTheReply(t *testing.T) {
	addr := tcpfake.Listen(t, func(c net.Conn) {
		word(c)
		for {
			if _, err := io.WriteString(c, "zk_more\t1\n"); err != nil {
				return
			}
		}
	})
	got := Prober{MaxReply: 25, Timeout: 10 * time.Second}.Ask(t.Context(), addr, Mntr)
	if got.Reach != vantage.Garbled || !got.Truncated || got.Text != "" || got.Took > 5*time.Second || got.Err == nil {
		t.Errorf("got %q, truncated %t, %d bytes after %s", got.Reach, got.Truncated, len(got.Text), got.Took)
	}
}
