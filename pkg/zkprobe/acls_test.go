package zkprobe

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/test/tcpfake"
)

// fakeTree answers reads of znodes: each path's entries, and its children. An entry "hidden" is
// not for us, "closed" hides the children alone, "code" is refused with another code, "short"
// is cut.
func fakeTree(t *testing.T, entries map[string][]string, children map[string][]string) (addr string, asked *[]string) {
	t.Helper()
	asked = &[]string{}
	addr = tcpfake.Listen(t, func(c net.Conn) {
		j := &juteConn{conn: c}
		if _, err := j.receive(); err != nil || j.send(granted()) != nil {
			return
		}
		for {
			req, err := j.receive()
			if err != nil {
				return
			}
			op := int32(binary.BigEndian.Uint32(req[4:]))
			if op == opCloseSession {
				_ = j.send(replyTo(req, 1, 0))
				return
			}
			path := (&answer{left: req[8:]}).text()
			*asked = append(*asked, fmt.Sprintf("%d %s", op, path))
			acl, known := entries[path]
			code := int32(0)
			switch {
			case !known:
				code = codeNoNode
			case slices.Contains(acl, "hidden") || op == opGetChildren && slices.Contains(acl, "closed"):
				code = codeNoAuth
			case slices.Contains(acl, "code"):
				code = -4
			}
			b := replyTo(req, 1, code)
			if code == 0 && op == opGetACL {
				b = appendACL(b, acl)
				b = append(b, make([]byte, 56)...) // Stat
				b = binary.BigEndian.AppendUint32(b, uint32(len(children[path])))
				b = append(b, make([]byte, 8)...)
			} else if code == 0 {
				b = binary.BigEndian.AppendUint32(b, uint32(len(children[path])))
				for _, name := range children[path] {
					b = appendText(b, name)
				}
			}
			if slices.Contains(acl, "short") {
				b = b[:len(b)-12]
			}
			if j.send(b) != nil {
				return
			}
		}
	})
	return addr, asked
}

func appendText(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

// appendACL adds entries like "31 ip 10.0.0.1".
func appendACL(b []byte, acl []string) []byte {
	n := 0
	var body []byte
	for _, text := range acl {
		var bits uint32
		var scheme, id string
		if _, err := fmt.Sscanf(text, "%d %s %s", &bits, &scheme, &id); err == nil {
			body = appendText(appendText(binary.BigEndian.AppendUint32(body, bits), scheme), id)
			n++
		}
	}
	return append(binary.BigEndian.AppendUint32(b, uint32(n)), body...)
}

// TestScanACLs: what is read, what is not, and what a bound leaves out.
func TestScanACLs(t *testing.T) {
	const anyone = "31 world anyone"
	entries := map[string][]string{
		"/": {anyone}, "/zookeeper": {anyone}, "/zookeeper/config": {"1 world anyone", "30 ip 10.0.0.9"},
		"/a": {"1 world anyone", "31 ip 10.0.0.0/8"}, "/a/b": {"15 ip 10.0.0.9", "16 ip 10.0.0.9"}, "/a/b/c": {anyone, "31 ip 10.0.0.9"},
		"/mine": {"31 sasl app"}, "/secret": {"hidden"}, "/shut": {anyone, "closed"}, "/shut/in": {anyone},
	}
	children := map[string][]string{
		"/": {"zookeeper", "a", "gone", "mine", "secret", "shut"}, "/zookeeper": {"config"}, "/a": {"b"}, "/a/b": {"c"}, "/shut": {"in"},
	}
	all := ScanBounds{Znodes: 100, Depth: 10}
	for name, c := range map[string]struct {
		bounds                        ScanBounds
		read, hidden, closed, skipped int
		stopped                       string
		asked                         int
	}{
		"all":            {all, 8, 1, 1, 0, "", 14},
		"not deep":       {ScanBounds{100, 1}, 6, 1, 0, 2, "at the bound of depth 1", 9},
		"few":            {ScanBounds{4, 10}, 4, 0, 0, 5, "at the bound of 4 znodes", 5},
		"the first only": {ScanBounds{1, 10}, 1, 0, 0, 1, "at the bound of 1 znodes", 1},
	} {
		t.Run(name, func(t *testing.T) {
			addr, asked := fakeTree(t, entries, children)
			got, err := Prober{}.ScanACLs(t.Context(), addr, c.bounds)
			if err != nil {
				t.Fatal(err)
			}
			if got.From != addr || got.Read != c.read || got.Hidden != c.hidden || got.Closed != c.closed || got.Skipped != c.skipped || got.Stopped != c.stopped || len(*asked) != c.asked {
				t.Errorf("got %+v, asked %q", got, *asked)
			}
		})
	}
	addr, _ := fakeTree(t, entries, children)
	got, err := Prober{}.ScanACLs(t.Context(), addr, all)
	want := []vantage.ACLEntry{
		{Scheme: "ip", ID: "10.0.0.9", Permissions: "cdrwa", Znodes: 2, Paths: []string{"/zookeeper/config", "/a/b"}},
		{Scheme: "ip", ID: "10.0.0.0/8", Permissions: "cdwa", Znodes: 1, Paths: []string{"/a"}},
		{Scheme: "sasl", ID: "app", Permissions: "cdrwa", Znodes: 1, Paths: []string{"/mine"}},
	}
	if err != nil || !reflect.DeepEqual(got.Entries, want) || !slices.Equal(got.HiddenPaths, []string{"/secret"}) || !slices.Equal(got.ClosedPaths, []string{"/shut"}) || got.Complete() {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestScanACLsEnds: with what it has, and says why; or with an error where that is nothing.
func TestScanACLsEnds(t *testing.T) {
	root := map[string][]string{"/": {"a"}}
	for name, c := range map[string]struct {
		acl          []string
		stopped, err string
	}{
		"a refusal":       {[]string{"code"}, "refused to read with code -4", ""},
		"half an answer":  {[]string{"short", "31 ip 10.0.0.1"}, "too short for the protocol", ""},
		"a wrong length":  {[]string{"31 ip 10.0.0.1"}, "", ""},
		"and at the root": {nil, "", "code -4"},
	} {
		t.Run(name, func(t *testing.T) {
			entries := map[string][]string{"/": {"31 world anyone"}, "/a": c.acl}
			if c.err != "" {
				entries["/"] = []string{"code"}
			}
			addr, _ := fakeTree(t, entries, root)
			got, err := Prober{}.ScanACLs(t.Context(), addr, ScanBounds{100, 10})
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil || !strings.Contains(got.Stopped, c.stopped) || (c.stopped != "") == got.Complete() {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	hangs := tcpfake.Listen(t, func(c net.Conn) {
		j := &juteConn{conn: c}
		_, _ = j.receive()
		_ = j.send(granted())
		_, _ = j.receive()
		tcpfake.Silent(c)
	})
	got, err := Prober{CommitTimeout: 100 * time.Millisecond}.ScanACLs(t.Context(), hangs, ScanBounds{100, 10})
	if err != nil || got.Stopped != "because the server did not answer within 100ms" || got.Skipped != 2 {
		t.Errorf("a server that hangs: %+v, %v", got, err)
	}
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if got, err = (Prober{}).ScanACLs(short, hangs, ScanBounds{100, 10}); err != nil || got.Stopped != "because its time was over" {
		t.Errorf("time: %+v, %v", got, err)
	}
	if _, err = (Prober{}).ScanACLs(t.Context(), closedPort(t), ScanBounds{100, 10}); err == nil {
		t.Error("nobody there: no error")
	}
}

func FuzzACLAnswers(f *testing.F) {
	f.Add(appendACL(nil, []string{"31 ip 10.0.0.1"}))
	f.Add([]byte{0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0x80, 0, 0, 0})
	f.Fuzz(func(t *testing.T, body []byte) {
		if entries, children := (&answer{left: body}).acl(); children < 0 || len(entries) > len(body) {
			t.Errorf("%d entries, %d children of %d bytes", len(entries), children, len(body))
		}
		if names := (&answer{left: body}).names(); len(names) > len(body)/4+1 {
			t.Errorf("%d names of %d bytes", len(names), len(body))
		}
	})
}
