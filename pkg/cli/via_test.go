package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/access"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/replay"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkdata"
)

// hostile is a context whose name breaks what is quoted carelessly.
const hostile = `a'b "c`

// TestPrintedCommandsNameTheCluster: what is printed for one cluster must not
// work on another.
func TestPrintedCommandsNameTheCluster(t *testing.T) {
	denies := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,`+
			`"message":"configmaps \"x\" is forbidden: User \"me\" cannot get resource \"configmaps\" in API group \"\" in the namespace \"zk\"","details":{"name":"x","kind":"configmaps"}}`)
	}))
	defer denies.Close()
	t.Chdir(t.TempDir())
	put(t, map[string]string{
		"FILE":    good,
		"zoo 1":   good,
		"halfway": "apiVersion: v1\nkind: Config\ncontexts: [{name: 'a''b \"c', context: {cluster: none}}]\n",
	})
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"none given": {[]string{"wrap", "-f", "FILE"}, "NAME: kubectl zkmigrate wrap NAME -f FILE"},
		"files":      {[]string{"wrap", "-f", "1=zoo 1", "-f", "2=FILE"}, "NAME: kubectl zkmigrate wrap NAME -f '1=zoo 1' -f '2=FILE'\n"},
		"a cluster": {[]string{"wrap", "-f", "FILE", "--server", "http://127.0.0.1:1", "--as=me"},
			"NAME: kubectl zkmigrate --server=http://127.0.0.1:1 --as=me wrap NAME -f FILE"},
		"a kubeconfig": {[]string{"status", "zk1", "--kubeconfig=halfway", "--context", hostile},
			`look at it with: kubectl --kubeconfig=halfway --context='a'\''b "c' config view --minify`},
		"no server": {[]string{"status", "zk1", "--server=http://127.0.0.1:1"},
			": kubectl --server=http://127.0.0.1:1 get --raw /readyz"},
		"no time": {[]string{"status", "zk1", "--server=http://127.0.0.1:1", "--timeout=1ns"},
			"timed out after 1ns"},
		"a Role is for somebody else": {[]string{"status", "zk1", "-n", "zk", "--server=" + denies.URL, "--as=me"},
			"have an administrator run: kubectl zkmigrate rbac zk1 --user=me -n zk | kubectl apply -f -"},
		"help is for any cluster": {[]string{"status", "--nonsense", "--server=http://127.0.0.1:1"}, "See 'kubectl zkmigrate status --help'"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errOut bytes.Buffer
			Main(t.Context(), c.args, genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &errOut})
			if !strings.Contains(errOut.String(), c.want) {
				t.Errorf("got %q, want %q", errOut.String(), c.want)
			}
		})
	}
}

// TestCommandsInJSON: whatever a context is called, JSON stays JSON, and a shell
// that is given a command from it hands that context to kubectl.
func TestCommandsInJSON(t *testing.T) {
	t.Chdir(t.TempDir())
	rec, err := wrapped(t, "3.8.0").record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	o := migration.Observation{At: time.Now(), Record: rec, ClusterComplete: true}
	for _, s := range rec.Servers {
		v := migration.ServerView{ID: s.ID}
		v.Cluster.Service = migration.ServiceView{Found: true, ClusterIP: s.ClusterIP, Changed: []string{"publishNotReadyAddresses"}, Patch: `{"spec":{"publishNotReadyAddresses":true}}`}
		o.Servers = append(o.Servers, v)
	}
	o.Via = command.Via{}.With("context", "the one of whoever saved it")
	saved, err := json.Marshal(replay.Save(o, "test"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, map[string]string{"look": string(saved)})
	for _, args := range [][]string{{"status", "-o", "json"}, {"plan", "-o", "json"}} {
		code, out, errOut := run(t, "", append(args, "--from=look", "--context", hostile)...)
		if code != exitOK {
			t.Fatalf("exit code %d: %s", code, errOut)
		}
		var found struct {
			Next     string
			Problems []migration.Problem
		}
		if err := json.Unmarshal([]byte(out), &found); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		words := shellWords(t, found.Next)
		if want := []string{"--context=" + hostile, "patch", "service", "demo-1", "--type=merge", "-p", `{"spec":{"publishNotReadyAddresses":true}}`, "-n", "zk"}; len(words) < 3 || !slices.Equal(words[2:], want) {
			t.Errorf("%v: a shell reads %q, want %q", args, words, want)
		}
		if args[0] == "status" && !strings.HasPrefix(found.Problems[0].Evidence[0], "who: kubectl --kubeconfig=") {
			t.Errorf("got %q", found.Problems[0].Evidence)
		}
		if strings.Contains(out, "whoever saved it") {
			t.Errorf("a saved look holds another reader's flags: %s", out)
		}
	}
}

// TestWaysOutNameTheCluster: so do the commands for which a cluster is needed.
func TestWaysOutNameTheCluster(t *testing.T) {
	s := wrapped(t, "3.8.0")
	rec, err := s.record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.kube.via = command.Via{}.With("context", hostile)
	quoted := s.kube.via.String()
	full := afterRefusedCopy(zkdata.NoRoomError("the pod's volume is full"), rec, 3, "send it again", s.kube.at())
	lines, _ := manualCopy(rec, s.kube.via)(rec.Servers[0], "token")
	for got, want := range map[string][]string{
		full:     {"kubectl " + quoted + " edit pvc data-demo-pod-2 -n zk", "kubectl zkmigrate " + quoted + " revert demo --id=3 -n zk"},
		lines[0]: {"| kubectl zkmigrate " + quoted + " seed demo --id=1 -n zk"},
		roleCommand(rec, access.Scope{Copy: true}, "me"): {"kubectl zkmigrate rbac demo --user=me"},
	} {
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("got %q, want %q", got, w)
			}
		}
	}
}

// shellWords are the words that a shell makes of a command.
func shellWords(t *testing.T, line string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "sh", "-c", `printf '%s\0' `+line).Output()
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}
