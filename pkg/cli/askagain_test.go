package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkprobe"
	"github.com/zkmigrate/kubectl-zkmigrate/test/tcpfake"
)

// TestOneLookIsNoVerdict: a check asks again whom it did not see, says so, and takes
// no for an answer at once.
func TestOneLookIsNoVerdict(t *testing.T) {
	srvr, err := os.ReadFile("../zkprobe/testdata/3.4.13/follower/srvr.txt")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		lost  int32
		text  string
		want  vantage.Sight
		asked int32
		said  int
	}{
		"the first is lost":     {lost: 1, text: string(srvr), want: vantage.SeenServing, asked: 2, said: 1},
		"two are lost":          {lost: 2, text: string(srvr), want: vantage.SeenServing, asked: 3, said: 2},
		"all are lost":          {lost: 9, text: string(srvr), want: vantage.Unseen, asked: 3, said: 2},
		"it says that it idles": {text: "This ZooKeeper instance is not currently serving requests\n", want: vantage.SeenNotServing, asked: 1},
		"srvr is not allowed":   {text: "srvr is not executed because it is not in the whitelist.\n", want: vantage.Unseen, asked: 1},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			var asked atomic.Int32
			address := tcpfake.Words(t, func(conn net.Conn, word string) {
				switch {
				case word == "srvr" && asked.Add(1) > c.lost:
					_, _ = io.WriteString(conn, c.text)
				case word == "conf":
					_, _ = io.WriteString(conn, "clientPort=2181\nserverId=1\n")
				}
			})
			var out bytes.Buffer
			p := patientProber{prober: newProber(nil), pause: func(context.Context, time.Duration) error { return nil }, out: &out}
			if s := p.learn(t.Context(), target(t, address)).Sighting(); s.Sight() != c.want || asked.Load() != c.asked || strings.Count(out.String(), "server 1 at "+address+" was not seen") != c.said {
				t.Errorf("%s after %d questions: %+v\n%s", s.Sight(), asked.Load(), s, out.String())
			}
		})
	}
}

// dialer answers each dial by the next error, then by a refusal.
type dialer struct{ errs []error }

func (d *dialer) DialContext(context.Context, string, string) (net.Conn, error) {
	if len(d.errs) == 0 {
		return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	err := d.errs[0]
	d.errs = d.errs[1:]
	return nil, err
}

// TestASilentPortIsAskedAgain, and one that refuses is not.
func TestASilentPortIsAskedAgain(t *testing.T) {
	lost := errors.New("lost")
	for _, c := range []struct {
		errs []error
		want vantage.PortState
		said int
	}{
		{nil, vantage.PortClosed, 0},
		{[]error{lost}, vantage.PortClosed, 1},
		{[]error{lost, lost, lost}, vantage.PortUnknown, 2},
	} {
		var out bytes.Buffer
		p := patientProber{prober: prober{Prober: zkprobe.Prober{Dialer: &dialer{c.errs}, Timeout: time.Second}}, pause: func(context.Context, time.Duration) error { return nil }, out: &out}
		if got := p.port(t.Context(), target(t, "192.0.2.1:3888")); got == vantage.PortOpen || (c.want == vantage.PortClosed) != (got == vantage.PortClosed) || strings.Count(out.String(), "asking again") != c.said {
			t.Errorf("%d lost: %s, said %q", len(c.errs), got, out.String())
		}
	}
}
