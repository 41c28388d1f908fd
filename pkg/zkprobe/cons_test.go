package zkprobe

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseConsOfRealServers(t *testing.T) {
	for _, version := range []string{"3.4.13", "3.8.0", "3.9.3"} {
		for _, word := range []Word{Cons, Stat} {
			t.Run(version+"/"+string(word), func(t *testing.T) {
				clients, rest := ParseCons(recorded(t, version, "follower", word))
				if len(clients) != 2 {
					t.Fatalf("got %d clients, want the session and our own question: %+v, rest %q", len(clients), clients, rest)
				}
				sessions := 0
				for _, c := range clients {
					if c.Addr.Addr().String() != "127.0.0.1" || c.Addr.Port() == 0 {
						t.Errorf("address: got %s", c.Addr)
					}
					if c.SessionID == 0 {
						continue
					}
					sessions++
					if got := SplitSession(c.SessionID).IDByte; got != 1 {
						t.Errorf("session 0x%x: server %d, want 1", c.SessionID, got)
					}
					if c.Timeout != 20*time.Second || c.Established.IsZero() {
						t.Errorf("session: got %+v", c)
					}
				}
				// stat shows only the short form of each line, without sid.
				if want := map[Word]int{Cons: 1, Stat: 0}[word]; sessions != want {
					t.Errorf("got %d sessions, want %d", sessions, want)
				}
				if word == Cons && len(rest) != 0 {
					t.Errorf("rest: got %q", rest)
				}
			})
		}
	}
}

func TestParseConsLines(t *testing.T) {
	clients, rest := ParseCons(" /0:0:0:0:0:0:0:1:41376[1](queued=0,sid=0xff00000143e90001,to=6000,est=1795345899154)\n" +
		" /[2001:db8::5]:7[0](queued=0)\n /10.0.0.1:99999[0](queued=0)\n /nonsense[1](a=b)\n /10.0.0.1:1\nClients:\n")
	type line struct {
		Addr    string
		Session uint64
		Timeout time.Duration
	}
	var got []line
	for _, c := range clients {
		got = append(got, line{c.Addr.String(), uint64(c.SessionID), c.Timeout})
	}
	want := []line{{"[::1]:41376", 0xff00000143e90001, 6 * time.Second}, {"[2001:db8::5]:7", 0, 0}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("clients (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"/10.0.0.1:99999[0](queued=0)", "/nonsense[1](a=b)", "/10.0.0.1:1", "Clients:"}, rest); diff != "" {
		t.Errorf("rest (-want +got):\n%s", diff)
	}
}

func FuzzParseCons(f *testing.F) {
	eachRecorded(f, Cons, func(_, text string) { f.Add(text) })
	eachRecorded(f, Stat, func(_, text string) { f.Add(text) })
	f.Fuzz(func(t *testing.T, text string) {
		clients, _ := ParseCons(text)
		for _, c := range clients {
			if !c.Addr.IsValid() {
				t.Errorf("address %s", c.Addr)
			}
			SplitSession(c.SessionID).ServingSince(c)
		}
	})
}

// TestSeenAs: the connection that asks is told from others in what real servers say, and where two
// might be it, nothing is known.
func TestSeenAs(t *testing.T) {
	for _, version := range []string{"3.4.13", "3.8.0", "3.9.3"} {
		if got := SeenAs(recorded(t, version, "follower", Cons)); got != "127.0.0.1" {
			t.Errorf("%s: %q", version, got)
		}
	}
	const ours = " /10.0.0.7:1[0](queued=0,recved=1,sent=0)\n"
	for text, want := range map[string]string{
		ours: "10.0.0.7",
		ours + " /10.0.0.8:2[0](queued=0,recved=1,sent=0)\n":       "",
		" /0:0:0:0:0:ffff:a00:7:1[0](queued=0,recved=1,sent=0)\n":  "10.0.0.7",
		" /10.0.0.7:1[1](queued=0,recved=9,sent=9,sid=0x1)\n":      "",
		"cons is not executed because it is not in the whitelist.": "",
	} {
		if got := SeenAs(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
