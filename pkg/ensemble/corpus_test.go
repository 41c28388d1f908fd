package ensemble

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMain(m *testing.M) {
	flag.Bool("update", false, "rewrite golden files")
	flag.Parse()
	os.Exit(m.Run())
}

// golden compares with a file, or writes it with -update.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if f := flag.Lookup("update"); f != nil && f.Value.String() == "true" {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

type corpusCase struct {
	name    string
	zooCfg  []byte
	dynamic []byte
}

// readCorpus reads testdata/corpus: one directory for each configuration,
// named for what it shows.
func readCorpus(t testing.TB) []corpusCase {
	t.Helper()
	dirs, err := os.ReadDir("testdata/corpus")
	if err != nil {
		t.Fatal(err)
	}
	var out []corpusCase
	for _, d := range dirs {
		c := corpusCase{name: d.Name()}
		dir := filepath.Join("testdata/corpus", d.Name())
		if c.zooCfg, err = os.ReadFile(filepath.Join(dir, "zoo.cfg")); err != nil {
			t.Fatal(err)
		}
		if named, err := DynamicFileName("zoo.cfg", c.zooCfg); err == nil && named != "" {
			if c.dynamic, err = os.ReadFile(filepath.Join(dir, path.Base(named))); err != nil {
				t.Fatal(err)
			}
		}
		out = append(out, c)
	}
	return out
}

// reading is what the golden files of the corpus hold.
type reading struct {
	Refused  []string    `json:"refused,omitempty"`
	Config   *readConfig `json:"config,omitempty"`
	Findings []string    `json:"findings,omitempty"`
	Pod      *podOutcome `json:"pod,omitempty"`
}

type readConfig struct {
	Servers                                                          []Server
	ClientPort, SecureClientPort, TickTime, InitLimit, SyncLimit     int
	ClientPortAddress, SecureClientPortAddress, DataDir, DataLogDir  string
	ListenOnAllIPs, Reconfig, Standalone, MultiAddress, Hierarchical bool
	DynamicConfigFile, DynamicVersion                                string
}

type podOutcome struct {
	File  []string
	Notes []Note
	Error string `json:",omitempty"`
}

func read(c corpusCase) reading {
	var out reading
	cfg, err := ParseConfig("zoo.cfg", c.zooCfg, c.dynamic)
	if err != nil {
		out.Refused = strings.Split(err.Error(), "\n")
		return out
	}
	out.Config = &readConfig{
		Servers: cfg.Servers, ClientPort: cfg.ClientPort, SecureClientPort: cfg.SecureClientPort, TickTime: cfg.TickTime,
		InitLimit: cfg.InitLimit, SyncLimit: cfg.SyncLimit, ClientPortAddress: cfg.ClientPortAddress,
		SecureClientPortAddress: cfg.SecureClientPortAddress, DataDir: cfg.DataDir, DataLogDir: cfg.DataLogDir,
		ListenOnAllIPs: cfg.QuorumListenOnAllIPs, Reconfig: cfg.ReconfigEnabled, Standalone: cfg.StandaloneEnabled,
		MultiAddress: cfg.MultiAddressEnabled, Hierarchical: cfg.Hierarchical,
		DynamicConfigFile: cfg.DynamicConfigFile, DynamicVersion: cfg.DynamicVersion(),
	}
	found := Lint(cfg, Version{})
	found = append(found, LintPorts(Ensemble{Servers: cfg.Servers}, []HostConfig{{Source: "zoo.cfg", Config: cfg}})...)
	for _, f := range found {
		out.Findings = append(out.Findings, string(f.Severity)+" "+f.Code+": "+f.String())
	}
	if len(cfg.Servers) == 0 {
		return out
	}
	in := PodConfigInput{ServiceHosts: map[ID]string{}, Version: Version{Major: 3, Minor: 8}, DataDir: "/data", DataLogDir: "/datalog"}
	for _, s := range cfg.Servers {
		in.ServiceHosts[s.ID] = "10.96.0." + s.ID.String()
		if s.ID > 255 {
			in.ServiceHosts[s.ID] = "10.96.1.1"
		}
	}
	zooCfg, notes, err := PodConfig(cfg, in)
	out.Pod = &podOutcome{Notes: notes}
	if err != nil {
		out.Pod.Error = err.Error()
		return out
	}
	file := mustRead(zooCfg)
	if _, dynamic, err := PodDynamic(cfg, in); err == nil && dynamic != nil {
		file = append(append(file, "-- dynamic file --"), mustRead(dynamic)...)
	}
	out.Pod.File = file
	return out
}

// mustRead lists the entries of a generated file.
func mustRead(data []byte) []string {
	p, err := ParseProperties("generated", data)
	if err != nil {
		return []string{err.Error()}
	}
	var out []string
	for _, k := range p.Keys() {
		v, _ := p.Get(k)
		out = append(out, k+"="+v)
	}
	return out
}

func TestCorpus(t *testing.T) {
	cases := readCorpus(t)
	if len(cases) < 40 {
		t.Fatalf("%d configurations, want at least 40", len(cases))
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := read(c)
			if refused := r.Refused != nil; refused != strings.HasPrefix(c.name, "bad-") && !refusedByName(c.name) {
				t.Errorf("refused = %v: %v", refused, r.Refused)
			}
			var text bytes.Buffer
			enc := json.NewEncoder(&text)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", "  ")
			if err := enc.Encode(r); err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("testdata/corpus", c.name, "reading.golden.json"), text.Bytes())
		})
	}
}

// refusedByName lists the refused configurations whose names say what they
// show instead of that they are bad.
func refusedByName(name string) bool {
	switch name {
	case "dynamic-and-servers-in-zoo-cfg", "dynamic-next", "dynamic-with-other-keys", "dynamic-with-version-line",
		"group-incomplete", "group-of-a-stranger", "server-in-two-groups":
		return true
	}
	return false
}

func TestCorpusIsReadWithoutLoss(t *testing.T) {
	for _, c := range readCorpus(t) {
		p, err := ParseProperties("zoo.cfg", c.zooCfg)
		if err != nil {
			continue
		}
		if !bytes.Equal(p.Bytes(), c.zooCfg) {
			t.Errorf("%s: bytes changed", c.name)
		}
	}
}
