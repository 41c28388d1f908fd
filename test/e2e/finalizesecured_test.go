//go:build e2e

package e2e

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// TestFinalizeSecured ends the migration of ensembles with passwords, key stores of each server
// and JAAS files, a client writing: their plain pods have all of it, from Secrets alone, and
// Kubernetes restarts them by itself.
func TestFinalizeSecured(t *testing.T) {
	for _, c := range []struct {
		name, version string
		how           []string
		flags         string
	}{
		{"fintls38", "3.8.0", []string{"tls=quorum:client-only", "zoo-cfg-line=DigestAuthenticationProvider.superDigest=super:" + superDigest}, ""},
		{"findig34", "3.4.13", []string{"sasl=digest"}, "-Djava.security.auth.login.config=/etc/zookeeper/jaas.conf"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() && c.name == "findig34" {
				t.Skip("-short: the other one shows the same, and more")
			}
			t.Parallel()
			s := &secured{scene.New(t, c.name, c.version, []int{1, 2, 3}, c.how...)}
			overTLS := s.Hosts[0].SecurePort != 0
			var said strings.Builder
			run := func(code int, args ...string) labkit.Result {
				t.Helper()
				r := s.Zkmigrate(code, append(args, "--credentials="+s.credentials(overTLS))...)
				said.WriteString(r.Stdout + r.Stderr)
				return r
			}
			files := func(sans ...string) {
				dir := s.files(sans...)
				if err := os.WriteFile(filepath.Join(dir, "jvm-flags"), []byte("# nobody may read it\n-Dlab.flag=lab-flag-secret\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				s.putFiles(dir)
			}
			files()
			wrap := append(append([]string{"wrap", s.Name}, s.Files()...), labkit.PodFlags(s.Version, s.Name)...)
			run(0, append(wrap, "--jvm-flags", "-Xmx128m "+c.flags, "--files-secret="+s.Name+"-files")...)
			if overTLS {
				var sans []string
				for _, id := range s.IDs {
					// A reverse look-up of a pod's address answers with the StatefulSet's name, or its Service's.
					name := fmt.Sprintf("%s-%d.%s.svc.cluster.local", s.Name, id, s.Name)
					sans = append(sans, "--san", s.clusterIP(id), "--san", name, "--san", "*."+name)
				}
				s.newCertificates(sans)
				files(sans...)
			}
			hook := []string{"--host-hook", s.Lab.HookCommand(), "--timeout", "12m"}
			run(0, append(append([]string{"reconfigure", s.Name}, s.Files()...), hook...)...)
			run(0, append([]string{"replace", s.Name, "--all", "--yes", scene.AcceptLoss}, hook...)...)

			missing := s.writesOn(overTLS)
			finalize := []string{"finalize", s.Name, "--yes", "--give-up-way-back=" + s.Name, "--timeout", "15m"}
			if r := run(3, finalize...); !strings.Contains(r.Stderr, "rbac "+s.Name) || !strings.Contains(r.Stderr, "--finalize") {
				t.Errorf("what lets it read the Secrets is not told:\n%s", r.Stderr)
			}
			s.mayFinalize()
			if shown := run(0, "finalize", s.Name, "--dry-run=client", "-o", "yaml").Stdout; !strings.Contains(shown, "<hidden>") {
				t.Errorf("the Secret is not told:\n%s", shown)
			}
			run(0, finalize...)
			plainSecured(s)
			set := "statefulset/" + s.Name + "-pod"
			s.Kubectl("rollout", "restart", set)
			s.Kubectl("rollout", "status", set, "--timeout=8m")
			plainSecured(s)
			missing()

			mayRemove(s.Scene)
			run(0, append(finalize, "--delete-helpers")...)
			s.Kubectl("rollout", "restart", set)
			s.Kubectl("rollout", "status", set, "--timeout=8m")
			plainSecured(s)
			noSecret(t, "what was printed", said.String())
			s.noSecretOutside("zookeeper")
			secrets := s.secretNames()
			if len(secrets) != 2 || !strings.HasPrefix(secrets[0], s.Name+"-conf-") || secrets[1] != s.Name+"-files" {
				t.Errorf("Secrets that are left: %v", secrets)
			}
		})
	}
}

// superDigest is the base64 of the SHA-1 of super:lab-super-secret.
const superDigest = "2+vVuCXKy7xyuBp3H5IdLivmf0o="

// mayFinalize gives the operator the Role that finalize asks for.
func (s *secured) mayFinalize() {
	s.T.Helper()
	role := s.Zkmigrate(0, "rbac", s.Name, "--finalize", "--user", "operator-"+s.Name)
	file := s.File("finalize.yaml")
	if err := os.WriteFile(file, []byte(role.Stdout), 0o600); err != nil {
		s.T.Fatal(err)
	}
	s.Kubectl("apply", "-f", file)
}

func (s *secured) secretNames() (names []string) {
	s.T.Helper()
	list, err := s.Kube.CoreV1().Secrets(s.Name).List(s.T.Context(), metav1.ListOptions{})
	if err != nil {
		s.T.Fatal(err)
	}
	for _, secret := range list.Items {
		names = append(names, secret.Name)
	}
	return names
}

// plainSecured wants ready pods that run what the image says, with the flags of jvm-flags, and
// servers that let in who has the right credentials.
func plainSecured(s *secured) {
	s.T.Helper()
	plain(s.Scene)
	for ordinal := range s.IDs {
		pod := fmt.Sprintf("%s-pod-%d", s.Name, ordinal)
		line := s.Kubectl("exec", pod, "--", "bash", "-c", "tr '\\0' ' ' </proc/1/cmdline; echo; tr '\\0' '\\n' </proc/1/environ | grep ^SERVER_JVMFLAGS=")
		if !strings.Contains(line, "-Dlab.flag=lab-flag-secret") {
			s.T.Errorf("pod %s runs without the flags of jvm-flags:\n%s", pod, line)
		}
	}
	servers := s.addresses(true)
	scene.Eventually(s.T, "a client with credentials reads what was written", func() error {
		r, err := labkit.Must(s.Lab.OnClient(s.T.Context(), "env", "ZK_SERVERS="+servers, filepath.Join(s.Hosts[0].ClientFiles, "zkCli.sh"), "get", "/written"))
		if err == nil && !strings.Contains(r.Stdout, "here") {
			err = errors.New(r.Stdout)
		}
		return err
	})
}

// noSecretOutside is noSecretInCluster for pods with that container alone.
func (s *secured) noSecretOutside(container string) {
	t := s.T
	t.Helper()
	all := s.Kubectl("get", "configmaps,services,endpointslices,endpoints,statefulsets,controllerrevisions,pods,persistentvolumeclaims,poddisruptionbudgets,leases,events", "-o", "json")
	var list struct {
		Items []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal([]byte(all), &list); err != nil || len(list.Items) < 15 {
		t.Errorf("%d objects were looked at: %v", len(list.Items), err)
	}
	noSecret(t, "an object that is no Secret", all)
	if strings.Contains(all, superDigest) {
		t.Error("the superuser's digest is in an object that is no Secret")
	}
	for ordinal := range s.IDs {
		noSecret(t, "a log", s.Kubectl("logs", fmt.Sprintf("%s-pod-%d", s.Name, ordinal), "-c", container))
	}
}

// writesOn has a client write through the Services until the function that it returns is called,
// which wants that nothing acknowledged is missing.
func (s *secured) writesOn(overTLS bool) (missing func()) {
	t := s.T
	t.Helper()
	var servers []string
	tlsConfig := map[string]*tls.Config{}
	for _, h := range s.Hosts {
		address := fmt.Sprintf("%s:%d", s.clusterIP(h.ID), h.ClientPort)
		if overTLS {
			address = fmt.Sprintf("%s:%d", s.clusterIP(h.ID), h.SecurePort)
			config := s.config(h, h.ClientFiles)
			config.ServerName = s.clusterIP(h.ID)
			tlsConfig[address] = config
		}
		servers = append(servers, address)
	}
	dial := func(_, address string, _ time.Duration) (net.Conn, error) {
		conn, err := s.Lab.Dial(t.Context(), address)
		if err != nil || !overTLS {
			return conn, err
		}
		return tls.Client(conn, tlsConfig[address]), nil
	}
	conn, _, err := zk.Connect(servers, 20*time.Second, zk.WithDialer(dial), zk.WithLogInfo(false))
	if err != nil {
		t.Fatal(err)
	}
	scene.Eventually(t, "the client writes", func() error {
		_, err := conn.Create("/written", []byte("here"), 0, zk.WorldACL(zk.PermAll))
		if errors.Is(err, zk.ErrNodeExists) {
			return nil
		}
		return err
	})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan []string)
	go func() {
		var acknowledged []string
		for n := 0; ctx.Err() == nil; n++ {
			if _, err := conn.Create("/written/"+strconv.Itoa(n), nil, 0, zk.WorldACL(zk.PermAll)); err == nil {
				acknowledged = append(acknowledged, strconv.Itoa(n))
			}
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
		done <- acknowledged
	}()
	return func() {
		t.Helper()
		stop()
		acknowledged := <-done
		defer conn.Close()
		if s.Version == "3.8.0" {
			s.superReads(conn)
		}
		var there []string
		scene.Eventually(t, "the client reads", func() (err error) {
			if _, err = conn.Sync("/written"); err == nil {
				there, _, err = conn.Children("/written")
			}
			return err
		})
		slices.Sort(there)
		lost := slices.DeleteFunc(slices.Clone(acknowledged), func(name string) bool {
			_, found := slices.BinarySearch(there, name)
			return found
		})
		t.Logf("%d of %d acknowledged writes missing", len(lost), len(acknowledged))
		if len(lost) > 0 || len(acknowledged) < 100 {
			t.Errorf("missing are %v of %d", lost, len(acknowledged))
		}
	}
}

// superReads wants that the superuser is let in by the password that zoo.cfg has for it.
func (s *secured) superReads(conn *zk.Conn) {
	s.T.Helper()
	scene.Eventually(s.T, "there is what only the superuser may read", func() error {
		_, err := conn.Create("/closed", []byte("for one"), 0, zk.DigestACL(zk.PermAll, "nobody", "knows"))
		if errors.Is(err, zk.ErrNodeExists) {
			return nil
		}
		return err
	})
	if _, _, err := conn.Get("/closed"); !errors.Is(err, zk.ErrNoAuth) {
		s.T.Errorf("everybody reads what nobody may: %v", err)
	}
	if err := conn.AddAuth("digest", []byte("super:lab-super-secret")); err != nil {
		s.T.Errorf("the superuser is not let in: %v", err)
	}
	if data, _, err := conn.Get("/closed"); err != nil || string(data) != "for one" {
		s.T.Errorf("the superuser reads %q: %v", data, err)
	}
}

// TestFinalizeDynamic: servers on one host, at ports of their own, that keep their list in a
// dynamic file: in plain pods each answers its own probe, writes its own files, and comes back
// with them.
func TestFinalizeDynamic(t *testing.T) {
	t.Parallel()
	s := scene.New(t, "findyn", "3.8.0", []int{1, 2, 3}, "dynamic=true", "share-host=true", "zoo-cfg-line=skipACL=yes")
	s.Ready()
	s.Replace(0, "--all", "--timeout", "12m")
	s.Zkmigrate(0, "finalize", s.Name, "--yes", "--give-up-way-back="+s.Name, "--timeout", "15m")
	list := func(pod string) string {
		return s.Kubectl("exec", pod, "--", "bash", "-c", `f=$(sed -n s/^dynamicConfigFile=//p /zookeeper/conf/zoo.cfg) && echo "$f" && cat "$f"`)
	}
	before := map[string]string{}
	for _, server := range s.Status().Servers {
		before[server.Pod] = list(server.Pod)
	}
	// Somebody changes the list: the leader weighs as before, but the file has another name.
	leader := s.Status().Leader
	address := ""
	for _, server := range s.Status().Servers {
		if server.ID == leader {
			address = fmt.Sprintf("%s:%d", server.ClusterIP, s.Host(server.ID).ClientPort)
		}
	}
	conn := connect(t, s, address)
	defer conn.Close()
	if _, err := conn.IncrementalReconfig([]string{"server.9=192.0.2.9:2888:3888:observer;2181"}, nil, -1); err != nil {
		t.Fatal(err)
	}
	written := func(when string) {
		t.Helper()
		for pod, was := range before {
			scene.Eventually(t, "pod "+pod+" has the new list "+when, func() error {
				if now := list(pod); now == was || !strings.Contains(now, "server.9=192.0.2.9") {
					return errors.New(now)
				}
				return nil
			})
		}
	}
	written("after the change")
	set := "statefulset/" + s.Name + "-pod"
	s.Kubectl("rollout", "restart", set)
	s.Kubectl("rollout", "status", set, "--timeout=8m")
	written("after the restart")
	s.NothingLost()
}
