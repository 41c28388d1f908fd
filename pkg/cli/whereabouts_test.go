package cli

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/sessions"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkprobe"
	"github.com/zkmigrate/kubectl-zkmigrate/test/tcpfake"
)

// telling makes each server of the record answer cons with what cons has for it.
func telling(t *testing.T, rec *migration.Record, cons map[ensemble.ID]*atomic.Value) (asked *atomic.Int32) {
	t.Helper()
	asked = &atomic.Int32{}
	for i := range rec.Servers {
		text := &atomic.Value{}
		text.Store("")
		cons[rec.Servers[i].ID] = text
		at := netip.MustParseAddrPort(tcpfake.Words(t, func(conn net.Conn, word string) {
			if word == "cons" {
				asked.Add(1)
				said, _ := text.Load().(string)
				_, _ = io.WriteString(conn, said)
			}
		}))
		rec.Servers[i].ClusterIP, rec.Servers[i].ClientPort = at.Addr().String(), int(at.Port())
	}
	return asked
}

const (
	// own is the connection of whoever asks.
	own    = " /10.0.0.9:1[0](queued=0,recved=1,sent=0)\n"
	first  = " /10.9.0.7:40000[1](queued=0,recved=9,sent=9,sid=0xabc,to=6000)\n"
	second = " /0:0:0:0:0:ffff:a09:8:40000[1](queued=0,recved=9,sent=9,sid=0xdef,to=6000)\n"
	closed = "cons is not executed because it is not in the whitelist.\n"
)

// TestWhereabouts: who was seen at a pod is known to a later command, who was not is named, and
// nobody is asked while a server is away.
func TestWhereabouts(t *testing.T) {
	s, rec := wrappedHere(t)
	s.prober, s.kube.warn = newProber(nil), io.Discard
	cons := map[ensemble.ID]*atomic.Value{}
	asked := telling(t, &rec, cons)
	ids := rec.Ensemble().IDs()
	at := time.Now()
	rec.Servers[0].Replaced = &at
	cons[ids[0]].Store(own + first)
	cons[ids[1]].Store(own + second)
	cons[ids[2]].Store(closed)
	v := newWhereabouts(s, true).Look(t.Context(), rec)
	if v.Moved != 1 || v.Sessions != 1 || v.Left[0].Address != "10.9.0.8" || v.Left[0].IDs[0] != 0xdef || len(v.Pods) != 1 {
		t.Errorf("got %+v", v)
	}
	if want := []sessions.Untold{{Server: ids[2], Place: sessions.OnHost, Why: "cons is not in its 4lw.commands.whitelist"}}; !cmp.Equal(v.Untold, want) {
		t.Errorf("untold: %+v", v.Untold)
	}

	cons[ids[0]].Store(own)
	cons[ids[1]].Store(own + first + second)
	later := newWhereabouts(s, true)
	if v = later.Look(t.Context(), rec); v.Moved != 1 || v.Sessions != 1 || v.Left[0].Address != "10.9.0.8" {
		t.Errorf("a later command has %+v", v)
	}
	before := asked.Load()
	if again := later.Look(t.Context(), rec); again != v || asked.Load() != before {
		t.Errorf("it asks again at once")
	}
	rec.Flight = &migration.Flight{Kind: migration.Replace, ID: ids[1], Stopping: migration.Stopping{StopAsked: &at}}
	if again := later.Look(t.Context(), rec); again != v || asked.Load() != before {
		t.Errorf("it asks while a server is away")
	}
	rec.Flight, rec.Servers[1].Replaced = nil, &at
	if v = later.Look(t.Context(), rec); v.Moved != 2 || v.Sessions != 0 {
		t.Errorf("where a server has moved it has %+v", v)
	}
}

// TestWhereaboutsWithoutPermission: a command goes on with what it sees itself, and says so once.
func TestWhereaboutsWithoutPermission(t *testing.T) {
	s, rec := wrappedHere(t)
	var warned bytes.Buffer
	s.prober, s.kube.warn = newProber(nil), &warned
	cons := map[ensemble.ID]*atomic.Value{}
	telling(t, &rec, cons)
	s.kube.client.(*fake.Clientset).PrependReactor("*", "configmaps", func(a clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, "demo-zkmigrate-clients", nil)
	})
	w := newWhereabouts(s, true)
	for _, text := range []string{own + first, own + first + second} {
		cons[rec.Servers[0].ID].Store(text)
		w.asked, w.kept = time.Time{}, time.Time{}
		if v := w.Look(t.Context(), rec); v.Sessions != strings.Count(text, "sid=") {
			t.Errorf("got %+v", v)
		}
	}
	if n := strings.Count(warned.String(), "Warning: "); n != 2 {
		t.Errorf("%d warnings, want one of reading and one of writing:\n%s", n, warned.String())
	}
}

// TestListed: what a server does not tell whole is told to be so.
func TestListed(t *testing.T) {
	many := sessions.List{Server: 1, Place: sessions.OnHost}
	for name, c := range map[string]struct {
		answer zkprobe.Answer
		untold string
		n      int
	}{
		"all":     {zkprobe.Answer{Reach: vantage.Answered, Text: own + first + second}, "", 2},
		"cut off": {zkprobe.Answer{Reach: vantage.Answered, Text: first + second[:20], Truncated: true}, "more clients than are read", 1},
		"foreign": {zkprobe.Answer{Reach: vantage.Answered, Text: first + "HTTP/1.1 200 OK\n"}, "lines that are not clients", 1},
		"closed":  {zkprobe.Answer{Reach: vantage.NotWhitelisted}, "4lw.commands.whitelist", 0},
		"silent":  {zkprobe.Answer{Reach: vantage.Timeout, Err: context.DeadlineExceeded}, "deadline", 0},
	} {
		got := listed(many, c.answer)
		if len(got.Sessions) != c.n || !strings.Contains(got.Untold, c.untold) || c.untold == "" && got.Untold != "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestRefusedForClients: what needs consent is refused with 3, also after other servers were moved.
func TestRefusedForClients(t *testing.T) {
	s, rec := wrappedHere(t)
	var out bytes.Buffer
	d := &deps{streams: genericiooptions.IOStreams{Out: &out, ErrOut: &out}}
	o := &MoveOptions{deps: d, kind: migration.Replace, moved: 2, wrote: true}
	in := migration.Intent{Kind: migration.Replace, ID: rec.Servers[2].ID}
	loss := migration.Decision{Kind: migration.Stop, Code: migration.CodeClientLoss, Reason: "they would be lost", Next: "clients"}
	var said bytes.Buffer
	if code := report(&said, o.outcome(t.Context(), s, in, loss, nil, time.Now())); code != exitRefused || !strings.Contains(said.String(), "No other server was touched; 2 were moved before.") {
		t.Errorf("%d: %s", code, said.String())
	}
	loss.Code = migration.CodeDegraded
	if code := report(io.Discard, o.outcome(t.Context(), s, in, loss, nil, time.Now())); code != exitPaused {
		t.Errorf("another stop after servers were moved: %d", code)
	}
}
