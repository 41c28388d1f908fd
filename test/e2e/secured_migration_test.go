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

	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// storeSecret is the password of all of the lab's key stores.
const storeSecret = "lab-store-secret"

// TestSecuredMigration moves ensembles with TLS between servers and for clients, host
// names verified, one of them without a plain-text port, there and one server back. What
// it leaves behind has no password in it.
func TestSecuredMigration(t *testing.T) {
	for _, c := range []struct{ name, version, tls string }{
		{"sec38", "3.8.0", "quorum:client-only"},
		{"sec39", "3.9.3", "quorum:client"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.version != "3.8.0" && testing.Short() {
				t.Skip("only the secure port alone, on 3.8.0, with -short")
			}
			s := scene.New(t, c.name, c.version, []int{1, 2, 3}, "tls="+c.tls)
			var said strings.Builder
			run := func(code int, args ...string) labkit.Result {
				t.Helper()
				r := s.Zkmigrate(code, append(args, "--credentials="+credentials(t, s))...)
				said.WriteString(r.Stdout + r.Stderr)
				return r
			}
			hook := []string{"--host-hook", s.Lab.HookCommand(), "--timeout", "4m"}
			wrap := append(append([]string{"wrap", s.Name}, s.Files()...), labkit.PodFlags(s.Version, s.Name)...)

			// Nothing is written while the pods' files are missing.
			r := run(3, wrap...)
			if !strings.Contains(r.Stderr, "ZK033") || !strings.Contains(r.Stderr, "kubectl create secret generic "+s.Name+"-files") {
				t.Errorf("the missing Secret is not told:\n%s", r.Stderr)
			}
			makeFiles(t, s)
			r = run(0, append(wrap, "--files-secret="+s.Name+"-files")...)
			if !strings.Contains(r.Stderr, "nobody could look, and a parked pod tells") {
				t.Errorf("the operator may not read the Secret, and is not told:\n%s", r.Stderr)
			}
			var sans []string
			for _, id := range s.IDs {
				svc, err := s.Kube.CoreV1().Services(s.Name).Get(t.Context(), fmt.Sprintf("%s-%d", s.Name, id), metav1.GetOptions{})
				if err != nil {
					t.Fatal(err)
				}
				sans = append(sans, "--san", svc.Spec.ClusterIP)
			}
			makeFiles(t, s, append(sans, "--host", "1,2,3")...)
			for _, h := range s.Hosts {
				s.Must(s.Lab.Zklab(t.Context(), "host", "restart", fmt.Sprintf("%s/%d", s.Name, h.ID)))
				scene.Eventually(t, "it serves with its new certificate", func() error {
					_, err := cli(t, s, h, "", "ls", "/")
					return err
				})
			}
			mustCLI(t, s, s.Hosts[0], "create", "/k", "before")
			out := t.TempDir()
			run(0, append(append([]string{"reconfigure", s.Name, "--output-dir", out}, s.Files()...), hook...)...)
			// A pod whose certificate the others refuse stops nobody's host.
			makeFiles(t, s, "--fault", "other-san")
			r = run(124, append([]string{"replace", s.Name, "--id=1", "--yes"}, "--host-hook", s.Lab.HookCommand(), "--timeout", "40s")...)
			if !strings.Contains(r.Stdout+r.Stderr, "refuses this pod's certificate") {
				t.Errorf("that the certificate is refused is not told:\n%s%s", r.Stdout, r.Stderr)
			}
			mustCLI(t, s, s.Hosts[0], "get", "/k")
			makeFiles(t, s, sans...)
			run(0, append([]string{"replace", s.Name, "--all", "--yes"}, hook...)...)
			for _, h := range s.Hosts {
				h.Address = clusterIP(t, s, h.ID)
				mustCLI(t, s, h, "set", "/k", fmt.Sprintf("in pod %d", h.ID))
			}
			run(0, append([]string{"revert", s.Name, "--id=1", "--yes"}, hook...)...)
			mustCLI(t, s, s.Hosts[0], "get", "/k")
			run(0, "status", s.Name)

			noSecret(t, "what was printed", said.String())
			noSecretIn(t, out)
			noSecretInCluster(t, s)
		})
	}
}

// credentials is a file for --credentials with the ensemble's client files.
func credentials(t *testing.T, s *scene.Scene) string {
	t.Helper()
	file := filepath.Join(s.Lab.Dir, "credentials.yaml")
	dir := s.Hosts[0].ClientFiles
	text := fmt.Sprintf("tls:\n  ca: %[1]s/ca.crt\n  certificate: %[1]s/client.crt\n  key: %[1]s/client.key\n", dir)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// makeFiles makes the pods' certificates, and the Secret with them.
func makeFiles(t *testing.T, s *scene.Scene, flags ...string) {
	t.Helper()
	dir := t.TempDir()
	s.Must(s.Lab.Zklab(t.Context(), append([]string{"credentials", s.Name, "--dir", dir, "--san", "*." + s.Name + "-pods." + s.Name + ".svc.cluster.local"}, flags...)...))
	apply := fmt.Sprintf("kubectl create secret generic %[1]s-files -n %[1]s --from-file=%[2]s --dry-run=client -o yaml | kubectl apply --server-side -f -", s.Name, dir)
	s.Must(s.Lab.OnClient(t.Context(), "env", "KUBECONFIG="+strings.TrimSpace(s.Must(s.Lab.Zklab(t.Context(), "kubeconfig", "--in-lab")).Stdout), "sh", "-c", apply))
}

func clusterIP(t *testing.T, s *scene.Scene, id int) string {
	t.Helper()
	svc, err := s.Kube.CoreV1().Services(s.Name).Get(t.Context(), fmt.Sprintf("%s-%d", s.Name, id), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return svc.Spec.ClusterIP
}

func noSecret(t *testing.T, where, text string) {
	t.Helper()
	if strings.Contains(text, storeSecret) {
		t.Errorf("a password is in %s", where)
	}
}

// noSecretIn looks through a folder: what has the host's whole file is for its owner alone.
func noSecretIn(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !strings.HasSuffix(path, ".new") {
			noSecret(t, path, string(data))
		}
		info, err := d.Info()
		if err == nil && strings.Contains(path, "zoo.cfg") && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// noSecretInCluster looks through all objects of the namespace but Secrets, and all logs.
func noSecretInCluster(t *testing.T, s *scene.Scene) {
	t.Helper()
	admin := strings.TrimSpace(s.Must(s.Lab.Zklab(t.Context(), "kubeconfig", "--in-lab")).Stdout)
	kubectl := func(args ...string) string {
		t.Helper()
		return s.Must(s.Lab.OnClient(t.Context(), append([]string{"env", "KUBECONFIG=" + admin, "kubectl", "-n", s.Name}, args...)...)).Stdout
	}
	all := kubectl("get", "configmaps,services,endpointslices,endpoints,statefulsets,controllerrevisions,pods,persistentvolumeclaims,poddisruptionbudgets,leases,events", "-o", "json")
	var list struct {
		Items []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal([]byte(all), &list); err != nil || len(list.Items) < 15 {
		t.Errorf("%d objects were looked at: %v", len(list.Items), err)
	}
	noSecret(t, "an object that is no Secret", all)
	for ordinal := range s.IDs {
		for _, container := range []string{"zookeeper", "gate"} {
			noSecret(t, "a log", kubectl("logs", fmt.Sprintf("%s-pod-%d", s.Name, ordinal), "-c", container))
		}
	}
}
