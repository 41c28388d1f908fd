package ensemble

import (
	"fmt"
	"strings"
	"testing"
)

func TestKeysAreWellFormed(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Keys() {
		id := fmt.Sprint(k.Name, k.Prefix)
		if k.Name == "" || seen[id] {
			t.Errorf("%q stands twice or has no name", k.Name)
		}
		seen[id] = true
		for _, s := range strings.Split(k.Since, ",") {
			if _, err := ParseVersion(s); err != nil {
				t.Errorf("%s: since %q: %v", k.Name, k.Since, err)
			}
		}
		if k.Action != Carry && k.Note == "" {
			t.Errorf("%s: %s without a reason", k.Name, k.Action)
		}
		if strings.Contains(k.Note, "|") {
			t.Errorf("%s: the note breaks the table", k.Name)
		}
		if got, ok := FindKey(k.Name); !k.Prefix && (!ok || got.Name != k.Name) {
			t.Errorf("%s is found as %q", k.Name, got.Name)
		}
	}
}

func TestFindKey(t *testing.T) {
	for name, want := range map[string]string{
		"server.7": "server.", "group.1": "group", "ssl.quorum.keyStore.location": "ssl.quorum.keyStore.location", "ssl.quorum.ocsp": "ssl.",
		"admin.serverAddress": "admin.serverAddress", "admin.idleTimeout": "admin.", "observerMasterPort": "observerMasterPort",
		"quorum.auth.learner.loginContext": "quorum.auth.", "jute.maxbuffer": "jute.maxbuffer",
	} {
		if got, ok := FindKey(name); !ok || got.Name != want {
			t.Errorf("%s is found as %q, %v", name, got.Name, ok)
		}
	}
	for _, name := range []string{"", "nonsense", "zookeeper.tcpKeepAlive", "SERVER.1"} {
		if got, ok := FindKey(name); ok {
			t.Errorf("%q is found as %q", name, got.Name)
		}
	}
}

const docHead = `# The keys of zoo.cfg and what becomes of them

Made from the table the code uses (` + "`pkg/ensemble/keys*.go`" + `); ` + "`go test ./pkg/ensemble -update`" + ` writes it again.

ZooKeeper turns every key it does not know into the system property ` + "`zookeeper.<key>`" + `, so the settings documented
under such a property are keys of zoo.cfg too. *Since* is the first release of each line that reads the key, taken from
the sources of the releases; lines in between and after have it from the start.

| in the pods | meaning |
|---|---|
| carry | the line stays as it is, comments and style included |
| map | the meaning stays, the value is that of the pod |
| drop | the line is left out |
| warn | the line stays and a note is printed |

Keys that are not in this table are carried with a note. *Alike* keys must have the same value on all hosts, or the
migration does not begin; a key one host lacks counts with its default.

On the hosts ` + "`reconfigure`" + ` changes nothing but the server lines, ` + "`quorumListenOnAllIPs`" + ` and, where there is a need,
the keys its README.txt lists with a reason each.

`

const docTail = `
## How the reading is checked

- A corpus of configurations, each named for what it shows: ` + "`pkg/ensemble/testdata/corpus`" + `, with our reading of each beside it.
- ` + "`go test -tags zk ./test/quorumpeerconfig`" + ` lets QuorumPeerConfig of ZooKeeper 3.4.13, 3.8.0 and 3.9.3 read the corpus and
  some thousand generated files, and java.util.Properties 30,000 generated texts; every disagreement fails. It also reads every patched
  file and every pods' file made from the corpus, and starts real servers from the original, the patched and the undone
  files of a few styles (of all with ` + "`-all`" + `, about 12 minutes), restarted one by one with a write after each.
- Fuzzing, ten minutes each: ` + "`go test -run '^$' -fuzz '^FuzzProperties$' -fuzztime 10m ./pkg/ensemble`" + `; the others are FuzzConfig,
  FuzzMember and FuzzVersionAndZxid there, FuzzReconfigure and FuzzCommandLine in ` + "`./pkg/hostpatch`" + `.
- ` + "`patch -p0`" + ` and ` + "`git apply -p0`" + ` apply every diff of the corpus and of generated files, and every undo gives the file back
  byte for byte: ` + "`go test ./pkg/hostpatch`" + `.
`

// TestKeysDocument keeps the documentation equal to the table in the code.
func TestKeysDocument(t *testing.T) {
	var b strings.Builder
	b.WriteString(docHead)
	b.WriteString("| key | since | in the pods | alike | note |\n|---|---|---|---|---|\n")
	for _, k := range Keys() {
		name := k.Name
		switch {
		case k.Prefix && strings.HasSuffix(name, "."):
			name += "*"
		case k.Prefix && (name == "group" || name == "weight"):
			name += ".N"
		case k.Prefix:
			name += "*"
		}
		if name == "server.*" {
			name = "server.N"
		}
		alike := "yes"
		if k.PerHost {
			alike = "no"
		}
		note := k.Note
		if k.JVMOnly && !strings.Contains(note, "-D") {
			note = strings.TrimPrefix(note+"; counts as a JVM flag alone, not in zoo.cfg", "; ")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", name, k.Since, k.Action, alike, note)
	}
	b.WriteString(docTail)
	golden(t, "../../docs/configuration-keys.md", []byte(b.String()))
}
