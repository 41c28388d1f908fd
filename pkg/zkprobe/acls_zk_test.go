//go:build linux && zk

package zkprobe

import (
	"context"
	"encoding/binary"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/test/zkreal"
)

const (
	opCreate = 1
	opSetACL = 7
)

// writer changes znodes of a real server, as a client that connects again where its server has
// left the quorum for a moment.
type writer struct {
	t    *testing.T
	addr string
	c    *juteConn
}

func newWriter(t *testing.T, addr string) *writer {
	t.Helper()
	w := &writer{t: t, addr: addr}
	if err := w.connect(); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *writer) connect() error {
	conn, err := net.Dial("tcp", w.addr)
	if err != nil {
		return err
	}
	w.t.Cleanup(func() { conn.Close() })
	w.c = &juteConn{conn: conn}
	_, err = w.c.connect(30 * time.Second)
	return err
}

// nodeExists answers a create whose first answer was lost.
const nodeExists = -110

func (w *writer) call(op int32, body []byte) {
	w.t.Helper()
	r, err := w.c.call(op, body)
	if err != nil {
		r, err = w.callAgain(op, body)
	}
	if err != nil || r.code != 0 && (op != opCreate || r.code != nodeExists) {
		w.t.Fatalf("operation %d: code %d, %v", op, r.code, err)
	}
}

// callAgain asks until the server takes sessions again.
func (w *writer) callAgain(op int32, body []byte) (r reply, err error) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); <-tick.C {
		if err = w.connect(); err != nil {
			continue
		}
		if r, err = w.c.call(op, body); err == nil {
			return r, nil
		}
	}
	return r, err
}

func (w *writer) create(path string) {
	w.t.Helper()
	b := binary.BigEndian.AppendUint32(appendText(nil, path), 0) // no data
	w.call(opCreate, binary.BigEndian.AppendUint32(appendACL(b, []string{"31 world anyone"}), 0))
}

func (w *writer) setACL(path string, acl ...string) {
	w.t.Helper()
	w.call(opSetACL, binary.BigEndian.AppendUint32(appendACL(appendText(nil, path), acl), 0xffffffff))
}

// TestRealScanACLs: ip entries of real servers, one that we may not read, and the server list's.
func TestRealScanACLs(t *testing.T) {
	for _, version := range zkreal.Versions() {
		t.Run(version, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			e := startReal(ctx, t, zkreal.Options{Version: version, Dir: t.TempDir()})
			addr := e.Server(2).ClientAddr()
			w := newWriter(t, addr)
			for _, path := range []string{"/ours", "/ours/below", "/both", "/theirs", "/theirs/below", "/plain"} {
				w.create(path)
			}
			w.setACL("/ours", "31 ip 127.0.0.1")
			w.setACL("/both", "1 world anyone", "31 ip 10.1.0.7")
			w.setACL("/theirs", "31 ip 10.1.2.3")
			got, err := Prober{}.ScanACLs(ctx, addr, ScanBounds{Znodes: 100, Depth: 10})
			if err != nil {
				t.Fatal(err)
			}
			find := func(id string) vantage.ACLEntry {
				i := slices.IndexFunc(got.Entries, func(e vantage.ACLEntry) bool { return e.Scheme == "ip" && e.ID == id })
				if i < 0 {
					return vantage.ACLEntry{}
				}
				return got.Entries[i]
			}
			if e := find("127.0.0.1"); e.Permissions != "cdrwa" || !slices.Equal(e.Paths, []string{"/ours"}) {
				t.Errorf("got %+v", got.Entries)
			}
			if e := find("10.1.0.7"); e.Permissions != "cdwa" || !slices.Equal(e.Paths, []string{"/both"}) {
				t.Errorf("got %+v", got.Entries)
			}
			// Who may not read a znode may not read its ACL either, since 3.4.14 and 3.5.5 (ZOOKEEPER-1392); Debian's 3.4.13 is
			// patched.
			if got.Hidden != 1 || !slices.Equal(got.HiddenPaths, []string{"/theirs"}) || got.Closed != 0 || find("10.1.2.3").Znodes != 0 {
				t.Errorf("got %+v", got)
			}
			if got.Complete() || got.Stopped != "" || got.Skipped != 0 {
				t.Errorf("got %+v", got)
			}
			bounded, err := Prober{}.ScanACLs(ctx, addr, ScanBounds{Znodes: 3, Depth: 10})
			if err != nil || bounded.Read > 3 || bounded.Skipped == 0 || bounded.Stopped != "at the bound of 3 znodes" {
				t.Errorf("bounded: got %+v, %v", bounded, err)
			}
		})
	}
}

// TestRealScanIsGentle: writes of a client beside a scan of many znodes.
func TestRealScanIsGentle(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	e := startReal(ctx, t, zkreal.Options{Version: "3.8.0", Dir: t.TempDir()})
	addr := e.Server(e.LeaderLast(ctx)[0]).ClientAddr()
	w := newWriter(t, addr)
	w.create("/many")
	for i := range 3000 {
		w.create("/many/" + string(rune('a'+i%26)) + time.Duration(i).String())
	}
	w.c.conn.Close() // as a server does that has lost its leader
	measure := func(until <-chan struct{}) (n int, longest time.Duration) {
		for {
			select {
			case <-until:
				return n, longest
			default:
			}
			start := time.Now()
			w.setACL("/many", "31 world anyone")
			n, longest = n+1, max(longest, time.Since(start))
		}
	}
	scanned := make(chan struct{})
	var got vantage.ACLScan
	began := time.Now()
	var err error
	go func() {
		defer close(scanned)
		got, err = Prober{}.ScanACLs(ctx, addr, ScanBounds{Znodes: 100_000, Depth: 10})
	}()
	n, longest := measure(scanned)
	took := time.Since(began)
	if err != nil || got.Read < 3000 || !got.Complete() {
		t.Fatalf("got %+v, %v", got, err)
	}
	alone, cancelAlone := context.WithTimeout(ctx, took)
	defer cancelAlone()
	m, longestAlone := measure(alone.Done())
	t.Logf("%d znodes in %s; %d writes meanwhile, the longest %s; without the scan %d, the longest %s", got.Read, took, n, longest, m, longestAlone)
}
