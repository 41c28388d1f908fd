//go:build zk && linux

package quorumpeerconfig

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostpatch"
	"github.com/zkmigrate/kubectl-zkmigrate/test/zkreal"
)

// TestMadeFilesAreReadByZooKeeper has every release read what this project
// makes of each file of the corpus it reads: the patched file of a host and
// the file of the pods.
func TestMadeFilesAreReadByZooKeeper(t *testing.T) {
	cases, err := os.ReadDir(corpus)
	if err != nil {
		t.Fatal(err)
	}
	for _, release := range zkreal.Versions() {
		j := startJava(t, release)
		v, err := ensemble.ParseVersion(release)
		if err != nil {
			t.Fatal(err)
		}
		made := 0
		for _, c := range cases {
			t.Run(release+"/"+c.Name(), func(t *testing.T) {
				zooCfg, dynamic := stage(t, filepath.Join(corpus, c.Name()))
				if j.config(t, zooCfg, true).Error != "" || dynamic != "" && !v.AtLeast(3, 5, 0) {
					// A file that this release refuses is compared in another test.
					return
				}
				if cfg, ok := readIfEnsemble(t, zooCfg, dynamic); ok {
					made++
					checkPatched(t, j, v, cfg, filepath.Dir(zooCfg))
					checkPod(t, j, v, cfg)
				}
			})
		}
		if made < 50 {
			t.Errorf("%s: only %d files were made", release, made)
		}
	}
}

func readIfEnsemble(t *testing.T, zooCfg, dynamic string) (*ensemble.Config, bool) {
	t.Helper()
	cfg, err := parseFile(t, zooCfg, dynamic)
	return cfg, err == nil && len(cfg.Servers) > 1
}

// parseFile parses a zoo.cfg, with its dynamic file if it has one.
func parseFile(t *testing.T, zooCfg, dynamic string) (*ensemble.Config, error) {
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
	return ensemble.ParseConfig(zooCfg, text, dynamicText)
}

func serviceHosts(c *ensemble.Config) map[ensemble.ID]string {
	out := map[ensemble.ID]string{}
	for i, s := range c.Servers {
		out[s.ID] = "10.96.0." + string(rune('1'+i))
	}
	return out
}

// checkMade writes a file and its dynamic file and compares the readings.
func checkMade(t *testing.T, j *java, v ensemble.Version, dir, what string, text []byte, name string, dynamic []byte) {
	t.Helper()
	file := filepath.Join(dir, what)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if name != "" {
		if err := os.WriteFile(filepath.Join(dir, name), dynamic, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	theirs := j.config(t, file, false)
	if theirs.Error != "" {
		t.Fatalf("%s: ZooKeeper %s refuses it: %s\n%s", what, v, theirs.Error, text)
	}
	ours, err := ensemble.ParseConfig(what, text, dynamic)
	if err != nil {
		t.Fatalf("%s: %v\n%s", what, err, text)
	}
	if diff := cmp.Diff(normal(theirs, v), normal(view(ours, v), v)); diff != "" {
		t.Errorf("%s: ZooKeeper %s reads something else (-ZooKeeper +ours):\n%s\n%s", what, v, diff, text)
	}
	if !theirs.ListenOnAllIPs {
		t.Errorf("%s does not listen on all addresses:\n%s", what, text)
	}
	for _, s := range theirs.Servers {
		for _, peer := range append(s.Peers, s.Elections...) {
			if !strings.HasPrefix(peer, "10.96.0.") {
				t.Errorf("%s: server %d is at %s", what, s.ID, peer)
			}
		}
	}
}

func checkPatched(t *testing.T, j *java, v ensemble.Version, c *ensemble.Config, dir string) {
	t.Helper()
	in := hostpatch.Input{Ensemble: ensemble.Ensemble{Servers: c.Servers}, Version: v, ServiceHosts: serviceHosts(c)}
	for _, s := range c.Servers {
		in.Hosts = append(in.Hosts, hostpatch.Host{ID: s.ID, Address: "10.0.0.1", Path: filepath.Join(dir, "zoo.cfg"), Config: c})
	}
	plan, err := hostpatch.Reconfigure(in)
	if err != nil {
		t.Fatal(err)
	}
	h := plan.Hosts[0]
	name, dynamic := "", []byte(nil)
	if h.Dynamic != nil {
		name, dynamic = filepath.Base(h.Dynamic.Path), h.Dynamic.New
	}
	checkMade(t, j, v, dir, "zoo.cfg", h.New, name, dynamic)
}

func checkPod(t *testing.T, j *java, v ensemble.Version, c *ensemble.Config) {
	t.Helper()
	dir := t.TempDir()
	in := ensemble.PodConfigInput{ServiceHosts: serviceHosts(c), Version: v, DataDir: "/zookeeper/data", DataLogDir: "/zookeeper/datalog", ConfigDir: dir}
	text, _, err := ensemble.PodConfig(c, in)
	if err != nil {
		t.Fatal(err)
	}
	name, dynamic, err := ensemble.PodDynamic(c, in)
	if err != nil {
		t.Fatal(err)
	}
	checkMade(t, j, v, dir, "pod.cfg", text, name, dynamic)
}
