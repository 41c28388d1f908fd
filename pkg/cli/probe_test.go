package cli

import (
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/test/tcpfake"
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
			"cut off":              {conf: whole[:40], unread: true},
			"in an election":       {conf: "This ZooKeeper instance is not currently serving requests\n", unread: true},
			"silent in the middle": {conf: whole[:40], silent: true, unread: true},
		} {
			t.Run(strings.ReplaceAll(version+" "+name, " ", "_"), func(t *testing.T) {
				t.Parallel()
				address := tcpfake.Words(t, func(conn net.Conn, word string) {
					switch word {
					case "srvr":
						_, _ = io.WriteString(conn, said("srvr"))
					case "conf":
						_, _ = io.WriteString(conn, c.conf)
						if c.silent {
							tcpfake.Silent(conn)
						}
					}
				})
				if s := newProber(nil).Sight(t.Context(), target(t, address)); !s.Serving() || s.Unread() != c.unread {
					t.Errorf("got %+v", s)
				}
			})
		}
	}
}

// TestSightOfWhatIsNoZooKeeper: text without a mode tells of nobody who takes part, and
// of nobody who does not; nor does it make a host up.
func TestSightOfWhatIsNoZooKeeper(t *testing.T) {
	whole, err := os.ReadFile("../zkprobe/testdata/3.4.13/follower/srvr.txt")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"a proxy":                "HTTP/1.1 502 Bad Gateway\r\n\r\n",
		"SSH":                    "SSH-2.0-OpenSSH_9.6\r\n",
		"another database":       "-ERR unknown command\r\n",
		"an answer that was cut": string(whole[:strings.Index(string(whole), "Mode")]),
		"a line that was cut":    string(whole[:40]),
		"a mode that nobody has": "Zookeeper version: 3.4.13\nMode: emperor\n",
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			for how, end := range map[string]func(net.Conn){"closed": func(net.Conn) {}, "reset": func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }} {
				address := tcpfake.Words(t, func(conn net.Conn, word string) {
					_, _ = io.WriteString(conn, text)
					end(conn)
				})
				s := newProber(nil).Sight(t.Context(), target(t, address))
				host := migration.HostView{Client: vantage.PortOpen, Election: vantage.PortOpen, Answer: s}
				if s.Sight() != vantage.Unseen || host.State() != migration.HostUnclear {
					t.Errorf("%s: %s, up %t: %+v", how, s.Sight(), host.Up(), s)
				}
			}
		})
	}
}

// target is server 1 at that address.
func target(t *testing.T, address string) vantage.Target {
	t.Helper()
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return vantage.Target{Server: 1, Via: vantage.ViaHost, Host: at.Addr().String(), Port: int(at.Port())}
}
