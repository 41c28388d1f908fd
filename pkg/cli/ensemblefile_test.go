package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/engine"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hosts"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/manifest"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

const manifestHead = "apiVersion: zkmigrate.io/v1alpha1\nkind: Ensemble\nmetadata: {name: zk1, namespace: zk}\nspec:\n"

// byFile has servers by files in another folder than the manifest's.
const byFile = manifestHead + "  servers:\n  - {id: 1, zooCfg: ../hosts/1/zoo.cfg}\n  - {id: 2, zooCfg: ../hosts/2/zoo.cfg}\n  - {id: 3, zooCfg: ../hosts/3/zoo.cfg}\n"

// TestManifest: what a manifest says is what flags say. Nobody is asked.
func TestManifest(t *testing.T) {
	byAddress := manifestHead + "  servers:\n"
	for _, id := range []string{"1", "2", "3"} {
		byAddress += "  - {id: " + id + ", host: 10.1.0." + id + ", peerPort: 2888, electionPort: 3888}\n"
	}
	const dry, printed = "--dry-run=client", "-o=ensemble"
	for name, c := range map[string]struct {
		text  string
		args  []string
		stdin string
		code  int
		says  []string
	}{
		"by files, from another folder":   {byFile, []string{"wrap", "-f", "m/e.yaml", dry}, "", 0, []string{"service/zk1-3 created"}},
		"from the manifest's own folder":  {byFile, []string{"wrap", "-f", "../files/m/e.yaml", dry}, "", 0, []string{"service/zk1-3 created"}},
		"by addresses":                    {byAddress, []string{"wrap", "-f", "m/e.yaml", dry}, "", 0, []string{"service/zk1-3 created"}},
		"from stdin":                      {"", []string{"wrap", "-f", "-", dry}, byAddress, 0, []string{"service/zk1-3 created"}},
		"one file for all":                {manifestHead + "  zooCfg: ../hosts/1/zoo.cfg\n", []string{"wrap", "-f", "m/e.yaml", dry}, "", 0, []string{"service/zk1-3 created"}},
		"a dynamic file elsewhere":        {manifestHead + "  zooCfg: ../dyn/zoo.cfg\n  dynamicFile: list\n", []string{"wrap", "-f", "m/e.yaml", dry}, "", 0, []string{"service/zk1-3 created"}},
		"a flag besides":                  {byFile, []string{"wrap", "-f", "m/e.yaml", "--memory=3Gi", dry, printed}, "", 0, []string{"memory: 3Gi", "zooCfg: ../hosts/2/zoo.cfg", "name: zk1", "namespace: zk"}},
		"a flag that says the same":       {byFile + "  pods: {memory: 3Gi}\n", []string{"wrap", "zk1", "-n", "zk", "-f", "m/e.yaml", "--memory=3Gi", dry, printed}, "", 0, []string{"memory: 3Gi"}},
		"a path that is the same":         {byFile + "  credentials: ../creds\n", []string{"wrap", "-f", "m/e.yaml", "--credentials=./creds", dry, printed}, "", 0, []string{"credentials: ../creds"}},
		"what is recorded nowhere":        {byFile + "  hosts: {hook: ./h.sh a, path: /zoo.cfg, leave: [tcp-keep-alive]}\n  credentials: secret/x\n", []string{"wrap", "-f", "m/e.yaml", "--credentials=secret/x", dry, printed}, "", 0, []string{"credentials: secret/x", "hook: ./h.sh a"}},
		"hook, path and changes":          {byFile + "  hosts: {hook: ./h.sh a, path: /zoo.cfg, leave: [tcp-keep-alive], supervisor: docker, unit: [zk]}\n  address: dns\n  waive: [ZK002]\n  dns: {zone: x.example}\n", []string{"wrap", "-f", "m/e.yaml", "--waive=ZK002", dry, printed}, "", 0, []string{"hook: ./h.sh a", "path: /zoo.cfg", "- tcp-keep-alive", "supervisor: docker", "- zk", "address: dns", "zone: x.example", "- ZK002"}},
		"a flag that says something else": {byFile + "  pods: {memory: 3Gi}\n", []string{"wrap", "-f", "m/e.yaml", "--memory=4Gi", dry}, "", 2, []string{"m/e.yaml:9: spec.pods.memory is 3Gi, --memory says 4Gi", "leave one of them out"}},
		"lists that differ":               {byFile + "  waive: [ZK002]\n", []string{"wrap", "-f", "m/e.yaml", "--waive=ZK030", dry}, "", 2, []string{"m/e.yaml:9: spec.waive is [ZK002], --waive says [ZK030]"}},
		"another name":                    {byFile, []string{"wrap", "zk2", "-f", "m/e.yaml", dry}, "", 2, []string{"m/e.yaml:3: metadata.name is zk1, the command line says zk2"}},
		"another namespace":               {byFile, []string{"wrap", "-f", "m/e.yaml", "-n", "other", dry}, "", 2, []string{"m/e.yaml:3: metadata.namespace is zk, --namespace says other"}},
		"files besides":                   {byFile, []string{"wrap", "-f", "m/e.yaml", "-f", "hosts/1/zoo.cfg", dry}, "", 2, []string{"m/e.yaml is an Ensemble manifest", "give nothing else"}},
		"members besides":                 {byFile, []string{"wrap", "-f", "m/e.yaml", "--member=1=h:2888:3888", dry}, "", 2, []string{"m/e.yaml is an Ensemble manifest", "give nothing else"}},
		"a file that is not there":        {manifestHead + "  zooCfg: nowhere\n", []string{"wrap", "-f", "m/e.yaml", dry}, "", 2, []string{"m/nowhere: no such file"}},
		"a value that no pod has":         {byFile + "  pods:\n    memory: 1Ki\n", []string{"wrap", "-f", "m/e.yaml", dry}, "", 2, []string{"m/e.yaml:10: spec.pods.memory=1Ki is too little: at least 32Mi"}},
		"a check that is none":            {byFile + "  waive: [ZK999]\n", []string{"wrap", "-f", "m/e.yaml", dry}, "", 2, []string{`m/e.yaml:9: spec.waive="ZK999" is not a check`}},
		"a password in JVM flags":         {byFile + "  pods: {jvmFlags: -Da.password=s3cr3t}\n", []string{"wrap", "-f", "m/e.yaml", dry}, "", 2, []string{"m/e.yaml:9: spec.pods.jvmFlags: -Da.password=<hidden>"}},
		"no such change":                  {byFile + "  hosts: {leave: [x]}\n", []string{"wrap", "-f", "m/e.yaml", dry}, "", 2, []string{"m/e.yaml:9: spec.hosts.leave: "}},
		"no such unit":                    {byFile + "  hosts: {unit: [a b]}\n", []string{"wrap", "-f", "m/e.yaml", dry}, "", 2, []string{"m/e.yaml:9: spec.hosts.unit="}},
		"no program":                      {byFile + "  hosts: {hook: ./none.sh}\n", []string{"replace", "--id=1", "-f", "m/e.yaml"}, "", 2, []string{`m/e.yaml:9: spec.hosts.hook="m/none.sh": there is no program`}},
		"a program that wrap lacks":       {byFile + "  hosts: {hook: ./none.sh}\n", []string{"wrap", "-f", "m/e.yaml", dry}, "", 0, []string{"created"}},
		"the host script, with a hook":    {byFile + "  hosts: {hook: ./h.sh}\n", []string{"check", "-f", "m/e.yaml", "--emit-host-script"}, "", 1, []string{"API server"}},
		"a hook, and no terminal":         {byFile + "  hosts: {hook: ./h.sh}\n", []string{"reconfigure", "-f", "m/e.yaml"}, "", 2, []string{"m/e.yaml:9: spec.hosts.hook would restart servers: confirm with --yes"}},
		"credentials that are not there":  {byFile + "  credentials: none\n", []string{"status", "-f", "m/e.yaml"}, "", 2, []string{"m/e.yaml:9: spec.credentials: m/none: no such file"}},
		"a host that does not resolve":    {strings.Replace(byAddress, "10.1.0.2", "nowhere.invalid", 1), []string{"wrap", "-f", "m/e.yaml", dry}, "", 2, []string{"m/e.yaml:7: server 2", "nowhere.invalid"}},
		"a zoo.cfg where none is read":    {"", []string{"status", "-f", "hosts/1/zoo.cfg"}, "", 2, []string{"hosts/1/zoo.cfg:1: ", "expected fields: apiVersion"}},
		"stdin where none is read":        {"", []string{"status", "-f", "-"}, byAddress, 2, []string{"stdin is not read here"}},
		"a manifest as a host's file":     {byFile, []string{"wrap", "zk1", "-f", "1=m/e.yaml", dry}, "", 2, []string{"m/e.yaml: this is no zoo.cfg: this is YAML"}},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "files")
			put(t, map[string]string{
				dir + "/m/e.yaml": c.text, dir + "/hosts/1/zoo.cfg": good, dir + "/hosts/2/zoo.cfg": good, dir + "/hosts/3/zoo.cfg": good, dir + "/m/h.sh": "", dir + "/creds": "tls: {}",
				dir + "/dyn/zoo.cfg": goodHead + "dynamicConfigFile=/etc/zookeeper/zoo.cfg.dynamic.1\n", dir + "/m/list": good12 + "server.3=10.1.0.3:2888:3888\n",
			})
			if err := os.Chmod(dir+"/m/h.sh", 0o700); err != nil {
				t.Fatal(err)
			}
			t.Chdir(dir)
			code, out, errOut := run(t, c.stdin, c.args...)
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			for _, want := range c.says {
				if !strings.Contains(out+errOut, want) {
					t.Errorf("%q is not said", want)
				}
			}
			if t.Failed() || strings.Contains(out+errOut, "s3cr3t") {
				t.Errorf("%v says:\n%s%s", c.args, out, errOut)
			}
			if code == 0 && strings.Contains(strings.Join(c.args, " "), printed) {
				again(t, c.args, out)
			}
		})
	}
}

// again gives a manifest back that was printed: it is the same.
func again(t *testing.T, args []string, printed string) {
	t.Helper()
	if _, err := manifest.Parse("printed", []byte(printed)); err != nil {
		t.Fatalf("%v\n%s", err, printed)
	}
	put(t, map[string]string{"m/e.yaml": printed})
	if _, out, errOut := run(t, "", args...); out != printed {
		t.Errorf("given back it is another one:\n%s\n%s%s", printed, out, errOut)
	}
}

// TestManifestThatLiesHere: wrap reads zkmigrate.yaml where nothing is named.
func TestManifestThatLiesHere(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, map[string]string{"zkmigrate.yaml": manifestHead + "  zooCfg: a\n", "a": good, "zoo.cfg": "broken", "empty/zkmigrate.yaml": ""})
	if code, out, errOut := run(t, "", "wrap", "--dry-run=client"); code != 0 || !strings.Contains(out, "service/zk1-3 created") {
		t.Errorf("%d: %s%s", code, out, errOut)
	}
	if code, out, errOut := run(t, "", "wrap", "zk1", "-f", "a", "--dry-run=client"); code != 0 {
		t.Errorf("a file that is named: %d: %s%s", code, out, errOut)
	}
	t.Chdir("empty")
	if code, _, errOut := run(t, "", "wrap", "--dry-run=client"); code != exitUsage || !strings.Contains(errOut, "zkmigrate.yaml: there is nothing in it") {
		t.Errorf("%d: %s", code, errOut)
	}
}

// TestFlagsOfTheTable: a flag of a command that the table knows is the table's, so that a
// manifest says what it says.
func TestFlagsOfTheTable(t *testing.T) {
	flags := map[string]bool{}
	root := NewRootCommand(genericiooptions.NewTestIOStreamsDiscard())
	for _, c := range root.Commands() {
		for _, leaf := range manifest.Leaves("spec") {
			if f := c.Flag(leaf.Flag); leaf.Flag != "" && f != nil {
				flags[leaf.Flag] = true
				if f.DefValue != leaf.Default && c.Name() != "rbac" {
					t.Errorf("%s --%s: default %q, in the table %q", c.Name(), leaf.Flag, f.DefValue, leaf.Default)
				}
			}
		}
		switch c.Name() {
		case "explain", "version", "help", "fleet": // which takes a Fleet
		default:
			if c.Flag("filename") == nil {
				t.Errorf("%s takes no manifest", c.Name())
			}
		}
	}
	for _, leaf := range manifest.Leaves("spec") {
		if leaf.Flag != "" && !flags[leaf.Flag] {
			t.Errorf("no command has --%s of %s", leaf.Flag, leaf.Path)
		}
	}
}

func TestExplainCommand(t *testing.T) {
	if code, out, _ := run(t, "", "explain", "ensemble.spec.pods.memory"); code != 0 || !strings.Contains(out, "FIELD: memory <quantity>") {
		t.Errorf("%d: %s", code, out)
	}
	if code, out, _ := run(t, "", "explain", "--recursive"); code != 0 || !strings.Contains(out, "      memory\t<quantity>") {
		t.Errorf("%d: %s", code, out)
	}
	if code, _, errOut := run(t, "", "explain", "ensemble.spec.pods.memmory"); code != exitUsage || !strings.Contains(errOut, "did you mean spec.pods.memory?") {
		t.Errorf("%d: %s", code, errOut)
	}
}

// TestHookInAFolderWithBlanks: a manifest's hook is found where the manifest lies, whatever its
// folder is called, and gets its arguments.
func TestHookInAFolderWithBlanks(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, map[string]string{"it's here/h.sh": "#!/bin/sh\nprintf '<%s>' \"$@\" >args\n"})
	if err := os.Chmod("it's here/h.sh", 0o700); err != nil {
		t.Fatal(err)
	}
	hook := hookFrom("it's here", "./h.sh a 'b c'")
	if err := checkHook("--host-hook", hook); err != nil {
		t.Fatal(err)
	}
	h := hosts.Hook{Program: hook}
	if _, _, err := h.Do(t.Context(), engine.HostStop, migration.ServerRecord{}); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile("args"); err != nil || string(got) != "<a><b c>" {
		t.Errorf("%s, %v", got, err)
	}
	for hook, want := range map[string]string{"it's here/h.sh": "a quote is not closed", "my hooks/h.sh": "a path with blanks has quotes around it", "''": "there is no program"} {
		if err := checkHook("--host-hook", hookFrom("dir", hook)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", hook, err)
		}
	}
}
