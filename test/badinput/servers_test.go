package badinput

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// journalRows are journals that cannot be read.
func journalRows() []row {
	var out []row
	for name, c := range map[string]struct{ text, says string }{
		"empty": {"", "is not JSON: it is empty"}, "no JSON": {"{", "is not JSON: it breaks off"}, "a list": {"[]", "cannot be read: it is one array"},
		"another version": {`{"apiVersion":"zkmigrate/v99"}`, `has version "zkmigrate/v99"`}, "null": {"null", "cannot be read: it has no apiVersion"},
		"binary": {"\x00\x01", "is not JSON: it is garbled at byte 1 of 2"}, "deep": {strings.Repeat("[", 20000), "is not JSON: it is garbled"},
		"other types":        {`{"apiVersion":"zkmigrate.io/v1alpha1","servers":3}`, "cannot be read: servers cannot be a JSON number"},
		"more than is known": {`{"apiVersion":"zkmigrate.io/v1alpha1","color":"red"}`, `does not know and would lose (unknown field "color")`},
	} {
		for _, command := range []string{"status zk1", "plan zk1", "clients zk1", "replace zk1 --id=1", "revert zk1 --id=1"} {
			out = append(out, row{name: "journal/" + name + "/" + command, args: append(strings.Fields(command), "-n", "zk", "--timeout=80s"), code: 1, says: []string{"journal", "zk/zk1-zkmigrate", c.says},
				config: func(t *testing.T, _ string) setup {
					return over(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						at := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
						if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/configmaps/zk1-") {
							empty(w, r)
							return
						}
						data, err := json.Marshal(map[string]any{
							"kind": "ConfigMap", "apiVersion": "v1", "metadata": map[string]any{"name": at, "namespace": "zk", "labels": map[string]string{"zkmigrate.io/ensemble": "zk1"}},
							"data": map[string]string{"record.json": c.text},
						})
						if err != nil {
							t.Error(err)
						}
						answer(w, 200, string(data))
					}))
				}})
		}
	}
	return out
}

// serverRows are ensembles whose client ports are anything but ZooKeeper.
func serverRows(t *testing.T) []row {
	ip := ownAddress(t)
	if ip == "" {
		t.Log("hostile servers are not played: this machine has no address but loopback")
		return nil
	}
	srvr := func(version, mode string) string {
		return "Zookeeper version: " + version + ", built on x\nLatency min/avg/max: -1/-5/99999999999999999999\nReceived: -1\nSent: -7\nConnections: -3\nOutstanding: -9\nZxid: 0xffffffffffffffff\nMode: " + mode + "\nNode count: -5\n"
	}
	says := func(text string) func(net.Conn) {
		return func(c net.Conn) {
			_ = c.SetDeadline(time.Now().Add(10 * time.Second))
			_, _ = c.Read(make([]byte, 4))
			_, _ = io.WriteString(c, text)
		}
	}
	var out []row
	for name, talk := range map[string]func(net.Conn){
		"binary":             says("\x00\xff\xfe\x01\x02\x03\x7f\x1b[31m"),
		"endless":            func(c net.Conn) { _, _ = io.Copy(c, endless{}) },
		"slow":               func(c net.Conn) { drip(c) },
		"silent":             func(c net.Conn) { _, _ = io.Copy(io.Discard, c) },
		"closes":             func(net.Conn) {},
		"resets":             func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) },
		"half an answer":     says("Zookeeper version: 3.8.0, bui"),
		"negative numbers":   says(srvr("3.8.0", "leader")),
		"control characters": says(srvr("3.8.0\x1b]0;owned\x07\x1b[2J", "leader\x1b[2J")),
		"huge version":       says(srvr(strings.Repeat("9", 500000), "leader")),
		"huge release":       says(srvr("3.8.0-"+strings.Repeat("x", 500000), "leader")),
		"a mode of its own":  says(srvr("3.8.0", "emperor")),
		"HTTP":               says("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\nno"),
		"TLS alert":          says("\x15\x03\x01\x00\x02\x02\x46"),
		"SSH":                says("SSH-2.0-OpenSSH\r\n"),
		"not serving":        says("This ZooKeeper instance is not currently serving requests\n"),
	} {
		out = append(out, row{name: "server/" + name, code: 3, says: []string{"fail", "checks failed", "hint: "}, args: []string{"check", "demo", "-n", "zk"},
			config: func(t *testing.T, _ string) setup { return good(t) }})
		r := &out[len(out)-1]
		for id := 1; id <= 3; id++ {
			_, port, err := net.SplitHostPort(listenAt(t, ip, talk))
			if err != nil {
				t.Fatal(err)
			}
			r.args = append(r.args, fmt.Sprintf("--member=%d=%s:%d:%d;%s", id, ip, 20000+id, 21000+id, port))
		}
	}
	return out
}

func drip(c net.Conn) {
	for {
		if _, err := io.WriteString(c, "Z"); err != nil {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// ownAddress is an address of this machine that others could use, or nothing.
func ownAddress(t *testing.T) string {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() && n.IP.To4() != nil {
			return n.IP.String()
		}
	}
	return ""
}

// outputRows are output directories that are none; they need no cluster.
func outputRows() []row {
	files := map[string]string{"a": zooCfg, "file": "x"}
	args := func(dir string) []string { return []string{"reconfigure", "demo", "-f", "a", "--output-dir=" + dir} }
	return []row{
		{name: "output/a file", files: files, args: args("file"), code: 2, says: []string{"file is not a directory", "give another name"}},
		{name: "output/below a file", files: files, args: args("file/x"), code: 2, says: []string{"--output-dir=file/x cannot be a directory", "give another name"}},
		{name: "output/a link", files: files, args: args("link"), code: 2, prepare: link("/tmp", "link"), says: []string{"symbolic link", "give the directory itself"}},
		{name: "output/a circle", files: files, args: args("link"), code: 2, prepare: link("link", "link"), says: []string{"symbolic link"}},
		{name: "output/no name", files: files, args: args(strings.Repeat("n", 300)), code: 2, says: []string{"--output-dir", "too long", "give another name"}},
	}
}
