package hostpatch

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

const corpus = "../ensemble/testdata/corpus"

// planFor plans with one file for all hosts; ok is false for files no plan
// can be made from (refused by the reader, or no ensemble).
func planFor(text, dynamic []byte, v ensemble.Version) (in Input, plan Plan, ok bool, err error) {
	c, refused := ensemble.ParseConfig("zoo.cfg", text, dynamic)
	if refused != nil || len(c.Servers) < 2 {
		return in, plan, false, nil //nolint:nilerr // refused is an answer here
	}
	in = Input{Version: v, ServiceHosts: map[ensemble.ID]string{}, InitLimit: 30}
	in.Ensemble = ensemble.Ensemble{Name: "corpus", Servers: c.Servers}
	for _, s := range c.Servers {
		in.ServiceHosts[s.ID] = "10.96." + fmt.Sprint(int(s.ID)/200) + "." + fmt.Sprint(int(s.ID)%200+1)
		in.Hosts = append(in.Hosts, Host{ID: s.ID, Address: "10.0.0.9", Config: c})
	}
	plan, err = Reconfigure(in)
	return in, plan, true, err
}

// checkPlan has what must hold for every plan: patch and git apply take the
// diffs, the undo gives every byte back, the patched file says the same about
// the ensemble at other addresses, and a second plan has nothing to do.
func checkPlan(t *testing.T, text, dynamic []byte, v ensemble.Version, programs [][]string) bool {
	t.Helper()
	in, plan, ok, err := planFor(text, dynamic, v)
	if !ok {
		return false
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	h := plan.Hosts[0]
	originals := [][]byte{text, dynamic}
	for i, f := range h.Files() {
		for _, program := range programs {
			name := path.Base(f.Path)
			got := applyWith(t, program, name, originals[i], f.Patch)
			if !bytes.Equal(got, f.New) {
				t.Fatalf("%v makes something else:\n%s", program, cmp.Diff(string(f.New), string(got)))
			}
			if back := applyWith(t, program, name, got, f.Undo); !bytes.Equal(back, originals[i]) {
				t.Fatalf("%v does not undo:\n%s", program, cmp.Diff(string(originals[i]), string(back)))
			}
		}
	}
	var newDynamic []byte
	if h.Dynamic != nil {
		newDynamic = h.Dynamic.New
		if strings.Contains(string(h.New), "\nserver.") {
			t.Fatalf("a server line in zoo.cfg beside a dynamic file:\n%s", h.New)
		}
	}
	after, err := ensemble.ParseConfig("patched", h.New, newDynamic)
	if err != nil {
		t.Fatalf("the patched file is refused: %v\n%s", err, h.New)
	}
	if !after.QuorumListenOnAllIPs || after.InitLimit < in.InitLimit {
		t.Fatalf("listens on all: %v, initLimit %d", after.QuorumListenOnAllIPs, after.InitLimit)
	}
	for i, s := range after.Servers {
		was := in.Ensemble.Servers[i]
		was.Host, was.More, was.ClientAddress, s.ClientAddress = in.ServiceHosts[s.ID], nil, "", ""
		if diff := cmp.Diff(was, s); diff != "" {
			t.Fatalf("server %s changed (-want +got):\n%s", s.ID, diff)
		}
	}
	if _, again, _, err := planFor(h.New, newDynamic, v); err != nil || !again.Hosts[0].Unchanged() {
		t.Fatalf("a second plan changes more: %v\n%s", err, again.Hosts[0].Patch)
	}
	return true
}

func TestCorpusIsPatchedAndUndone(t *testing.T) {
	dirs, err := os.ReadDir(corpus)
	if err != nil {
		t.Fatal(err)
	}
	planned := 0
	for _, d := range dirs {
		t.Run(d.Name(), func(t *testing.T) {
			text, dynamic := readCase(t, d.Name())
			for _, release := range []string{"3.4.13", "3.5.7", "3.9.2"} {
				programs := patchPrograms()
				if release != "3.9.2" {
					programs = nil // the release with most changes will do for the programs
				}
				if checkPlan(t, text, dynamic, version(t, release), programs) {
					planned++
				}
			}
		})
	}
	if planned < 200 {
		t.Errorf("only %d plans were made", planned)
	}
}

func readCase(t *testing.T, name string) (text, dynamic []byte) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(corpus, name, "zoo.cfg"))
	if err != nil {
		t.Fatal(err)
	}
	if file, err := ensemble.DynamicFileName("zoo.cfg", text); err == nil && file != "" {
		if dynamic, err = os.ReadFile(filepath.Join(corpus, name, path.Base(file))); err != nil {
			t.Fatal(err)
		}
	}
	return text, dynamic
}

func TestGeneratedFilesArePatchedAndUndone(t *testing.T) {
	files, withPrograms := 1500, 60
	if testing.Short() {
		files, withPrograms = 400, 10
	}
	rng := rand.New(rand.NewPCG(5, 8))
	planned := 0
	for i := range files {
		var programs [][]string
		if i < withPrograms {
			programs = patchPrograms()
		}
		v := version(t, []string{"3.4.6", "3.4.13", "3.5.9", "3.6.0", "3.9.2"}[rng.IntN(5)])
		if checkPlan(t, randomZooCfg(rng), nil, v, programs) {
			planned++
		}
	}
	if planned < files/2 {
		t.Errorf("only %d of %d files could be planned for", planned, files)
	}
}

// randomZooCfg writes a file in somebody's own style.
func randomZooCfg(rng *rand.Rand) []byte {
	pick := func(of ...string) string { return of[rng.IntN(len(of))] }
	lines := []string{"dataDir" + pick("=", ": ", " ") + "/data", "initLimit = 10", "syncLimit=" + pick("5", "5  ", "\\\n 5"), "clientPort=2181"}
	maybe := func(line string) {
		if rng.IntN(4) == 0 {
			lines = append(lines, line)
		}
	}
	maybe("tickTime\t2000")
	maybe("quorumListenOnAllIPs=" + pick("true", "false", "yes", "TRUE # no"))
	maybe("4lw.commands.whitelist=" + pick("*", "srvr", "mntr , ruok", "stat,\\\n  mntr"))
	maybe("tcpKeepAlive=" + pick("true", "false"))
	maybe("cnxTimeout=" + pick("500", "5000", "x"))
	maybe("clientPortAddress=" + pick("10.0.0.1", "127.0.0.1", "zk1", "0.0.0.0"))
	maybe("# server.1=old:2888:3888")
	maybe("! caf\xe9 é")
	maybe("quorumListenOnAllIPs=false")
	for id := 1; id <= 2+rng.IntN(4); id++ {
		lines = append(lines, fmt.Sprintf("%sserver.%d%s%s:%s%s%s", pick("", " ", "\t"), id, pick("=", " = ", ":", " "),
			pick("zk"+fmt.Sprint(id), "10.0.0."+fmt.Sprint(id), "[2001:db8::"+fmt.Sprint(id)+"]"), pick("2888:3888", "28\\\n  88:3888", "+1:2"),
			pick("", "", ":participant", ":PARTICIPANT"), pick("", "", "", ";2181", ";10.0.0.1:2181", ";zk1:2181", ";127.0.0.1:2181")+pick("", "", " ")))
	}
	rng.Shuffle(len(lines), func(a, b int) { lines[a], lines[b] = lines[b], lines[a] })
	eol := pick("\n", "\n", "\r\n")
	text := strings.ReplaceAll(strings.Join(lines, "\n"), "\n", eol)
	return []byte(text + pick(eol, "", "\\", eol+eol+"# end"))
}

// FuzzReconfigure lets the fuzzer look for files whose plan breaks a promise.
func FuzzReconfigure(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		f.Add(randomZooCfg(rng))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, _, ok, err := planFor(text, nil, ensemble.Version{}); !ok || err != nil {
			return
		}
		checkPlan(t, text, nil, ensemble.Version{}, nil)
	})
}
