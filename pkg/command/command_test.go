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
	all := []string{"status", "replace"}
	through := command.At{Namespace: "zk", Via: via.WithOwn(command.Given{As: "--probe-via=", Values: []string{"pod"}, On: all}, command.Given{As: "--probe-image=", On: all})}
	for want, got := range map[string]string{
		"kubectl zkmigrate status main -n zk":                                        here.Ours("status %s", "main"),
		"kubectl zkmigrate --context=prod --as=me status main -n zk":                 zk.Ours("status %s", "main"),
		"kubectl zkmigrate --context=prod --as=me status main -n zk --probe-via=pod": through.Ours("status %s", "main"),
		"kubectl zkmigrate --context=prod --as=me diff main -n zk":                   through.Ours("diff %s", "main"),
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

// TestGivenFlags: a flag is repeated by the commands that need it, of the ensemble that it was given
// for, and takes the place of its blank.
func TestGivenFlags(t *testing.T) {
	files := command.Given{As: "-f ", Values: []string{"1=a b", "2=c"}, Blank: "-f FILE", Fills: []string{"wrap", "reconfigure"}, On: []string{"reconfigure"}, Without: "--verify"}
	hook := command.Given{As: "--host-hook=", Values: []string{"h"}, Blank: "--host-hook=PROGRAM", Fills: []string{"reconfigure"}, On: []string{"replace"}, About: command.Ensemble{Namespace: "zk", Name: "main"}}
	none := command.Given{As: "--host-hook=", Blank: "--host-hook=PROGRAM", Fills: []string{"reconfigure"}}
	run := command.Given{As: "-f ", Values: []string{"fleet.yaml"}, Blank: "-f FILE", Fills: []string{"fleet run"}, On: []string{"fleet run"}}
	secret := command.Given{As: "--credentials=", Values: []string{"secret/x"}, On: []string{"reconfigure", "wrap"}, Without: "-f "}
	at := func(given ...command.Given) command.At {
		return command.At{Namespace: "zk", Via: command.Via{}.WithOwn(given...)}
	}
	for want, got := range map[string]string{
		"wrap main -f '1=a b' -f '2=c' -n zk":                             at(files).Ours("wrap %s -f FILE", "main"),
		"wrap main -n zk":                                                 at(files).Ours("wrap %s", "main"),
		"wrapping main -f FILE -n zk":                                     at(files).Ours("wrapping %s -f FILE", "main"),
		"wrap NAME -f '1=a b' -f '2=c' --waive=x -n zk":                   at(files).Ours("wrap NAME -f FILE --waive=%s", "x"),
		"reconfigure main -n zk -f '1=a b' -f '2=c'":                      at(files).Ours("reconfigure %s", "main"),
		"reconfigure main --verify -n zk":                                 at(files).Ours("reconfigure %s --verify", "main"),
		"reconfigure main -f '1=a b' -f '2=c' --host-hook=h -n zk":        at(files, hook).Ours("reconfigure %s -f FILE --host-hook=PROGRAM", "main"),
		"reconfigure main -f '1=a b' -f '2=c' -n zk":                      at(files, none).Ours("reconfigure %s -f FILE --host-hook=PROGRAM", "main"),
		"reconfigure main -f FILE --host-hook=PROGRAM -n zk":              at().Ours("reconfigure %s -f FILE --host-hook=PROGRAM", "main"),
		"reconfigure other -f '1=a b' -f '2=c' -n zk":                     at(files, secret).Ours("reconfigure %s -f FILE", "other"),
		"wrap twin -n zk --credentials=secret/x":                          at(files, secret).Ours("wrap %s", "twin"),
		"replace main --id=1 -n zk --host-hook=h":                         at(hook).Ours("replace %s --id=%d", "main", 1),
		"replace main --host-hook=other -n zk":                            at(hook).Ours("replace %s --host-hook=%s", "main", "other"),
		"replace twin --id=1 -n zk":                                       at(hook).Ours("replace %s --id=%d", "twin", 1),
		"replace main --id=1":                                             at(hook).Clusterwide().Ours("replace %s --id=%d", "main", 1),
		"fleet run -f fleet.yaml --restart -n zk":                         at(run).Ours("fleet run -f FILE --restart"),
		"fleet status main -n zk":                                         at(run).Ours("fleet status %s", "main"),
		"rbac main --ids=1 -n zk":                                         at(files, hook).Ours("rbac %s --ids=1", "main"),
		"--kubeconfig=FILE --certificate-authority=/dev/fdx status -n zk": command.At{Namespace: "zk", Via: command.Via{}.With("kubeconfig", "/dev/fd/63").With("certificate-authority", "/dev/fdx")}.Ours("status"),
	} {
		if want = command.Name + " " + want; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestAnyValueIsOneWord: whatever a context, a namespace or a name holds, a shell
// gives it to the program as it was.
func TestAnyValueIsOneWord(t *testing.T) {
	for _, s := range []string{`a'b "c`, "$(touch x)", "`id`", "a\nb", "-n", "*", "a;b|c&d", `\`, "%s%d", "#x", "~"} {
		own := command.Given{As: "--hook=", Values: []string{s}, On: []string{"replace"}}
		at := command.At{Namespace: s, Via: command.Via{}.With("context", s).With("user", s).WithOwn(own)}
		for line, want := range map[string][]string{
			at.Ours("status %s", s):         {"kubectl", "zkmigrate", "--context=" + s, "--user=" + s, "status", s, "-n", s},
			at.Ours("replace %s", s):        {"kubectl", "zkmigrate", "--context=" + s, "--user=" + s, "replace", s, "-n", s, "--hook=" + s},
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
