package tunnel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/podfake"
	"github.com/zkmigrate/kubectl-zkmigrate/test/tcpfake"
)

func through(t *testing.T, run Run) *Tunnel {
	t.Helper()
	tun := New(t.Context(), "zk-pod-0", run)
	t.Cleanup(tun.Close)
	return tun
}

// isBroken reports whether the stream, and not the other side, is at fault.
func isBroken(err error) bool {
	var broken *brokenError
	return errors.As(err, &broken)
}

func every() []byte {
	var all []byte
	for i := range 256 {
		all = append(all, byte(i))
	}
	return all
}

func TestBytesPassUnchangedBothWays(t *testing.T) {
	t.Parallel()
	echo := tcpfake.Listen(t, func(c net.Conn) { _, _ = io.Copy(c, c) })
	tun := through(t, podfake.Run)
	for _, sent := range [][]byte{
		[]byte("srvr"), every(), bytes.Repeat([]byte{0}, 2500), bytes.Repeat(every(), 40),
		[]byte("'\\\n$`\"x%s\\x00"), []byte(" lead and trail \n"),
	} {
		c, err := tun.DialContext(t.Context(), "tcp", echo)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(sent); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(sent))
		if _, err := io.ReadFull(c, got); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, sent) {
			t.Errorf("sent %q, got %q", sent[:20], got[:20])
		}
		c.Close()
	}
}

func TestConversationsSideBySide(t *testing.T) {
	t.Parallel()
	addr := tcpfake.Listen(t, func(c net.Conn) {
		word := make([]byte, 4)
		if _, err := io.ReadFull(c, word); err == nil {
			_, _ = c.Write(bytes.Repeat(word, 2000))
		}
	})
	tun := through(t, podfake.Run)
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			c, err := tun.DialContext(t.Context(), "tcp", addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			word := fmt.Sprintf("w%03d", i)
			_, _ = io.WriteString(c, word)
			got, err := io.ReadAll(c)
			if err != nil || string(got) != strings.Repeat(word, 2000) {
				t.Errorf("%s: %d bytes, %v", word, len(got), err)
			}
		})
	}
	wg.Wait()
}

func TestHowADialFails(t *testing.T) {
	t.Parallel()
	tun := through(t, podfake.Run)
	dead := tcpfake.Listen(t, func(net.Conn) {})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusing := l.Addr().String()
	l.Close()
	if _, err := tun.DialContext(t.Context(), "tcp", refusing); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("refused: %v", err)
	}
	var dns *net.DNSError
	if _, err := tun.DialContext(t.Context(), "tcp", "no-such-host.invalid:2181"); !errors.As(err, &dns) {
		t.Errorf("a name that does not resolve: %v", err)
	}
	for _, bad := range []string{"", "host", "a b:1", "host:\n1", `h\x41:1`, ":1", "h:"} {
		if _, err := tun.DialContext(t.Context(), "tcp", bad); err == nil {
			t.Errorf("%q was dialed", bad)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tun.DialContext(ctx, "tcp", dead); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
}

func TestAReadEndsAtItsDeadline(t *testing.T) {
	t.Parallel()
	addr := tcpfake.Listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	c, err := through(t, podfake.Run).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(50 * time.Millisecond))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Read: %v", err)
	}
	c.Close()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Read of a closed one: %v", err)
	}
}

// TestClosingEndsTheConnection: the far side sees the end at once; an election port that
// is held open keeps every peer out.
func TestClosingEndsTheConnection(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	addr := tcpfake.Listen(t, func(c net.Conn) {
		_, err := io.Copy(io.Discard, c)
		ended <- err
	})
	c, err := through(t, podfake.Run).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if err := <-ended; err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the far side saw %v", err)
	}
}

// TestAStreamThatBreaksIsNoAnswer: in the middle of an answer it is a time-out and not
// its end; the next dial makes a new stream.
func TestAStreamThatBreaksIsNoAnswer(t *testing.T) {
	t.Parallel()
	began := make(chan context.CancelFunc, 2)
	run := func(ctx context.Context, program []string, stdin io.Reader, stdout, stderr io.Writer) error {
		ctx, cancel := context.WithCancel(ctx)
		began <- cancel
		return podfake.Run(ctx, program, stdin, stdout, stderr)
	}
	addr := tcpfake.Listen(t, func(c net.Conn) {
		_, _ = io.WriteString(c, "half an answer")
		_, _ = io.Copy(io.Discard, c)
	})
	tun := through(t, run)
	c, err := tun.DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	half := make([]byte, len("half an answer"))
	if _, err := io.ReadFull(c, half); err != nil {
		t.Fatal(err)
	}
	(<-began)()
	var netErr net.Error
	if n, err := c.Read(half); n != 0 || !isBroken(err) || !errors.As(err, &netErr) || !netErr.Timeout() {
		t.Errorf("Read = %d, %v", n, err)
	}
	if _, err := c.Write(half); err == nil {
		t.Error("a broken stream takes bytes")
	}
	again, err := tun.DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}

// TestWhatAPodMaySay: anything; what is no line of ours ends the stream, in words.
func TestWhatAPodMaySay(t *testing.T) {
	t.Parallel()
	for _, says := range []string{
		"bash: not found\n", hello + "\n1 o o\n", hello + "\n1\n", hello + "\nx o\n", hello + "\n1 d abc\n",
		hello + "\n1 d \n", hello + "\n1 d YQ\n", hello + "\n1 d YR==\n", hello + "\n1 d YQ==YQ==\n", hello + "\n1 d Y Q=\n",
		hello + "\n-1 e\n", hello + "\n1 z\n",
		hello + "\n1 d " + strings.Repeat("x", 2*maxLine) + "\n", hello + "\n" + strings.Repeat("x", 2*maxLine), hello, "",
		hello + "\n1 k\n", hello + "\n\n", hello + "\np p\n", strings.Repeat("\x00", 100) + "\n",
	} {
		tun := through(t, func(_ context.Context, _ []string, _ io.Reader, stdout, _ io.Writer) error {
			_, _ = io.WriteString(stdout, says)
			return nil
		})
		_, err := tun.DialContext(t.Context(), "tcp", "127.0.0.1:1")
		if !isBroken(err) {
			t.Errorf("%.60q: %v", says, err)
			continue
		}
		if strings.ContainsAny(err.Error(), "\x00\x1b\n") || len(err.Error()) > 500 {
			t.Errorf("%.60q: said as %q", says, err)
		}
	}
}

func TestStandardErrorSaysWhy(t *testing.T) {
	t.Parallel()
	tun := through(t, func(_ context.Context, _ []string, _ io.Reader, _, stderr io.Writer) error {
		_, _ = io.WriteString(stderr, "exec: \"bash\": executable file not found\x1b[31m\n")
		return errors.New("exit code 127")
	})
	err := tun.Open(t.Context())
	if !isBroken(err) || !strings.Contains(err.Error(), "executable file not found") || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("Open: %v", err)
	}
}

// TestNothingIsLeftBehind: with its input the program and all it started end, also what
// hangs in a connect.
func TestNothingIsLeftBehind(t *testing.T) {
	t.Parallel()
	silent, ok := tcpfake.Full(t)
	if !ok {
		t.Fatal("no connect hangs: the test shows nothing")
	}
	group := make(chan int, 1)
	run := podfake.Started(func(pid int) { group <- pid })
	tun := New(t.Context(), "zk-pod-0", run)
	hung := 0
	for range 6 {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		if _, err := tun.DialContext(ctx, "tcp", silent.String()); err != nil {
			hung++
		}
		cancel()
	}
	if hung == 0 {
		t.Fatal("no connect hung: the test shows nothing")
	}
	tun.Close()
	if err := syscall.Kill(-<-group, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("processes are left: %v", err)
	}
}

func FuzzParseLine(f *testing.F) {
	f.Add("1 d YWJj")
	f.Add("1 f connect: Connection refused")
	f.Fuzz(func(t *testing.T, line string) {
		if e, err := parseLine(line); err == nil && len(e.bytes) > len(line) {
			t.Errorf("%q became %d bytes", line, len(e.bytes))
		}
	})
}
