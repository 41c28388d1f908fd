//go:build zk && linux

package quorumpeerconfig

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/test/zkreal"
)

// TestGeneratedConfigsAreReadAsZooKeeperDoes compares files nobody wrote.
// The generator stays away from what we refuse on purpose, so here every
// disagreement is a fault.
func TestGeneratedConfigsAreReadAsZooKeeperDoes(t *testing.T) {
	const files = 1500
	for _, release := range zkreal.Versions() {
		t.Run(release, func(t *testing.T) {
			j := startJava(t, release)
			v, err := ensemble.ParseVersion(release)
			if err != nil {
				t.Fatal(err)
			}
			rng := rand.New(rand.NewPCG(3, uint64(v.Minor)))
			file := filepath.Join(t.TempDir(), "zoo.cfg")
			alike := 0
			for i := range files {
				text := generate(rng, v)
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				if compareOne(t, j, v, "from the generator", file, "") {
					alike++
				}
				if t.Failed() {
					t.Fatalf("file %d", i)
				}
			}
			t.Logf("ZooKeeper %s: %d of %d files are read by both and alike, the others refused by both", release, alike, files)
			if alike < files/3 {
				t.Errorf("the generator makes too many files nobody reads: %d of %d", files-alike, files)
			}
		})
	}
}

// generator writes one file.
type generator struct {
	rng   *rand.Rand
	lines []string
	// observer marks servers that a line makes an observer.
	observer map[int]bool
}

func generate(rng *rand.Rand, v ensemble.Version) string {
	g := &generator{rng: rng, observer: map[int]bool{}}
	g.plain()
	ids := g.servers(v)
	g.groups(ids)
	rng.Shuffle(len(g.lines), func(a, b int) { g.lines[a], g.lines[b] = g.lines[b], g.lines[a] })
	var b strings.Builder
	eol := []string{"\n", "\r\n", "\r"}[g.pick(8, 1, 1)]
	for _, line := range g.lines {
		if g.oneIn(12) {
			b.WriteString([]string{"# comment", "! comment = 1", "", "  \t"}[rng.IntN(4)] + eol)
		}
		if g.oneIn(15) {
			line = g.fold(line, eol)
		}
		b.WriteString(line + eol)
	}
	return b.String()
}

func (g *generator) oneIn(n int) bool { return g.rng.IntN(n) == 0 }

// pick returns an index by weight.
func (g *generator) pick(weights ...int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	at := g.rng.IntN(sum)
	for i, w := range weights {
		if at < w {
			return i
		}
		at -= w
	}
	return 0
}

// line adds key and value with some separator.
func (g *generator) line(key, value string) {
	sep := []string{"=", " = ", ":", " ", "\t", "= ", " : "}[g.pick(12, 3, 1, 1, 1, 1, 1)]
	lead := []string{"", "  ", "\t"}[g.pick(10, 1, 1)]
	tail := []string{"", " "}[g.pick(30, 1)]
	g.lines = append(g.lines, lead+key+sep+value+tail)
}

// fold continues a line on the next.
func (g *generator) fold(line, eol string) string {
	at := 1 + g.rng.IntN(len(line)-1)
	for at < len(line) && (line[at] == ' ' || line[at] == '\t') {
		at++ // blanks that begin the next line would be lost
	}
	return line[:at] + "\\" + eol + "   " + line[at:]
}

func (g *generator) plain() {
	numbers := []string{"5", "10", "2000", "+7", "007"}
	number := func() string { return numbers[g.rng.IntN(len(numbers))] }
	for _, key := range []string{"tickTime", "initLimit", "syncLimit"} {
		if !g.oneIn(30) {
			g.line(key, number())
		}
		if g.oneIn(20) {
			g.line(key, number())
		}
	}
	if !g.oneIn(40) {
		g.line("dataDir", []string{"/var/lib/zk", "/data", "/d/../e//f", "relative"}[g.rng.IntN(4)])
	}
	if g.oneIn(4) {
		g.line("dataLogDir", "/log")
	}
	port := []string{"", "2181", "+2181", "12181", "218l", "0"}[g.pick(3, 20, 2, 5, 1, 1)]
	if port != "" {
		g.line("clientPort", port)
	}
	if port != "0" && g.oneIn(5) {
		g.line("clientPortAddress", []string{"10.0.0.1", "0.0.0.0", "zk1.example.com", "127.0.0.1"}[g.rng.IntN(4)])
	}
	if g.oneIn(5) {
		g.line("secureClientPort", []string{"2281", "+2281", "0", "2888"}[g.pick(5, 1, 1, 1)])
	}
	if g.oneIn(5) {
		g.line("observerMasterPort", []string{"2191", "+2191", "0", "-1"}[g.pick(5, 1, 1, 1)])
	}
	if g.oneIn(5) {
		g.line("quorumListenOnAllIPs", []string{"true", "false", "TRUE", "yes", "tru"}[g.pick(5, 5, 2, 1, 1)])
	}
	if g.oneIn(6) {
		g.line("peerType", []string{"participant", "observer", "OBSERVER", "voter"}[g.pick(3, 3, 1, 1)])
	}
	if g.oneIn(6) {
		g.line([]string{"maxClientCnxns", "minSessionTimeout", "autopurge.snapRetainCount"}[g.rng.IntN(3)], number())
	}
	if g.oneIn(4) {
		g.line("someKey"+number(), "some value # with = and :")
	}
}

func (g *generator) servers(v ensemble.Version) []int {
	var ids []int
	for range []int{0, 1, 2, 3, 3, 3, 4, 5, 7}[g.rng.IntN(9)] {
		id := []int{1 + g.rng.IntN(255), 0, g.rng.IntN(5000), g.rng.IntN(1 << 32)}[g.pick(6, 1, 2, 1)]
		twice := false
		for _, other := range ids {
			twice = twice || other == id
		}
		if twice {
			continue
		}
		ids = append(ids, id)
		for again := true; again; again = g.oneIn(40) {
			line := g.serverLine(len(ids), v)
			g.observer[id] = g.observer[id] || strings.Contains(strings.ToLower(line), "observer")
			g.line(fmt.Sprintf("server.%d", id), line)
		}
	}
	return ids
}

func (g *generator) serverLine(n int, v ensemble.Version) string {
	host := []string{
		fmt.Sprintf("10.0.0.%d", n), fmt.Sprintf("zk%d.example.com", n), fmt.Sprintf("[2001:db8::%d]", n), "0.0.0.0", "nowhere.invalid",
	}[g.pick(8, 8, 3, 1, 1)]
	peer := []string{"2888", "+2888", "12888", "288x", ""}[g.pick(30, 2, 5, 1, 1)]
	election := []string{":3888", ":13888", "", ":38 88", ":3888:"}[g.pick(30, 5, 1, 1, 1)]
	role := []string{"", ":participant", ":observer", ":Observer", ":voter", ":participant:x"}[g.pick(20, 4, 4, 1, 1, 1)]
	if !v.AtLeast(3, 5, 0) {
		// 3.4 only complains about a fifth part, and needs no election port
		// for observers and in lists of one; we refuse both.
		role = strings.TrimSuffix(role, ":x")
		if election == "" {
			election = ":3888"
		}
	}
	if strings.HasSuffix(election, "3888:") {
		role = ""
	}
	client := ""
	if v.AtLeast(3, 5, 0) {
		client = []string{"", ";2181", ";0.0.0.0:2181", ";10.0.0.1:2181", ";[::]:2181", ";", ";x", ";2181;2182"}[g.pick(30, 5, 3, 2, 1, 1, 1, 1)]
	} else if g.oneIn(40) {
		client = ";2181"
	}
	return host + ":" + peer + election + role + client
}

func (g *generator) groups(ids []int) {
	if len(ids) < 3 || !g.oneIn(5) {
		if g.oneIn(30) && len(ids) > 0 {
			g.line(fmt.Sprintf("weight.%d", ids[0]), "2")
		}
		return
	}
	parts := [2][]string{}
	for i, id := range ids {
		parts[i%2] = append(parts[i%2], fmt.Sprint(id))
	}
	for i, p := range parts {
		g.line(fmt.Sprintf("group.%d", i+1), strings.Join(p, ":"))
	}
	for _, id := range ids {
		if g.oneIn(3) && !g.observer[id] {
			g.line(fmt.Sprintf("weight.%d", id), []string{"0", "1", "3"}[g.rng.IntN(3)])
		}
	}
}
