//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// hinted is a state in which a check says what helps, and that being done.
type hinted struct {
	// id is the check's.
	id string
	// spoil brings the state about, mend does what the hint says; either may be nil.
	spoil, mend func()
	// bad and good are the arguments of check before and after.
	bad, good []string
}

// TestHints tries the hints one by one: the check fails in a real ensemble, what it
// says is done, it passes, and the client that writes all the while has lost nothing.
func TestHints(t *testing.T) {
	s := scene.New(t, "hints", "3.8.0", []int{1, 2, 3})
	s.Wrap()
	s.StartLoad()
	tried := map[string]bool{}
	for _, h := range hints(s) {
		t.Run(h.id, func(t *testing.T) {
			s := s.For(t)
			if h.spoil != nil {
				h.spoil()
			}
			scene.Eventually(t, h.id+" does not pass, and says what helps", func() error { return judged(s, h.id, h.bad, false) })
			if h.mend != nil {
				h.mend()
			}
			scene.Eventually(t, h.id+" passes", func() error { return judged(s, h.id, h.good, true) })
			tried[h.id] = true
		})
	}
	elsewhere := triedElsewhere()
	for _, c := range preflight.Checks() {
		if where := elsewhere[c.ID]; c.Hint != "" && !tried[c.ID] && where == "" {
			t.Errorf("the hint of %s (%s) was tried nowhere", c.ID, c.Hint)
		}
	}
	s.NothingLost()
}

// triedElsewhere says where the other hints are tried, or why there is nothing to try.
func triedElsewhere() map[string]string {
	return map[string]string{
		"ZK002": "TestMigration/3.9.3 waives it by name",
		"ZK004": "its hint is an upgrade, which is not ours",
		"ZK006": "its hint is to look; rows election-* of docs/faults.md",
		"ZK007": "TestRealAuthDemanded of pkg/zkprobe, for each release",
		"ZK010": "its hint is to mend the lines named: files of test/badinput",
		"ZK016": "its hint is to do nothing; TestDynamicEnsemble does it all the same",
		"ZK017": "TestDynamicEnsemble",
		"ZK019": "row snapshot-beyond-initlimit of docs/faults.md",
		"ZK021": "names in the server lines: TestCluesOfRealServers of pkg/cluster has the certificates",
		"ZK022": "its hint is to do nothing before reconfigure, which every migration runs",
		"ZK025": "every row of docs/faults.md follows what status prints beside an operation",
		"ZK027": "its hint is to do nothing; TestMigration runs such ids", "ZK028": "TestMigration runs such ids",
		"ZK029": "TestWrapLeavesAFlippedServerAlone of test/integration",
		"ZK030": "row image-of-another-release of docs/faults.md",
		"ZK033": "TestSecuredMigration", "ZK034": "TestKerberosMigration",
		"TLS001": "TestSecuredMigration, whose certificates have what it names", "TLS002": "TestSecuredMigration", "TLS003": "its hint is to renew, which is not ours",
		"K8S001": "TestEachPermissionTakenAway of test/integration",
		"K8S003": "its hint is an upgrade of Kubernetes, which is not ours",
		"K8S004": "row volume-pending of docs/faults.md",
		"K8S005": "row quota of docs/faults.md",
		"K8S006": "TestRoom of pkg/preflight; a LimitRange refuses as a quota does",
		"K8S007": "rows no-room and too-few-nodes of docs/faults.md",
		"K8S008": "TestRoom of pkg/preflight",
		"K8S009": "row volume-pending of docs/faults.md", "K8S010": "TestLeftOver of pkg/cluster: the published Role cannot look",
		"NET001": "TestPaths", "NET002": "TestPaths", "NET003": "TestPaths", "NET004": "TestPaths", "NET005": "TestPaths", "NET006": "TestLostPaths of pkg/preflight",
		"NET007": "TestLookups of pkg/preflight", "NET008": "TestLookups of pkg/preflight", "NET009": "TestSources of pkg/preflight",
		"HOST001": "TestHostChecks of pkg/preflight", "HOST002": "TestHostChecks of pkg/preflight", "HOST003": "TestHostChecks of pkg/preflight",
		"HOST004": "TestHostChecks of pkg/preflight", "HOST005": "TestHostChecks of pkg/preflight",
	}
}

// hints are the states that a small ensemble can be brought into, and out of.
func hints(s *scene.Scene) []hinted {
	files := s.Files()
	edited := func(change func(string) string, ids ...int) []string {
		out := append([]string{}, files...)
		for _, id := range ids {
			text, err := os.ReadFile(s.Host(id).ZooCfg)
			if err != nil {
				s.T.Fatal(err)
			}
			name := filepath.Join(s.T.TempDir(), "zoo.cfg")
			if err := os.WriteFile(name, []byte(change(string(text))), 0o644); err != nil {
				s.T.Fatal(err)
			}
			for i, f := range out {
				if strings.HasPrefix(f, fmt.Sprintf("%d=", id)) {
					out[i] = fmt.Sprintf("%d=%s", id, name)
				}
			}
		}
		return out
	}
	line := func(text string, ids ...int) []string {
		return edited(func(old string) string { return old + text + "\n" }, ids...)
	}
	members := func(ids ...int) (out []string) {
		for i, id := range ids {
			h := s.Host(id)
			out = append(out, fmt.Sprintf("--member=%d=%s:2888:3888;%d", i+1, h.Address, h.ClientPort))
		}
		return out
	}
	follower := 0
	for _, id := range s.IDs {
		if id != s.Status().Leader {
			follower = id
		}
	}
	return []hinted{
		{id: "ZK001", bad: files, good: files, spoil: func() { s.OnHost(follower, "stop") }, mend: func() { s.OnHost(follower, "start") }},
		{id: "ZK005", bad: members(2, 1, 3), good: members(1, 2, 3)},
		{id: "ZK008", bad: files, good: files, spoil: func() { disturb(s, "drop", "client1", "--port", "3888", "--to", s.Host(follower).Address) }, mend: func() { disturb(s, "heal", "client1") }},
		{id: "ZK009", bad: members(1, 2), good: members(1, 2, 3)},
		{id: "ZK011", bad: edited(func(old string) string { return strings.ReplaceAll(old, ":3888", ":3889") }, 3), good: files},
		{id: "ZK013", bad: files, good: files,
			spoil: func() { everywhere(s, func(old string) string { return old + "forceSync=no\n" }) },
			mend: func() {
				everywhere(s, func(old string) string { return strings.ReplaceAll(old, "forceSync=no", "forceSync=yes") })
			}},
		{id: "ZK014", bad: line("#Auto-generated by Exhibitor", 2), good: files},
		{id: "ZK015", bad: line("snapshot.trust.empty=true", 2), good: files},
		{id: "ZK018", bad: files, good: line("autopurge.purgeInterval=1", s.IDs...)},
		{id: "ZK031", bad: line("# Ansible managed", 2), good: files},
		{id: "ZK032", bad: files, good: line("sslQuorum=true", s.IDs...)},
		{id: "ZK020", spoil: func() { s.Kubectl("delete", "endpointslice", "hints-2-bridge") }, mend: func() { s.Wrap() }},
		{id: "ZK023", bad: members(1, 2), good: members(1, 2, 3)},
		{id: "ZK024", spoil: func() { s.Kubectl("delete", "service", "hints-2") }, mend: func() { s.Wrap() }},
		{id: "ZK036", spoil: func() { journalOfBefore(s) }, mend: func() { s.Wrap() }},
		{id: "ZK026", bad: append([]string{"NAME=again"}, files...)},
		{id: "K8S002", bad: append([]string{"NAME=taken"}, files...), good: append([]string{"NAME=free"}, files...),
			spoil: func() { s.Kubectl("create", "service", "clusterip", "taken-1", "--tcp=2181") }},
	}
}

// journalOfBefore puts a password into the journal, where an earlier release kept it.
func journalOfBefore(s *scene.Scene) {
	s.T.Helper()
	maps := s.Kube.CoreV1().ConfigMaps(s.Name)
	cm, err := maps.Get(s.T.Context(), s.Name+"-zkmigrate", metav1.GetOptions{})
	if err != nil {
		s.T.Fatal(err)
	}
	cm.Data["record.json"] = strings.Replace(cm.Data["record.json"], `"zooCfg": "`, `"zooCfg": "ssl.keyStore.password=hunter2\n`, 1)
	if _, err := maps.Update(s.T.Context(), cm, metav1.UpdateOptions{}); err != nil {
		s.T.Fatal(err)
	}
}

// judged wants one check to pass, or not to pass with a hint. Files and members are
// those of an ensemble that is not wrapped; NAME=... chooses its name, and without any
// arguments the wrapped one is looked at.
func judged(s *scene.Scene, id string, args []string, pass bool) error {
	name := s.Name
	if len(args) > 0 {
		name = "trial"
		if n, ok := strings.CutPrefix(args[0], "NAME="); ok {
			name, args = n, args[1:]
		}
	}
	r, err := s.Lab.Zkmigrate(s.T.Context(), append([]string{"check", name, "-n", s.Name, "-o", "json"}, args...)...)
	if err != nil {
		return err
	}
	var report struct{ Checks []preflight.Finding }
	if err := json.Unmarshal([]byte(r.Stdout), &report); err != nil {
		return fmt.Errorf("exit code %d: %w\n%s%s", r.Code, err, r.Stdout, r.Stderr)
	}
	for _, f := range report.Checks {
		if f.ID != id {
			continue
		}
		// Whether other namespaces have these hosts is nothing that this user may see.
		if pass && id == "ZK026" && f.Result == preflight.Unknown {
			return nil
		}
		bad := f.Result == preflight.Fail || f.Result == preflight.Warn || f.Result == preflight.Unknown
		if bad == pass || bad && f.Result != preflight.Unknown && f.Hint == "" {
			return fmt.Errorf("%s: %s %q, hint %q", id, f.Result, f.Detail, f.Hint)
		}
		return nil
	}
	return fmt.Errorf("%s was not made", id)
}

// everywhere edits every host's zoo.cfg and restarts one server after the other, the
// leader last.
func everywhere(s *scene.Scene, change func(string) string) {
	leader := s.Status().Leader
	for _, id := range append(scene.But(s.IDs, leader), leader) {
		name := s.Host(id).ZooCfg
		text, err := os.ReadFile(name)
		if err != nil {
			s.T.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(change(string(text))), 0o644); err != nil {
			s.T.Fatal(err)
		}
		s.OnHost(id, "restart")
		scene.Eventually(s.T, fmt.Sprintf("server %d is back", id), func() error {
			if st := s.Status(); !st.Healthy {
				return fmt.Errorf("%+v", st)
			}
			return nil
		})
	}
}

func disturb(s *scene.Scene, args ...string) {
	s.T.Helper()
	s.Must(s.Lab.Zklab(s.T.Context(), append([]string{"net"}, args...)...))
}
