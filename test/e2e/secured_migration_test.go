//go:build e2e

package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/test/faults"
	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// secrets are what the lab's passwords look like.
const secrets = `lab-[a-z]+-secret`

// TestSecuredMigration moves ensembles with TLS or SASL between servers and for clients
// there, host names verified, one of them without a plain-text port, and one server back.
// What it leaves behind has no password in it.
func TestSecuredMigration(t *testing.T) {
	for _, c := range []struct{ name, version, how, flags string }{
		{"sec38", "3.8.0", "tls=quorum:client-only", ""},
		{"sec39", "3.9.3", "tls=quorum:client", ""},
		{"dig34", "3.4.13", "sasl=digest", "-Djava.security.auth.login.config=/etc/zookeeper/jaas.conf"},
		{"dig38", "3.8.0", "sasl=digest", "-Djava.security.auth.login.config=/etc/zookeeper/jaas.conf"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.version == "3.9.3" || c.name == "dig38" {
				if testing.Short() {
					t.Skip("with -short only the secure port alone on 3.8.0, and passwords on 3.4.13")
				}
			}
			t.Parallel()
			s := &secured{scene.New(t, c.name, c.version, []int{1, 2, 3}, c.how)}
			certified := strings.HasPrefix(c.how, "tls=")
			var said strings.Builder
			run := func(code int, args ...string) labkit.Result {
				t.Helper()
				r := s.Zkmigrate(code, append(args, "--credentials="+s.credentials(certified))...)
				said.WriteString(r.Stdout + r.Stderr)
				return r
			}
			hook := []string{"--host-hook", s.Lab.HookCommand(), "--timeout", "4m"}
			wrap := append(append([]string{"wrap", s.Name}, s.Files()...), labkit.PodFlags(s.Version, s.Name)...)
			wrap = append(wrap, "--jvm-flags", "-Xmx128m "+c.flags)
			if c.version == "3.9.3" {
				wrap = append(wrap, "--waive=ZK002") // what is wrong with it has nothing to do with TLS
			}

			// Nothing is written while the pods' files are missing.
			r := run(3, wrap...)
			if !strings.Contains(r.Stderr, "ZK033") || !strings.Contains(r.Stderr, "kubectl create secret generic "+s.Name+"-files") {
				t.Errorf("the missing Secret is not told:\n%s", r.Stderr)
			}
			s.makeFiles()
			r = run(0, append(wrap, "--files-secret="+s.Name+"-files")...)
			if !strings.Contains(r.Stderr, "nobody could look, and a parked pod tells") {
				t.Errorf("the operator may not read the Secret, and is not told:\n%s", r.Stderr)
			}
			var sans []string
			for _, id := range s.IDs {
				// The names are what the cluster's DNS says of the Service's and, from the wrap on, of
				// the host's address, and what a client of 3.9 holds against the certificate.
				name := fmt.Sprintf("%s-%d.%s.svc.cluster.local", s.Name, id, s.Name)
				sans = append(sans, "--san", s.clusterIP(id), "--san", name, "--san", "*."+name)
			}
			if certified {
				s.newCertificates(sans)
			}
			s.cliAt(s.addresses(false), "create", "/k", "before")
			s.scansACLs(run)
			out := t.TempDir()
			run(0, append(append([]string{"reconfigure", s.Name, "--output-dir", out}, s.Files()...), hook...)...)
			switch {
			case certified && c.version == "3.8.0":
				s.refusedByOthers(run, sans, map[string]faults.Fault{
					"other-san": faults.Elsewhere(t, "certificate-of-another-name"),
					"other-ca":  faults.Elsewhere(t, "certificate-of-another-ca"),
					"expired":   faults.Elsewhere(t, "certificate-expired"),
				})
			case !certified:
				s.refusedByOthers(run, nil, map[string]faults.Fault{"other-password": faults.Elsewhere(t, "password-between-servers")})
				if !testing.Short() {
					s.refusesClients(run, hook, faults.Elsewhere(t, "password-of-clients"))
				}
			}
			run(0, append([]string{"replace", s.Name, "--all", "--yes", scene.AcceptLoss}, hook...)...)
			s.cliAt(s.addresses(true), "set", "/k", "in pods")
			s.hasACLs(run(0, "clients", s.Name, "--scan-acls", "-o", "json", "--probe-via=pod"))
			run(0, append([]string{"revert", s.Name, "--id=1", "--yes"}, hook...)...)
			if got := s.cliAt(s.addresses(true), "get", "/k"); !strings.Contains(got, "in pods") {
				t.Errorf("/k is gone: %s", got)
			}
			run(0, "status", s.Name)

			noSecret(t, "what was printed", said.String())
			noSecretIn(t, out)
			s.noSecretInCluster()
		})
	}
}

// scansACLs makes ACLs with addresses, and wants that clients --scan-acls finds them with the
// rights of --credentials, and says what it may not read.
func (s *secured) scansACLs(run func(int, ...string) labkit.Result) {
	s.T.Helper()
	s.cliAt(s.addresses(false), "create", "/away", "v", "ip:10.1.2.3:cdrwa")
	s.cliAt(s.addresses(false), "create", "/read", "v", "world:anyone:r,ip:"+s.Hosts[1].Address+":cdrwa")
	s.hasACLs(run(0, "clients", s.Name, "--scan-acls", "-o", "json"))
	if r := run(0, "clients", s.Name, "--scan-acls", "--scan-znodes=1"); !strings.Contains(r.Stdout, "the scan stopped at the bound of 1 znodes") {
		s.T.Errorf("that the scan was bounded is not told:\n%s", r.Stdout)
	}
}

func (s *secured) hasACLs(r labkit.Result) {
	s.T.Helper()
	var report struct {
		ACLs     vantage.ACLScan `json:"acls"`
		Warnings []struct {
			Code     string   `json:"code"`
			Evidence []string `json:"evidence"`
		} `json:"warnings"`
	}
	if err := json.Unmarshal([]byte(r.Stdout), &report); err != nil {
		s.T.Fatalf("%v:\n%s", err, r.Stdout)
	}
	said := map[string]string{}
	for _, w := range report.Warnings {
		said[w.Code] = strings.Join(w.Evidence, "\n")
	}
	for code, want := range map[string]string{
		"ip-acls":     fmt.Sprintf("ip:%s may cdwa /read: the host of server 2", s.Hosts[1].Address),
		"unread-acls": "may not read the ACL of /away",
	} {
		if !strings.Contains(said[code], want) {
			s.T.Errorf("%s: %q is not in %q", code, want, said[code])
		}
	}
	if said["acl-providers"] != "" || report.ACLs.Hidden != 1 || report.ACLs.Read < 4 {
		s.T.Errorf("got %s and %+v", said["acl-providers"], report.ACLs)
	}
}

// newCertificates gives the hosts certificates with the Services' addresses.
func (s *secured) newCertificates(sans []string) {
	s.T.Helper()
	s.makeFiles(append(sans, "--host", "1,2,3")...)
	for _, h := range s.Hosts {
		s.Must(s.Lab.Zklab(s.T.Context(), "host", "restart", fmt.Sprintf("%s/%d", s.Name, h.ID)))
		scene.Eventually(s.T, "it serves with its new certificate", func() error {
			_, err := s.mode(h, h.ClientFiles)
			return err
		})
	}
}

// refusedByOthers wants that a pod which the others refuse stops nobody's host. faults are those of
// zklab, with their rows.
func (s *secured) refusedByOthers(run func(int, ...string) labkit.Result, sans []string, rows map[string]faults.Fault) {
	t := s.T
	t.Helper()
	for fault, row := range rows {
		if fault != "other-san" && testing.Short() {
			continue
		}
		s.makeFiles("--fault", fault)
		s.refused(run, row)
	}
	s.makeFiles(sans...)
}

// refused wants that the files that the Secret has now let no pod park, and that the row says why.
func (s *secured) refused(run func(int, ...string) labkit.Result, row faults.Fault) {
	t := s.T
	t.Helper()
	if err := s.Kube.CoreV1().Pods(s.Name).DeleteCollection(t.Context(), *scene.DeleteNow(), metav1.ListOptions{}); err != nil {
		t.Fatal(err) // their successors have the new files at once
	}
	r := run(124, "replace", s.Name, "--id=1", "--yes", "--host-hook", s.Lab.HookCommand(), "--timeout", "40s")
	if !strings.Contains(r.Stdout+r.Stderr, row.Verdict.Says) {
		t.Errorf("%s: it is not told:\n%s%s", row.Name, r.Stdout, r.Stderr)
	}
	if _, err := s.mode(s.Hosts[0], s.Hosts[0].ClientFiles); err != nil {
		t.Fatalf("%s: server 1 does not serve on its host: %v\n%s%s", row.Name, err, r.Stdout, r.Stderr)
	}
}

// refusesClients wants that a server which no client can authenticate to is not taken for moved, and
// goes back.
func (s *secured) refusesClients(run func(int, ...string) labkit.Result, hook []string, row faults.Fault) {
	t := s.T
	t.Helper()
	dir := s.files()
	file := filepath.Join(dir, "jaas.conf")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	wrong := strings.ReplaceAll(string(text), "lab-client-secret", "lab-other-secret")
	if err := os.WriteFile(file, []byte(wrong), 0o600); err != nil || wrong == string(text) {
		t.Fatalf("%v: %s has no such password", err, file)
	}
	s.putFiles(dir)
	if err := s.Kube.CoreV1().Pods(s.Name).DeleteCollection(t.Context(), *scene.DeleteNow(), metav1.ListOptions{}); err != nil {
		t.Fatal(err)
	}
	r := run(124, "replace", s.Name, "--id=1", "--yes", "--host-hook", s.Lab.HookCommand(), "--timeout", "100s")
	if !strings.Contains(r.Stdout+r.Stderr, row.Verdict.Says) {
		t.Errorf("%s: it is not told:\n%s%s", row.Name, r.Stdout, r.Stderr)
	}
	run(0, append([]string{"revert", s.Name, "--id=1", "--yes"}, hook...)...)
	s.makeFiles()
}

// addresses are where clients find the servers: the Services, or the hosts.
func (s *secured) addresses(services bool) string {
	s.T.Helper()
	var out []string
	for _, h := range s.Hosts {
		host := h.Address
		if services {
			host = s.clusterIP(h.ID)
		}
		out = append(out, fmt.Sprintf("%s:%d", host, cmp.Or(h.SecurePort, h.ClientPort)))
	}
	return strings.Join(out, ",")
}

// cliAt runs ZooKeeper's own command line at those servers.
func (s *secured) cliAt(servers string, args ...string) string {
	s.T.Helper()
	r := s.Must(s.Lab.OnClient(s.T.Context(), append([]string{"env", "ZK_SERVERS=" + servers, filepath.Join(s.Hosts[0].ClientFiles, "zkCli.sh")}, args...)...))
	return r.Stdout + r.Stderr
}

// credentials is a file for --credentials with the ensemble's client files.
func (s *secured) credentials(certified bool) string {
	s.T.Helper()
	dir := s.Hosts[0].ClientFiles
	text := fmt.Sprintf("tls:\n  ca: %[1]s/ca.crt\n  certificate: %[1]s/client.crt\n  key: %[1]s/client.key\n", dir)
	if !certified {
		text = "sasl:\n  mechanism: DIGEST-MD5\n  username: client\n  passwordFile: password\n"
	}
	file := filepath.Join(s.Lab.Dir, "credentials.yaml")
	for name, text := range map[string]string{file: text, filepath.Join(s.Lab.Dir, "password"): "lab-client-secret\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			s.T.Fatal(err)
		}
	}
	return file
}

// makeFiles makes the pods' certificates, and the Secret with them.
func (s *secured) makeFiles(flags ...string) {
	s.T.Helper()
	s.putFiles(s.files(flags...))
}

// files makes the files alone, in a folder.
func (s *secured) files(flags ...string) string {
	s.T.Helper()
	dir := s.T.TempDir()
	args := []string{"credentials", s.Name, "--dir", dir}
	if s.Hosts[0].SecurePort != 0 {
		args = append(args, "--san", "*."+s.Name+"-pods."+s.Name+".svc.cluster.local")
	}
	s.Must(s.Lab.Zklab(s.T.Context(), append(args, flags...)...))
	return dir
}

// putFiles makes the Secret of a folder.
func (s *secured) putFiles(dir string) {
	s.T.Helper()
	apply := fmt.Sprintf("kubectl create secret generic %[1]s-files -n %[1]s --from-file=%[2]s --dry-run=client -o yaml | kubectl apply --server-side -f -", s.Name, dir)
	s.Must(s.Lab.OnClient(s.T.Context(), "env", "KUBECONFIG="+strings.TrimSpace(s.Must(s.Lab.Zklab(s.T.Context(), "kubeconfig", "--in-lab")).Stdout), "sh", "-c", apply))
}

func (s *secured) clusterIP(id int) string {
	s.T.Helper()
	svc, err := s.Kube.CoreV1().Services(s.Name).Get(s.T.Context(), fmt.Sprintf("%s-%d", s.Name, id), metav1.GetOptions{})
	if err != nil {
		s.T.Fatal(err)
	}
	return svc.Spec.ClusterIP
}

func noSecret(t *testing.T, where, text string) {
	t.Helper()
	if regexp.MustCompile(secrets).MatchString(text) {
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
func (s *secured) noSecretInCluster() {
	t := s.T
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
