package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/cluster"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestRenderBeforeTheWrap: with files and a release everything is printed, without a
// cluster, and no password.
func TestRenderBeforeTheWrap(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, map[string]string{"zoo.cfg": good + "ssl.keyStore.password=s3cr3t\n", "pods.yaml": "spec: {priorityClassName: high}\n"})
	code, out, errOut := run(t, "", "render", "demo", "-f", "zoo.cfg", "--zookeeper-version=3.8.0", "--pod-template=pods.yaml")
	if code != 0 || strings.Contains(out, "s3cr3t") || !strings.Contains(errOut, "the Services have no addresses yet") {
		t.Errorf("%d\n%s", code, errOut)
	}
	for _, want := range []string{"kind: StatefulSet\n", "priorityClassName: high\n", "  zoo.cfg: <hidden>\n", "name: demo-zkmigrate-gate\n", "name: demo-1-bridge\n",
		"server.1=demo-1.default.svc.cluster.local:2888:3888", "app.kubernetes.io/version: 3.8.0\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("it lacks %q", want)
		}
	}
	code, out, errOut = run(t, "", "render", "demo", "-f", "zoo.cfg", "-o", "name")
	if want := "service/demo-1\nservice/demo-2\nservice/demo-3\nendpointslice.discovery.k8s.io/demo-1-bridge\nendpointslice.discovery.k8s.io/demo-2-bridge\nendpointslice.discovery.k8s.io/demo-3-bridge\n"; code != 0 || out != want || !strings.Contains(errOut, "--zookeeper-version") {
		t.Errorf("without a release: %d\n%s%s", code, out, errOut)
	}
}

// TestPreviewUsage: what is wrong in flags and templates ends with 2, and says where.
func TestPreviewUsage(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, map[string]string{"zoo.cfg": good, "net.yaml": "spec:\n  hostNetwork: true\n", "typo.yaml": "spec:\n  toleration: []\n"})
	for args, says := range map[string]string{
		"render demo --pod-template=net.yaml":            "net.yaml:2: spec.hostNetwork cannot be set by a pod template",
		"wrap demo -f zoo.cfg --pod-template=typo.yaml":  "typo.yaml:2: a pod template has no field spec.toleration",
		"replace demo --all --pod-template=none.yaml":    "--pod-template: none.yaml: no such file",
		"diff demo --pod-template=-":                     "--pod-template: -: stdin is not read here",
		"render demo -f zoo.cfg --gitops":                "--gitops prints what is recorded",
		"render -f zoo.cfg":                              "give its NAME",
		"render demo --zookeeper-version=3.8.0":          "goes with -f or --member",
		"render demo -f zoo.cfg --zookeeper-version=new": "write it as 3.8.4",
		"render demo --zookeeper-version=3.8.0 --member=1=10.1.0.1:2888:3888;2181 --member=2=10.1.0.2:2888:3888;2181 --member=3=10.1.0.3:2888:3888;2181": "need the hosts' files",
		"render demo -o table":                                  "allowed are json, name, yaml",
		"replace demo --all --dry-run=maybe":                    "allowed are none, client, server",
		"replace demo --all -o yaml":                            "--output=yaml is for --dry-run",
		"replace demo --all --dry-run=client -o jsonpath={.a}":  "allowed are json, name, yaml",
		"render demo -f zoo.cfg --memory=1 --pod-template=none": "none: no such file",
	} {
		code, _, errOut := run(t, "", strings.Fields(args)...)
		if code != exitUsage || !strings.Contains(errOut, says) {
			t.Errorf("%s: %d, %s, want %q", args, code, errOut, says)
		}
	}
}

// TestDiffHidesSecrets: a variable that is called like a secret shows that it changes, and no value.
func TestDiffHidesSecrets(t *testing.T) {
	pod := func(values ...string) *corev1.Pod {
		env := []corev1.EnvVar{{Name: "PLAIN", Value: "shown"}}
		for i, v := range values {
			env = append(env, corev1.EnvVar{Name: fmt.Sprintf("PASSWORD_%d", i), Value: v})
		}
		return &corev1.Pod{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, ObjectMeta: metav1.ObjectMeta{Name: "p", Annotations: map[string]string{
			"kubectl.kubernetes.io/last-applied-configuration": fmt.Sprint(values)}}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Env: env}}}}
	}
	var out bytes.Buffer
	d := &deps{streams: genericiooptions.IOStreams{Out: &out, ErrOut: &out}}
	previews := []cluster.Preview{{Before: pod("hush-a", "hush-b"), After: pod("hush-a", "hush-c", "hush-d")}, {After: pod("hush-e")}}
	for i := range previews {
		previews[i].Want = previews[i].After
		if err := d.compare(t.Context(), previews[i:i+1]); !errors.Is(err, differences{}) {
			t.Error(err)
		}
	}
	for _, want := range []string{"<hidden> (before)", "<hidden> (after)", "PASSWORD_2", "shown"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is not shown", want)
		}
	}
	if strings.Contains(out.String(), "hush") {
		t.Errorf("a password is shown:\n%s", out.String())
	}
}

// TestDiffExitCodes are kubectl's: 1 says that there are differences, an error is above.
func TestDiffExitCodes(t *testing.T) {
	was := &corev1.ConfigMap{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}, ObjectMeta: metav1.ObjectMeta{
		Name: "c", Namespace: "zk", ResourceVersion: "1", UID: "u", ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "x"}}}, Data: map[string]string{"a": "1"}}
	is := was.DeepCopy()
	is.Data["a"], is.ResourceVersion, is.TypeMeta = "2", "2", metav1.TypeMeta{}
	same := was.DeepCopy()
	same.ResourceVersion = "3"
	for name, c := range map[string]struct {
		after    *corev1.ConfigMap
		program  string
		code     int
		says     string
		saysNone bool
	}{
		"differences":                 {is, "", exitError, "-  a: \"1\"\n+  a: \"2\"\n", false},
		"none but what writes change": {same, "", exitOK, "", true},
		"another program":             {is, "false -u --x;y", exitError, "", true},
		"a program that fails":        {is, "diff --nonsense", exitUsage, "which shows the differences, has failed", false},
		"a program that is not there": {is, "/nonexistent/diff", exitUsage, "which shows the differences, has failed", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KUBECTL_EXTERNAL_DIFF", c.program)
			var out bytes.Buffer
			d := &deps{streams: genericiooptions.IOStreams{Out: &out, ErrOut: &out}}
			err := d.compare(t.Context(), []cluster.Preview{{Before: was, After: c.after, Want: was}})
			if err != nil && !errors.Is(err, differences{}) {
				err = &comparedError{err}
			}
			if code := report(&out, err); code != c.code || !strings.Contains(out.String(), c.says) || c.saysNone && out.Len() > 0 {
				t.Errorf("%d, want %d:\n%s", code, c.code, out.String())
			}
		})
	}
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "zkmigrate-diff-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	_, args := diffProgram("meld -a --b=1 ;rm")
	if diff := cmp.Diff([]string{"-a", "--b=1"}, args); diff != "" {
		t.Errorf("words of KUBECTL_EXTERNAL_DIFF (-want +got):\n%s", diff)
	}
	if code, _, _ := run(t, "", "diff", "demo"); code < exitUsage {
		t.Errorf("a cluster that nobody reaches: %d", code)
	}
}

// TestTemplateIsKept: a template that is given once is recorded, changes nothing when it is
// given again, and is taken away by one that sets nothing. It reaches no pod that serves.
func TestTemplateIsKept(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, map[string]string{"pods.yaml": "spec: {priorityClassName: high}\n", "none.yaml": "{}\n"})
	s := wrapped(t, "3.8.0")
	var said bytes.Buffer
	s.kube.warn = &said
	store := func(want string, args ...string) error {
		t.Helper()
		o := replacing(t, args...)
		err := o.pods.store(t.Context(), s, o.id, func(migration.Record) error { return nil })
		rec, loadErr := s.record(t.Context())
		if loadErr != nil {
			t.Fatal(loadErr)
		}
		if rec.Pods.Template != want {
			t.Errorf("%v: recorded is %q, want %q", args, rec.Pods.Template, want)
		}
		return err
	}
	const high = `{"spec":{"priorityClassName":"high"}}`
	for _, c := range []struct{ want, flag string }{{high, "--pod-template=pods.yaml"}, {high, "--id=1"}, {"", "--pod-template=none.yaml"}, {high, "--pod-template=pods.yaml"}} {
		if err := store(c.want, "--id=1", c.flag); err != nil {
			t.Errorf("%s: %v", c.flag, err)
		}
	}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	rec, err := s.record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rec.Servers[0].Replaced = &at
	if err := s.journal.Save(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	if err := store(high, "--id=1", "--pod-template=none.yaml"); err == nil || !strings.Contains(err.Error(), "--pod-template, which now sets nothing") {
		t.Errorf("a server in its pod: %v", err)
	}
	if err := store("", "--id=2", "--pod-template=none.yaml"); err != nil || !strings.Contains(said.String(), "servers [1] keep what they run with") {
		t.Errorf("another server: %v\n%s", err, said.String())
	}
}
