package zkprobe

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/test/tcpfake"
)

// fakeZK grants a session and answers requests with the given zxids in turn; a
// zxid of 0 makes it fall silent, a negative one refuses as a server that
// demands SASL does.
func fakeZK(t *testing.T, zxids ...int64) string {
	t.Helper()
	return tcpfake.Listen(t, func(c net.Conn) {
		j := &juteConn{conn: c}
		if _, err := j.receive(); err != nil || len(zxids) == 0 {
			tcpfake.Silent(c)
			return
		}
		if j.send(granted()) != nil {
			return
		}
		for _, zxid := range zxids {
			req, err := j.receive()
			if err != nil {
				return
			}
			if zxid == 0 {
				tcpfake.Silent(c)
				return
			}
			code := int32(0)
			if zxid < 0 {
				zxid, code = 0, -124
			}
			if j.send(replyTo(req, zxid, code)) != nil {
				return
			}
		}
	})
}

// granted is the ConnectResponse of server 1.
func granted() []byte {
	b := binary.BigEndian.AppendUint32(nil, 0)
	b = binary.BigEndian.AppendUint32(b, 6000)
	b = binary.BigEndian.AppendUint64(b, 0x10000143e940000)
	return append(binary.BigEndian.AppendUint32(b, 16), make([]byte, 17)...)
}

// replyTo is the header of an answer to a request.
func replyTo(req []byte, zxid int64, code int32) []byte {
	b := binary.BigEndian.AppendUint64(append([]byte(nil), req[:4]...), uint64(zxid))
	return binary.BigEndian.AppendUint32(b, uint32(code))
}

func TestCanary(t *testing.T) {
	p := Prober{CommitTimeout: 200 * time.Millisecond}
	good := fakeZK(t, 0x100000007, 0x100000009)
	got, err := p.Canary(t.Context(), []string{closedPort(t), good})
	if err != nil {
		t.Fatal(err)
	}
	if got.Zxid != 0x100000009 || got.Via != good || got.Origin.IDByte != 1 || got.SessionID != 0x10000143e940000 || got.Took <= 0 {
		t.Errorf("got %+v", got)
	}
	// The close's answer may be lost; the write before it was committed.
	got, err = p.Canary(t.Context(), []string{fakeZK(t, 0x100000007, 0)})
	if err != nil || got.Zxid != 0x100000007 {
		t.Errorf("close lost: got %+v, %v", got, err)
	}
}

func TestCanaryFailures(t *testing.T) {
	tests := []struct {
		name, addr string
		stage      CanaryStage
		reach      vantage.Reach
		noCommit   bool
		text       string
	}{
		{"refused", closedPort(t), CanaryDial, vantage.Refused, false, "refused"},
		{"session not granted", fakeZK(t), CanarySession, vantage.Timeout, true, "no commit within 200ms"},
		{"check not committed", fakeZK(t, 0), CanaryCommit, vantage.Timeout, true, "no commit within 200ms"},
		{"authentication demanded", fakeZK(t, -1), CanaryCommit, vantage.Answered, false, "code -124"},
		{"not serving", tcpfake.Listen(t, func(c net.Conn) { _, _ = (&juteConn{conn: c}).receive() }), CanarySession, vantage.ClosedEmpty, false, "serves nobody"},
		{"no ZooKeeper", tcpfake.Listen(t, func(c net.Conn) { _, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) }), CanarySession, vantage.Answered, false, "no ZooKeeper client port"},
		{"short answer", tcpfake.Listen(t, func(c net.Conn) { _ = (&juteConn{conn: c}).send([]byte("hello")) }), CanarySession, vantage.Answered, false, "too short"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			_, err := Prober{CommitTimeout: 200 * time.Millisecond}.Canary(t.Context(), []string{tt.addr})
			var c *CanaryError
			if !errors.As(err, &c) {
				t.Fatalf("got %v, want a CanaryError", err)
			}
			if c.Addr != tt.addr || c.Stage != tt.stage || c.NoCommit != tt.noCommit || c.Reach != tt.reach {
				t.Errorf("got %+v, want stage %s, reach %s, noCommit %t", c, tt.stage, tt.reach, tt.noCommit)
			}
			if !strings.Contains(err.Error(), tt.text) || !strings.Contains(err.Error(), tt.addr) {
				t.Errorf("error %v: want %q and the address in it", err, tt.text)
			}
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

func TestCanaryEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := Prober{CommitTimeout: time.Hour, Timeout: time.Hour}.Canary(ctx, []string{fakeZK(t), fakeZK(t, 1, 1)})
	if err == nil || time.Since(start) > 2*time.Second {
		t.Errorf("got %v after %s", err, time.Since(start))
	}
	var c *CanaryError
	if !errors.As(err, &c) || c.NoCommit || !strings.Contains(err.Error(), "not tried") {
		t.Errorf("got %v: a caller that gave up learnt nothing about commits", err)
	}
	if _, err := (Prober{}).Canary(t.Context(), nil); err == nil {
		t.Error("no address: no error")
	}
}

func FuzzCanaryAnswers(f *testing.F) {
	f.Add([]byte("HTTP/1.1 400 Bad Request"))
	f.Add(append([]byte{0, 0, 0, 37, 0, 0, 0, 0, 0, 0, 10, 0, 1, 0, 0, 1, 67, 233, 64, 0, 0, 0, 0, 0, 16}, make([]byte, 17)...))
	f.Fuzz(func(t *testing.T, answer []byte) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			buf := make([]byte, 1024)
			if _, err := server.Read(buf); err == nil {
				_, _ = server.Write(answer)
			}
		}()
		p := Prober{Dialer: pipeDialer{client}, CommitTimeout: time.Second}
		if c, err := p.Canary(t.Context(), []string{"pipe"}); err == nil {
			t.Errorf("a server that answers once cannot have committed: %+v", c)
		}
	})
}

type pipeDialer struct{ conn net.Conn }

func (d pipeDialer) DialContext(context.Context, string, string) (net.Conn, error) {
	return d.conn, nil
}
