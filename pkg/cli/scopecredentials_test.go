package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// manyClusters are API servers with the ensemble demo in the namespaces zk and zk2, and with
// Secrets in some of these. What is read of them is kept.
type manyClusters struct {
	kubeconfig string

	mu    sync.Mutex
	asked []string
}

// newManyClusters has one cluster per context, the current one first; secrets are
// CONTEXT/NAMESPACE/NAME. before is called with each request of that form for a Secret.
func newManyClusters(t *testing.T, contexts []string, lists bool, before func(string), secrets ...string) *manyClusters {
	t.Helper()
	s, _ := wrappedHere(t)
	also(t, s, "zk2", "demo", func(server *migration.ServerRecord) { server.HostIP = fmt.Sprintf("127.0.1.%d", server.ID) })
	journals, err := s.kube.client.CoreV1().ConfigMaps("").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	journals.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMapList"}
	m := &manyClusters{kubeconfig: "kubeconfig"}
	var clusters, named []string
	for _, name := range contexts {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			words := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
			var answer any
			switch {
			case strings.HasSuffix(path.Dir(r.URL.Path), "/secrets"):
				secret := strings.Join([]string{name, words[3], words[5]}, "/")
				m.note("secret " + secret)
				before(secret)
				for _, known := range secrets {
					if known == secret {
						answer = corev1.Secret{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, Data: map[string][]byte{
							"credentials.yaml": []byte("sasl: {mechanism: DIGEST-MD5, username: x, passwordFile: p}"), "p": []byte("p")}}
					}
				}
			case r.URL.Path == "/api/v1/configmaps" && strings.Contains(r.URL.RawQuery, "journal"):
				m.note("journals " + name)
				answer = journals
			case path.Base(r.URL.Path) == "demo-zkmigrate":
				for i := range journals.Items {
					if journals.Items[i].Namespace == words[3] {
						cm := journals.Items[i]
						cm.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}
						answer = cm
					}
				}
			case lists && !strings.Contains(r.URL.Path, "/namespaces/"):
				kind := map[string]string{"configmaps": "ConfigMap", "services": "Service", "pods": "Pod", "endpoints": "Endpoints", "endpointslices": "EndpointSlice", "statefulsets": "StatefulSet"}[path.Base(r.URL.Path)]
				group := strings.TrimPrefix(strings.TrimPrefix(path.Dir(r.URL.Path), "/apis/"), "/api/")
				answer = map[string]any{"apiVersion": group, "kind": kind + "List", "metadata": map[string]any{}, "items": []any{}}
			}
			w.Header().Set("Content-Type", "application/json")
			if answer == nil {
				none := apierrors.NewNotFound(corev1.Resource(words[len(words)-2]), words[len(words)-1])
				w.WriteHeader(http.StatusNotFound)
				none.ErrStatus.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
				answer = none.ErrStatus
			}
			_ = json.NewEncoder(w).Encode(answer)
		}))
		t.Cleanup(srv.Close)
		clusters = append(clusters, fmt.Sprintf("{name: %s, cluster: {server: '%s'}}", name, srv.URL))
		named = append(named, fmt.Sprintf("{name: %s, context: {cluster: %[1]s, namespace: own}}", name))
	}
	t.Chdir(t.TempDir())
	put(t, map[string]string{m.kubeconfig: fmt.Sprintf("apiVersion: v1\nkind: Config\ncurrent-context: %s\nclusters: [%s]\ncontexts: [%s]\n", contexts[0], strings.Join(clusters, ","), strings.Join(named, ","))})
	return m
}

func (m *manyClusters) run(t *testing.T, args ...string) (out, errOut string) {
	var o, e strings.Builder
	Main(t.Context(), append(args, "--kubeconfig", m.kubeconfig, "--timeout=20s"), genericiooptions.IOStreams{In: strings.NewReader(""), Out: &o, ErrOut: &e})
	return o.String(), e.String()
}

func (m *manyClusters) note(what string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = append(m.asked, what)
}

// count is how often something was read.
func (m *manyClusters) count(what string) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.asked {
		if strings.HasPrefix(a, what) {
			n++
		}
	}
	return n
}

// TestSecretsOfManyEnsembles: each ensemble is asked with the Secret of its own cluster and
// namespace, which is read once; of no other one anything is read, and one without it hides
// nobody.
func TestSecretsOfManyEnsembles(t *testing.T) {
	for _, lists := range []bool{true, false} {
		for _, verb := range []string{"status", "check", "plan"} {
			t.Run(fmt.Sprintf("%s,lists=%t", verb, lists), func(t *testing.T) {
				m := newManyClusters(t, []string{"current", "a", "b"}, lists, func(string) {}, "a/zk/creds", "a/zk2/creds", "b/zk/creds")
				out, errOut := m.run(t, verb, "-A", "--contexts=a,b", "--probe-via=direct", "--credentials=secret/creds", "-o", "json")
				var items struct{ Items []json.RawMessage }
				if err := json.Unmarshal([]byte(out), &items); err != nil || len(items.Items) != 4 {
					t.Fatalf("%d ensembles, %v: %s\n%s", len(items.Items), err, out, errOut)
				}
				for i, one := range items.Items { // by context and namespace
					if says, want := strings.Contains(string(one), "secret/creds: "), i == 3; says != want {
						t.Errorf("ensemble %d has no credentials: %t, want %t:\n%s", i, says, want, one)
					}
				}
				for what, want := range map[string]int{"secret current/": 0, "journals current": 0, "secret a/zk/creds": 1, "secret a/zk2/creds": 1, "secret b/zk/creds": 1, "secret a/": 2} {
					if got := m.count(what); got != want {
						t.Errorf("%s was read %d times, want %d: %q", what, got, want, m.asked)
					}
				}
			})
		}
	}
}

// TestHungSecretDelaysNobody: while credentials are read from a cluster that does not answer, those
// of another one are.
func TestHungSecretDelaysNobody(t *testing.T) {
	hangs, over := make(chan struct{}), make(chan struct{})
	m := newManyClusters(t, []string{"a", "b"}, true, func(secret string) {
		if secret == "a/zk/creds" {
			close(hangs)
			<-over
		}
	}, "a/zk/creds", "b/zk/creds")
	root, d := newRoot(silent())
	cmd, rest, err := root.Find([]string{"status", "--kubeconfig", m.kubeconfig})
	if err == nil {
		err = cmd.ParseFlags(rest)
	}
	if err != nil {
		t.Fatal(err)
	}
	r := newReach(d, cmd, silent())
	open := func(cluster string) chan error {
		done := make(chan error, 1)
		go func() {
			_, _, err := r.deps(t.Context(), location{cluster, "zk"}, "secret/creds", "--credentials")
			done <- err
		}()
		return done
	}
	first := open("a")
	<-hangs
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	select {
	case err := <-open("b"):
		if err != nil {
			t.Error(err)
		}
	case <-ctx.Done():
		t.Error("who waits for cluster a keeps everybody from cluster b")
	}
	close(over)
	if err := <-first; err != nil {
		t.Error(err)
	}
}
