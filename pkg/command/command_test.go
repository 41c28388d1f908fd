package command_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

type dataMode string

func TestCommands(t *testing.T) {
	var none command.Via
	via := none.With("context", "prod").With("as", "").With("as", "me")
	zk := command.At{Namespace: "zk", Via: via}
	here := command.At{Namespace: "zk"}
	through := command.At{Namespace: "zk", Via: via.WithOwn("probe-via", "pod").WithOwn("probe-image", "")}
	for want, got := range map[string]string{
		"kubectl zkmigrate status main -n zk":                                        here.Ours("status %s", "main"),
		"kubectl zkmigrate --context=prod --as=me status main -n zk":                 zk.Ours("status %s", "main"),
		"kubectl zkmigrate --context=prod --as=me --probe-via=pod status main -n zk": through.Ours("status %s", "main"),
		"kubectl --context=prod --as=me logs p -n zk":                                through.Kubectl("logs %s", "p"),
		"kubectl zkmigrate --context=prod --as=me status -A":                         zk.Clusterwide().Ours("status -A"),
		"kubectl zkmigrate --context=prod --as=me replace main --id=2 --data=copy":   zk.Clusterwide().Ours("replace %s --id=%d --data=%s", "main", 2, dataMode("copy")),
		"kubectl zkmigrate rbac main --user=bob -n zk":                               zk.Ours("rbac %s --user=%s", "main", "bob"),
		"kubectl zkmigrate reconfigure main -f 'a b' --host-hook=x -n zk":            here.Ours("reconfigure %s %s", "main", command.Quoted("-f 'a b' --host-hook=x")),
		"kubectl zkmigrate rbac -n zk":                                               zk.Ours("rbac"),
		"kubectl delete pod a b -n zk":                                               here.Kubectl("delete pod %s", quote.Words{"a", "b"}),
		"kubectl --context=prod --as=me logs p --previous -n zk":                     zk.Kubectl("logs %s --previous", "p"),
		"kubectl --context=prod --as=me delete node n1":                              zk.Clusterwide().Kubectl("delete node %s", "n1"),
		"kubectl patch service s -p '{\"a\":\"100%\"}' -n 'n s'":                     command.At{Namespace: "n s"}.Kubectl("patch service %s -p %s", "s", `{"a":"100%"}`),
		"kubectl get --raw /readyz?verbose":                                          command.At{}.Kubectl("get --raw /readyz?verbose"),
		"kubectl zkmigrate --context='a b' wrap main":                                command.At{Via: none.With("context", "a b")}.Ours("wrap main"),
		"kubectl zkmigrate --kubeconfig=-x --server=http://127.0.0.1:1 status -n zk": command.At{Namespace: "zk", Via: none.With("kubeconfig", "-x").With("server", "http://127.0.0.1:1")}.Ours("status"),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestAnyValueIsOneWord: whatever a context, a namespace or a name holds, a shell
// gives it to the program as it was.
func TestAnyValueIsOneWord(t *testing.T) {
	for _, s := range []string{`a'b "c`, "$(touch x)", "`id`", "a\nb", "-n", "*", "a;b|c&d", `\`, "%s%d", "#x", "~"} {
		at := command.At{Namespace: s, Via: command.Via{}.With("context", s).With("user", s)}
		for line, want := range map[string][]string{
			at.Ours("status %s", s):         {"kubectl", "zkmigrate", "--context=" + s, "--user=" + s, "status", s, "-n", s},
			at.Kubectl("describe %s", s):    {"kubectl", "--context=" + s, "--user=" + s, "describe", s, "-n", s},
			at.Ours("rbac %s --all", s):     {"kubectl", "zkmigrate", "rbac", s, "--all", "-n", s},
			at.Clusterwide().Kubectl("x"):   {"kubectl", "--context=" + s, "--user=" + s, "x"},
			at.Kubectl("x %s", dataMode(s)): {"kubectl", "--context=" + s, "--user=" + s, "x", s, "-n", s},
		} {
			out, err := exec.CommandContext(t.Context(), "sh", "-c", `printf '%s\0' `+line).Output()
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			if got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"); !slices.Equal(got, want) {
				t.Errorf("%s: a shell reads %q, want %q", line, got, want)
			}
		}
	}
}
