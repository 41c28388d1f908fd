package cli

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

func twoServers() migration.Record {
	rec := migration.Record{Name: "zk1", Namespace: "zk"}
	for i, id := range []ensemble.ID{1, 2} {
		rec.Servers = append(rec.Servers, migration.ServerRecord{
			Server: ensemble.Server{ID: id, PeerAddress: ensemble.PeerAddress{Host: "host" + id.String() + ".example.com"}},
			HostIP: "10.1.0." + id.String(), Service: "zk1-" + id.String(), ClusterIP: "10.96.0." + id.String(), Ordinal: i,
		})
	}
	return rec
}

// TestFileUse: a host's file that has a Service in it, wherever, is a user of it.
func TestFileUse(t *testing.T) {
	for text, want := range map[string]migration.UseState{
		goodHead + "server.1=10.1.0.1:2888:3888\nserver.2=10.1.0.2:2888:3888\n":                                      migration.UseNone,
		goodHead + "server.1=10.96.0.1:2888:3888\nserver.2=10.1.0.2:2888:3888\n":                                     migration.UseSeen,
		goodHead + "server.1=zk1-1:2888:3888\nserver.2=10.1.0.2:2888:3888\n":                                         migration.UseSeen,
		goodHead + "server.1=10.1.0.1:2888:3888|10.96.0.2:2889:3889\nserver.2=10.1.0.2:2888:3888\n":                  migration.UseSeen,
		goodHead + "clientPortAddress=10.96.0.2\nserver.1=10.1.0.1:2888:3888\nserver.2=10.1.0.2:2888:3888\n":         migration.UseSeen,
		goodHead + "# once 10.96.0.2, taken back\nserver.1=10.1.0.1:2888:3888\nserver.2=10.1.0.2:2888:3888\n":        migration.UseSeen,
		goodHead + "dataLogDir=/var/log/zk1-1\nserver.1=10.1.0.1:2888:3888\nserver.2=10.1.0.2:2888:3888\n":           migration.UseNone,
		goodHead + "server.1=zk1-1.other.example.com:2888:3888\nserver.2=10.1.0.2:2888:3888\n# zk1-2 is elsewhere\n": migration.UseNone,
	} {
		c, err := ensemble.ParseConfig("zoo.cfg", []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		if u := fileUse(twoServers(), 1, ensemble.HostConfig{Source: "zoo.cfg", Config: c}); u.State != want || u.Key != "file-1" {
			t.Errorf("%s\n%+v, want %s", text, u, want)
		}
	}
}

// TestNameUses: names that lead to a Service by now.
func TestNameUses(t *testing.T) {
	ask := func(host string) ([]netip.Addr, error) {
		switch host {
		case "host1.example.com":
			return []netip.Addr{netip.MustParseAddr("10.1.0.1")}, nil
		case "host2.example.com":
			return []netip.Addr{netip.MustParseAddr("::ffff:10.96.0.2")}, nil
		}
		return nil, errors.New("no such host")
	}
	uses := nameUses(twoServers(), ask)
	if len(uses) != 1 || uses[0].State != migration.UseSeen || !strings.Contains(uses[0].Text, "host2.example.com of server 2 leads to Service zk1-2") {
		t.Errorf("%+v", uses)
	}
}

// TestClientsText names some of many, and says who did not answer.
func TestClientsText(t *testing.T) {
	many := map[string]bool{}
	for _, c := range "abcdefghijkl" {
		many["10.0.0."+string(c)] = true
	}
	for want, got := range map[string]string{
		"no client is connected now": clientsText(nil, 0),
		"and 2 more":                 clientsText(many, 0),
		"2 servers do not answer":    clientsText(nil, 2),
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q does not say %q", got, want)
		}
	}
}

// TestBadRemovals: usage errors need no cluster where they can do without.
func TestBadRemovals(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, map[string]string{"zoo.cfg": good, "bad.cfg": "server.1=\n"})
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"unwrap", "zk1", "-f", "1=bad.cfg"}, "bad.cfg"},
		{[]string{"unwrap", "zk1", "-f", "1=none.cfg"}, "no such file"},
		{[]string{"unwrap", "zk1", "zk2"}, "at most one NAME"},
		{[]string{"unwrap", "ZK1"}, "ensemble name"},
		{[]string{"unpark", "zk1", "--timeout=0s"}, "--timeout=0s"},
		{[]string{"park", "zk1", "--id=x"}, "--id"},
		{[]string{"park", "zk1", "--memory=lots"}, "lots"},
		{[]string{"park", "zk1", "--host-hook=./none.sh"}, "none.sh"},
	} {
		code, out, errOut := run(t, "", c.args...)
		if code != exitUsage || !strings.Contains(errOut, c.want) || out != "" {
			t.Errorf("%v: exit code %d, %s%s\nwant %d and %q", c.args, code, out, errOut, exitUsage, c.want)
		}
	}
}
