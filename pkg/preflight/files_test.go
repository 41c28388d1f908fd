package preflight

import (
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestNamedFiles: each file of each server is there, under its own name or the one for
// all; what nobody could look at is no fault.
func TestNamedFiles(t *testing.T) {
	named := []ensemble.FileRef{{Name: "key.jks", Path: "/etc/zk/key.jks", By: "ssl.keyStore.location", Own: true}, {Name: "trust.jks", Path: "/etc/zk/trust.jks", By: "ssl.trustStore.location"}}
	keys := func(names ...string) map[string]bool {
		out := map[string]bool{}
		for _, n := range names {
			out[n] = true
		}
		return out
	}
	for name, c := range map[string]struct {
		secret string
		stored Stored
		want   []string
		skip   bool
	}{
		"nothing is named": {"", Stored{}, []string{"/etc/zk/key.jks (ssl.keyStore.location) reaches no pod", "/etc/zk/trust.jks (ssl.trustStore.location) reaches no pod"}, false},
		"all are there":    {"zk-files", Stored{Keys: keys("1.key.jks", "2.key.jks", "3.key.jks", "trust.jks")}, nil, false},
		"one for all":      {"zk-files", Stored{Keys: keys("key.jks", "trust.jks")}, nil, false},
		"one is missing":   {"zk-files", Stored{Keys: keys("1.key.jks", "3.key.jks", "trust.jks")}, []string{"missing for server 2: there is no entry key.jks, and none of a server's own such as 2.key.jks"}, false},
		"no Secret":        {"zk-files", Stored{Missing: []string{"Secret zk-files"}}, []string{"Secret zk-files does not exist"}, false},
		"not looked at":    {"zk-files", Stored{Unlooked: "forbidden"}, nil, true},
	} {
		f := Facts{Record: threeServers(), Named: named, Stored: c.stored}
		f.Record.Pods.FilesSecret = c.secret
		wrong, skip := namedFiles(f)
		if len(wrong) != len(c.want) || (skip != "") != c.skip {
			t.Errorf("%s: %q, %q", name, wrong, skip)
			continue
		}
		for i := range wrong {
			if !strings.Contains(wrong[i], c.want[i]) {
				t.Errorf("%s: %q, want %q", name, wrong[i], c.want[i])
			}
		}
	}
	f := Facts{Record: threeServers(), Named: named}
	want := "kubectl create secret generic demo-files --from-file=1.key.jks=zk1/etc/zk/key.jks --from-file=2.key.jks=zk2/etc/zk/key.jks --from-file=3.key.jks=zk3/etc/zk/key.jks" +
		" --from-file=trust.jks=zk1/etc/zk/trust.jks --dry-run=client -o yaml -n zk | kubectl apply --server-side -f - -n zk"
	if got := filesHint(f); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "--files-secret=demo-files") {
		t.Errorf("the hint is\n%s\nwant\n%s", got, want)
	}
}

func threeServers() migration.Record {
	rec := migration.Record{Name: "demo", Namespace: "zk"}
	for id := ensemble.ID(1); id <= 3; id++ {
		rec.Servers = append(rec.Servers, migration.ServerRecord{Server: ensemble.Server{ID: id, PeerAddress: ensemble.PeerAddress{Host: "zk" + id.String()}}})
	}
	return rec
}
