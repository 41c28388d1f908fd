//go:build zk && linux

package quorumpeerconfig

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/test/zkreal"
)

const corpus = "../../pkg/ensemble/testdata/corpus"

// stricter says which files a release reads and we refuse, and why that is
// on purpose.
func stricter(name string) string {
	switch name {
	case "bad-binary", "bad-utf-16", "bad-yaml-document", "bad-byte-order-mark":
		return "nobody means such a file"
	case "bad-election-algorithm":
		return "3.4 has elections over UDP, which no Service of ours carries"
	case "bad-id-spelt-two-ways":
		return "the order of a hash table decides which line counts"
	case "bad-id-below-zero":
		return "its election connections are read as another protocol's"
	case "bad-id-too-large":
		return "nobody has such ids, and the gate's script reads ten digits"
	case "bad-observer-master-port":
		return "the port cannot be bound"
	case "bad-client-port-zero-with-an-address":
		return "3.9 listens on a port that nobody knows"
	case "bad-blank-in-server-line", "bad-ipv6-without-brackets", "bad-port-out-of-range":
		return "the server starts and finds nobody"
	case "dynamic-and-servers-in-zoo-cfg", "dynamic-with-other-keys", "dynamic-with-version-line", "dynamic-next":
		return "3.4 does not know dynamic files"
	case "group-of-a-stranger", "group-incomplete", "bad-two-client-parts":
		return "one release or the other counts a quorum that is never there"
	}
	return ""
}

func TestCorpusIsReadAsZooKeeperDoes(t *testing.T) {
	for _, release := range zkreal.Versions() {
		t.Run(release, func(t *testing.T) {
			j := startJava(t, release)
			version, err := ensemble.ParseVersion(release)
			if err != nil {
				t.Fatal(err)
			}
			cases, err := os.ReadDir(corpus)
			if err != nil {
				t.Fatal(err)
			}
			agreed := 0
			for _, c := range cases {
				t.Run(c.Name(), func(t *testing.T) {
					zooCfg, dynamic := stage(t, filepath.Join(corpus, c.Name()))
					if compareOne(t, j, version, c.Name(), zooCfg, dynamic) {
						agreed++
					}
				})
			}
			t.Logf("ZooKeeper %s: %d of %d files are read by both and alike", release, agreed, len(cases))
			if agreed < 40 {
				t.Errorf("only %d files were compared", agreed)
			}
		})
	}
}

// stage copies a case to where its own paths are true.
func stage(t *testing.T, from string) (zooCfg, dynamic string) {
	t.Helper()
	dir := t.TempDir()
	files, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(from, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		text = []byte(strings.ReplaceAll(string(text), "/etc/zookeeper/conf/", dir+"/"))
		to := filepath.Join(dir, f.Name())
		if err := os.WriteFile(to, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(f.Name(), "zoo.cfg.dynamic") {
			dynamic = to
		}
	}
	return filepath.Join(dir, "zoo.cfg"), dynamic
}

// compareOne checks one file: both read it and see the same, or both refuse
// it, or we refuse (or object to) more than ZooKeeper does. What ZooKeeper
// refuses and we call good is a failure.
func compareOne(t *testing.T, j *java, v ensemble.Version, name, zooCfg, dynamic string) bool {
	t.Helper()
	text, err := os.ReadFile(zooCfg)
	if err != nil {
		t.Fatal(err)
	}
	var dynamicText []byte
	if dynamic != "" {
		if dynamicText, err = os.ReadFile(dynamic); err != nil {
			t.Fatal(err)
		}
	}
	theirs := j.config(t, zooCfg, name == "several-addresses" || name == "several-addresses-with-roles")
	ours, err := ensemble.ParseConfig("zoo.cfg", text, dynamicText)
	switch {
	case theirs.Error != "" && err != nil:
		return false
	case theirs.Error != "":
		if !objects(ours, v) {
			t.Errorf("ZooKeeper %s refuses the file, we do not: %s\n%s", v, theirs.Error, text)
		}
		return false
	case err != nil:
		if stricter(name) == "" {
			t.Errorf("ZooKeeper %s reads the file, we refuse it: %v", v, err)
		}
		return false
	case ours.Dynamic != nil && !v.AtLeast(3, 5, 0):
		return false // 3.4 does not know the key
	}
	if diff := cmp.Diff(normal(theirs, v), normal(view(ours, v), v)); diff != "" {
		t.Errorf("ZooKeeper %s reads something else (-ZooKeeper +ours):\n%s\n%s", v, diff, text)
	}
	return true
}

// objects reports whether Lint calls the file an error for that release.
func objects(c *ensemble.Config, v ensemble.Version) bool {
	for _, f := range ensemble.Lint(c, v) {
		if f.Severity == ensemble.SeverityError || f.Code == "multi-address" {
			return true
		}
	}
	return false
}

// view turns our reading into the form ReadConfig prints.
func view(c *ensemble.Config, v ensemble.Version) theirConfig {
	out := theirConfig{
		DataDir: javaFile(c.DataDir), DataLogDir: javaFile(c.DataLogDir), TickTime: c.TickTime, InitLimit: c.InitLimit,
		SyncLimit: c.SyncLimit, ListenOnAllIPs: c.QuorumListenOnAllIPs,
		Client: bind(c.ClientPortAddress, c.ClientPort),
	}
	if v.AtLeast(3, 5, 0) {
		out.Secure = bind(c.SecureClientPortAddress, c.SecureClientPort)
	}
	if v.AtLeast(3, 6, 0) {
		out.ObserverMaster = c.ObserverMasterPort
	}
	participants := 0
	for _, s := range c.Servers {
		if s.Role != ensemble.Observer {
			participants++
		}
	}
	if participants < 2 && !v.AtLeast(3, 5, 0) {
		return out // 3.4 forgets a list of one
	}
	for _, s := range c.Servers {
		them := theirServer{ID: int(s.ID), Role: string(s.Role)}
		for _, a := range append([]ensemble.PeerAddress{s.PeerAddress}, s.More...) {
			them.Peers = append(them.Peers, fmt.Sprintf("%s#%d", a.Host, a.PeerPort))
			them.Elections = append(them.Elections, fmt.Sprintf("%s#%d", a.Host, a.ElectionPort))
		}
		sort.Strings(them.Peers)
		sort.Strings(them.Elections)
		if c.HasClientPart(s.ID) {
			them.Client = bind(s.ClientAddress, s.ClientPort)
		}
		if c.Hierarchical && s.Role != ensemble.Observer {
			weight, group := s.Weight, s.Group
			them.Weight, them.Group = &weight, &group
		}
		out.Servers = append(out.Servers, them)
	}
	return out
}

func bind(host string, port int) string {
	if port == 0 {
		return ""
	}
	if host == "" {
		host = "0.0.0.0"
	}
	return fmt.Sprintf("%s#%d", host, port)
}

// javaFile is how java.io.File prints a path.
func javaFile(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	return path
}

// normal takes out of ZooKeeper's answer what is spelling only.
func normal(c theirConfig, v ensemble.Version) theirConfig {
	c.DataDir, c.DataLogDir = javaFile(c.DataDir), javaFile(c.DataLogDir)
	c.Client, c.Secure = spell(c.Client), spell(c.Secure)
	for i := range c.Servers {
		s := &c.Servers[i]
		s.Client = spell(s.Client)
		for k := range s.Peers {
			s.Peers[k] = spell(s.Peers[k])
		}
		for k := range s.Elections {
			s.Elections[k] = spell(s.Elections[k])
		}
		if !v.AtLeast(3, 5, 0) && c.Servers[i].Role == "observer" {
			c.Servers[i].Weight, c.Servers[i].Group = nil, nil
		}
	}
	if len(c.Servers) == 0 {
		c.Servers = nil
	}
	return c
}

// spell writes addresses in one way: Java has its own for IPv6 and prints
// any wildcard as 0.0.0.0. Port 0 is none to us: from 3.9 on the server chooses one.
func spell(address string) string {
	host, port, found := strings.Cut(address, "#")
	if port == "0" {
		return ""
	}
	a, err := netip.ParseAddr(host)
	if !found || err != nil {
		return address
	}
	if a.IsUnspecified() {
		return "0.0.0.0#" + port
	}
	return a.String() + "#" + port
}

// TestSeveralAddressesNeedTheFlag shows what the multi-address finding says.
func TestSeveralAddressesNeedTheFlag(t *testing.T) {
	for _, release := range []string{"3.8.0", "3.9.3"} {
		j := startJava(t, release)
		zooCfg, _ := stage(t, filepath.Join(corpus, "several-addresses"))
		if got := j.config(t, zooCfg, false); !strings.Contains(got.Error, "Multiple address feature is disabled") {
			t.Errorf("%s without the flag: %+v", release, got)
		}
		if got := j.config(t, zooCfg, true); got.Error != "" {
			t.Errorf("%s with the flag: %s", release, got.Error)
		}
	}
}

func TestGeneratedPropertiesAreReadAsJavaDoes(t *testing.T) {
	j := startJava(t, "3.8.0")
	rng := rand.New(rand.NewPCG(11, 13))
	pieces := []string{
		"a", "key", "=", ":", " ", "\t", "\f", "\n", "\n", "\r\n", "\r", "\\", "\\\n", "\\\r\n", "\\\\", "#", "!", "1", "\\u0041",
		"\\ud83d\\ude00", "\\u12", "\\t", "\\q", "\\ ", "\\#", "\\:", "\xe9", "é", "\x00", "\x01", "\x7f", "x=1\n", "#c\n",
	}
	for i := range 30000 {
		var text []byte
		for range rng.IntN(16) {
			text = append(text, pieces[rng.IntN(len(pieces))]...)
		}
		theirs := j.properties(t, text)
		ours, err := ensemble.ParseProperties("generated", text)
		if (theirs.Error != "") != (err != nil) {
			t.Fatalf("round %d: %q: Java: %q, ours: %v", i, text, theirs.Error, err)
		}
		if err != nil {
			continue
		}
		got := [][2]string{}
		for _, k := range ours.Keys() {
			v, _ := ours.Get(k)
			got = append(got, [2]string{k, v})
		}
		sort.Slice(got, func(a, b int) bool { return got[a][0] < got[b][0] })
		want := append([][2]string{}, theirs.Entries...)
		sort.Slice(want, func(a, b int) bool { return want[a][0] < want[b][0] })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("round %d: %q (-Java +ours):\n%s", i, text, diff)
		}
	}
}
