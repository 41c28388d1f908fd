package cli

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSightWithoutConf: what answers srvr as a real server does, and conf not, or
// in part, is seen by half; without the right to ask conf it is not.
func TestSightWithoutConf(t *testing.T) {
	for _, version := range []string{"3.4.13", "3.8.0"} {
		said := func(word string) string {
			text, err := os.ReadFile(filepath.Join("../zkprobe/testdata", version, "follower", word+".txt"))
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		whole := said("conf")
		for name, c := range map[string]struct {
			conf   string
			silent bool
			unread bool
		}{
			"whole":                {conf: whole},
			"not allowed":          {conf: "conf is not executed because it is not in the whitelist.\n"},
			"silent":               {silent: true, unread: true},
			"nothing":              {unread: true},
			"cut off":              {conf: whole[:40], unread: version != "3.4.13"},
			"in an election":       {conf: "This ZooKeeper instance is not currently serving requests\n", unread: true},
			"silent in the middle": {conf: whole[:40], silent: true, unread: true},
		} {
			t.Run(strings.ReplaceAll(version+" "+name, " ", "_"), func(t *testing.T) {
				t.Parallel()
				address := words(t, func(conn net.Conn, word string) {
					switch word {
					case "srvr":
						_, _ = io.WriteString(conn, said("srvr"))
					case "conf":
						_, _ = io.WriteString(conn, c.conf)
						if c.silent {
							_, _ = io.Copy(io.Discard, conn)
						}
					}
				})
				if s := newProber(nil).Sight(t.Context(), address); !s.Serving() || s.Unread() != c.unread {
					t.Errorf("got %+v", s)
				}
			})
		}
	}
}

// words listens as a server that answers four-letter words.
func words(t *testing.T, answer func(net.Conn, string)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				word := make([]byte, 4)
				if _, err := io.ReadFull(conn, word); err == nil {
					answer(conn, string(word))
				}
			}()
		}
	}()
	return l.Addr().String()
}
