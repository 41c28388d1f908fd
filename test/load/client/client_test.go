package client

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/tcpfake"
)

// grant answers the connect request with a session: the one asked for, or id
// when a new one is asked for; with forget it knows no old session.
func grant(id uint64, forget bool) func(net.Conn) {
	return func(c net.Conn) {
		head := make([]byte, 4)
		if _, err := io.ReadFull(c, head); err != nil {
			return
		}
		request := make([]byte, binary.BigEndian.Uint32(head))
		if _, err := io.ReadFull(c, request); err != nil {
			return
		}
		session := binary.BigEndian.Uint64(request[16:])
		switch {
		case session == 0:
			session = id
		case forget:
			session = 0
		}
		answer := binary.BigEndian.AppendUint32(nil, 36)
		answer = binary.BigEndian.AppendUint32(answer, 0)
		answer = binary.BigEndian.AppendUint32(answer, 5000)
		answer = binary.BigEndian.AppendUint64(answer, session)
		answer = append(binary.BigEndian.AppendUint32(answer, 16), make([]byte, 16)...)
		if _, err := c.Write(answer); err != nil {
			return
		}
		tcpfake.Silent(c)
	}
}

func open(t *testing.T, servers ...string) *Client {
	t.Helper()
	c, err := Open(t.Name(), servers, 5*time.Second, t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestSwitchKeepsTheSession(t *testing.T) {
	first, second := tcpfake.Listen(t, grant(7, false)), tcpfake.Listen(t, grant(8, false))
	c := open(t, first)
	ctx := within(t)
	if err := c.WaitSession(ctx); err != nil {
		t.Fatal(err)
	}
	before, after, err := c.Switch(ctx, []string{second})
	if err != nil || before != 7 || after != 7 || c.Server() != second {
		t.Errorf("got session %d, then %d, via %s (%v), want 7 twice via %s", before, after, c.Server(), err, second)
	}
	if s := c.Stats(); len(s.Sessions) != 1 || s.Expired != 0 || s.Reconnects != 1 {
		t.Errorf("stats: got %+v", s)
	}
}

func TestSwitchTellsOfALostSession(t *testing.T) {
	first, second := tcpfake.Listen(t, grant(7, false)), tcpfake.Listen(t, grant(8, true))
	c := open(t, first)
	ctx := within(t)
	if err := c.WaitSession(ctx); err != nil {
		t.Fatal(err)
	}
	before, after, err := c.Switch(ctx, []string{second})
	if err != nil || before != 7 || after != 8 {
		t.Errorf("got session %d, then %d (%v), want 7, then 8", before, after, err)
	}
	if s := c.Stats(); len(s.Sessions) != 2 || s.Expired != 1 {
		t.Errorf("stats: got %+v", s)
	}
}

func TestASilentServerIsLeftInTime(t *testing.T) {
	c := open(t, tcpfake.Listen(t, grant(7, false)))
	ctx := within(t)
	if err := c.WaitSession(ctx); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	good := tcpfake.Listen(t, grant(7, false))
	if _, after, err := c.Switch(ctx, []string{tcpfake.Listen(t, tcpfake.Silent), good}); err != nil || after != 7 || c.Server() != good {
		t.Errorf("session %d via %s: %v", after, c.Server(), err)
	}
	if took := time.Since(start); took > 4*time.Second {
		t.Errorf("took %s, nearly the session timeout", took)
	}
}

func TestHostsGoRound(t *testing.T) {
	var h hosts
	if err := h.Init(nil); err == nil {
		t.Error("no servers: no error")
	}
	if err := h.Init([]string{"a", "b"}); err != nil || h.Len() != 2 {
		t.Fatal(err, h.Len())
	}
	got := ""
	for range 5 {
		server, retry := h.Next()
		if retry {
			t.Error("asks the library to pause")
		}
		got += server
	}
	h.set([]string{"c"})
	server, _ := h.Next()
	if got+server != "ababac" {
		t.Errorf("got %s", got+server)
	}
}
