package cli

import (
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// ran is what a command line leaves behind that came as far as the cluster, which nobody can reach.
func ran(t *testing.T, line string) *deps {
	t.Helper()
	words, err := quote.Split(line)
	if err != nil {
		t.Fatal(err)
	}
	root, d := newRoot(genericiooptions.IOStreams{In: strings.NewReader(good), Out: io.Discard, ErrOut: io.Discard})
	words = append(words, "--server=http://127.0.0.1:1")
	if words[0] != "fleet" {
		words = append(words, "--namespace=zk")
	}
	root.SetArgs(words)
	if err := root.ExecuteContext(t.Context()); err == nil || report(io.Discard, err) == exitUsage {
		t.Fatalf("%s: %v", line, err)
	}
	return d
}

// hostsAndManifest are files that commands are given.
func hostsAndManifest(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	put(t, map[string]string{
		"one.cfg": good, "two 2.cfg": good, "FILE": good, "cmdline": "java\x00-Xmx1g\x00", "reports": "{}",
		"zk1.yaml":   manifestHead + "  zooCfg: one.cfg\n  hosts: {hook: 'true'}\n  credentials: secret/zk\n",
		"fleet.yaml": threeStages, "FLEET": threeStages,
	})
}

// TestRepeatedFlags: what a command was given and no journal has is said again by the commands that it
// prints, by those that need it and by no others.
func TestRepeatedFlags(t *testing.T) {
	hostsAndManifest(t)
	const files = "-f '1=one.cfg' -f '2=two 2.cfg'"
	for _, c := range []struct{ given, printed, want string }{
		// The program that acts on hosts.
		{"replace zk1 --id=1 --host-hook='true x' --yes --timeout=1h --accept-client-loss=3", "revert zk1 --id=1", "revert zk1 --id=1 -n zk --host-hook='true x'"},
		{"replace zk1 --all --host-hook=true --verbose", "replace zk1 --id=2 --data=copy", "replace zk1 --id=2 --data=copy -n zk --host-hook=true"},
		{"revert zk1 --id=1 --host-hook=true", "park zk1", "park zk1 -n zk --host-hook=true"},
		{"replace zk1 --id=1 --host-hook=true", "apply zk1", "apply zk1 -n zk"},
		{"replace zk1 --id=1 --host-hook=true", "status zk1", "status zk1 -n zk"},
		{"check zk1 --host-hook=true -f one.cfg", "replace zk1 --id=1", "replace zk1 --id=1 -n zk"},
		{"check zk1 --host-hook=true -f one.cfg --from-pods --waive=ZK030,K8S004", "check zk1", "check zk1 -n zk -f one.cfg --host-hook=true --waive=ZK030,K8S004 --from-pods=true"},
		// It restarts servers without a question: whoever has not asked for that is not handed it.
		{"replace zk1 --id=1 --host-hook=true", "reconfigure zk1", "reconfigure zk1 -n zk"},
		{"replace zk1 --id=1 --host-hook=true", "reconfigure zk1 -f FILE --host-hook=PROGRAM", "reconfigure zk1 -f FILE --host-hook=true -n zk"},
		{"reconfigure zk1 " + files + " --host-hook=true", "reconfigure zk1", "reconfigure zk1 -n zk " + files + " --host-hook=true"},
		{"reconfigure zk1 " + files + " --host-hook=true", "reconfigure zk1 -f FILE --host-hook=PROGRAM", "reconfigure zk1 " + files + " --host-hook=true -n zk"},
		{"reconfigure zk1 " + files + " --host-hook=true", "reconfigure zk1 --verify", "reconfigure zk1 --verify -n zk"},
		// Its arguments may be anything.
		{"replace zk1 --id=1 --host-hook='true --api-token=a1b2'", "revert zk1 --id=1", "revert zk1 --id=1 -n zk --host-hook=PROGRAM"},
		{"replace zk1 --id=1 --host-hook='true --password a1b2'", "revert zk1 --id=1", "revert zk1 --id=1 -n zk --host-hook=PROGRAM"},
		// What decides which patches are made.
		{"reconfigure zk1 -f one.cfg --leave=tcp-keep-alive --unit='1=a,2=b,3=c' --jvm-cmdline=1=cmdline --output-dir=out --confirmed=1", "reconfigure zk1",
			"reconfigure zk1 -n zk -f one.cfg --unit='1=a,2=b,3=c' --leave=tcp-keep-alive --jvm-cmdline='1=cmdline' --output-dir=out"},
		{"reconfigure zk1 -f one.cfg --output-dir=out", "finalize zk1 --give-up-way-back=zk1", "finalize zk1 --give-up-way-back=zk1 -n zk"},
		// Hosts' files.
		{"reconfigure zk1 " + files, "wrap zk1 -f FILE", "wrap zk1 " + files + " -n zk"},
		{"reconfigure zk1 " + files, "wrap zk1", "wrap zk1 -n zk"},
		{"check zk1 " + files, "wrap zk1 -f FILE", "wrap zk1 " + files + " -n zk"},
		{"check zk1 " + files, "reconfigure zk1", "reconfigure zk1 -n zk " + files},
		{"check zk1 -f -", "wrap zk1 -f FILE", "wrap zk1 -f FILE -n zk"},
		{"check zk1 -f -", "reconfigure zk1", "reconfigure zk1 -n zk -f FILE"},
		{"check zk1 --member='1=10.0.0.1:2888:3888;2181' --member='2=10.0.0.2:2888:3888;2181' --member='3=10.0.0.3:2888:3888;2181'", "wrap zk1 -f FILE",
			"wrap zk1 --member='1=10.0.0.1:2888:3888;2181' --member='2=10.0.0.2:2888:3888;2181' --member='3=10.0.0.3:2888:3888;2181' -n zk"},
		{"wrap zk1 -f one.cfg --memory=4Gi --expose=admin", "wrap zk1 --waive=ZK030", "wrap zk1 --waive=ZK030 -n zk -f one.cfg --expose=admin --memory=4Gi"},
		{"wrap zk1 -f one.cfg --memory=4Gi", "clients zk1", "clients zk1 -n zk"},
		{"wrap zk1 -f one.cfg", "unwrap zk1", "unwrap zk1 -n zk"},
		{"unwrap zk1 " + files, "unwrap zk1 --assume-unused=clients", "unwrap zk1 --assume-unused=clients -n zk " + files},
		{"unwrap zk1 " + files, "wrap zk1 -f FILE", "wrap zk1 -f FILE -n zk"},
		{"status zk1", "wrap zk1 -f FILE", "wrap zk1 -f FILE -n zk"},
		// A manifest says it all, of its ensemble.
		{"status -f zk1.yaml", "wrap zk1 -f FILE", "wrap zk1 -f zk1.yaml -n zk"},
		{"status -f zk1.yaml", "replace zk1 --id=1", "replace zk1 --id=1 -n zk -f zk1.yaml"},
		{"plan zk1 -f zk1.yaml", "reconfigure zk1 -f FILE --host-hook=PROGRAM", "reconfigure zk1 -f zk1.yaml -n zk"},
		{"replace -f zk1.yaml --id=1", "reconfigure zk1 --verify", "reconfigure zk1 --verify -n zk -f zk1.yaml"},
		{"status -f zk1.yaml", "status twin", "status twin -n zk --credentials=secret/zk"},
		{"status -f zk1.yaml", "apply zk1", "apply zk1 -n zk --credentials=secret/zk"},
		{"status -f zk1.yaml", "unwrap zk1", "unwrap zk1 -n zk --credentials=secret/zk"},
		{"status -f zk1.yaml", "render zk1 --gitops", "render zk1 --gitops -n zk"},
		{"status -f zk1.yaml", "rbac zk1", "rbac zk1 -n zk"},
		// How ZooKeeper is asked, by whoever asks it.
		{"status zk1 --probe-via=pod --probe-image=i", "replace zk1 --id=1", "replace zk1 --id=1 -n zk --probe-via=pod --probe-image=i"},
		{"status zk1 --probe-via=pod", "render zk1 --gitops", "render zk1 --gitops -n zk"},
		{"status zk1 --probe-via=pod", "fleet status zk1", "fleet status zk1 -n zk"},
		// Many ensembles.
		{"fleet run -f fleet.yaml --yes --wait=false --probe-via=direct", "fleet run -f FILE", "fleet run -f fleet.yaml -n zk --wait=false --probe-via=direct"},
		{"fleet run -f fleet.yaml --yes", "fleet retry wave --ensemble=a", "fleet retry wave --ensemble=a -n zk"},
		{"fleet plan -f fleet.yaml", "fleet run -f FILE", "fleet run -f fleet.yaml -n zk"},
	} {
		t.Run(c.given+": "+c.printed, func(t *testing.T) {
			got := ran(t, c.given).in("zk").Ours(c.printed)
			if got = strings.Replace(got, " --server=http://127.0.0.1:1", "", 1); got != command.Name+" "+c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestFilesOfOneCommand: what only one command can read has no name for another.
func TestFilesOfOneCommand(t *testing.T) {
	given := []string{"-", "1=-", "/dev/stdin", "2=/dev/fd/63", "/proc/self/fd/3", "a=/dev/fd/63", "3=conf/zoo.cfg", "./-"}
	want := []string{"FILE", "1=FILE", "FILE", "2=FILE", "FILE", "a=/dev/fd/63", "3=conf/zoo.cfg", "./-"}
	if got := readable(given); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestRepeatedFlagsParse: whatever a command was given, each command that the source can print is still
// one with it, and holds no consent.
func TestRepeatedFlagsParse(t *testing.T) {
	hostsAndManifest(t)
	printed := printable(t)
	tried := map[string]string{}
	for _, given := range []string{
		"check zk1 -f 1=one.cfg -f '2=two 2.cfg' -f 3=one.cfg --host-hook=true --from-pods --waive=ZK030 --host-report=reports --probe-via=pod --probe-image=i --credentials=secret/zk",
		"check zk1 --member='1=10.0.0.1:2888:3888;2181' --member='2=10.0.0.2:2888:3888;2181' --member='3=10.0.0.3:2888:3888;2181'",
		"wrap zk1 -f one.cfg --endpoints-api=endpoints --expose=admin,metrics --waive=ZK030 --cpu=2 --image=zookeeper:3.8.0 --storage-class=fast --storage-size=30Gi --jvm-flags='-Xmx1g -Da=b' --files-secret=s --files-configmap=c --anti-affinity=preferred --run-as-user=1001",
		"reconfigure zk1 -f one.cfg --host-hook=true --yes --confirmed=1 --address=dns --cluster-domain=a.b --supervisor=docker --unit=1=a,2=b,3=c --path=/conf/zoo.cfg --leave=tcp-keep-alive --dns-zone=example.com --dns-server=10.0.0.9 --jvm-cmdline=1=cmdline --data-size=800Mi --output-dir=out",
		"replace zk1 --id=1 --host-hook=true --yes --accept-client-loss=3 --data=copy --memory=4Gi --probe-via=direct",
		"replace zk1 --id=1 --yes --fenced -f zk1.yaml",
		"unwrap zk1 -f one.cfg --credentials=secret/zk --probe-via=pod",
		"status -f zk1.yaml --probe-via=pod",
		"apply -f zk1.yaml --yes --memory=4Gi",
		"fleet run -f fleet.yaml --yes --wait=false --output-dir=out --probe-via=pod",
	} {
		at := ran(t, given).in("zk")
		for _, line := range printed {
			line, namespaced := strings.CutSuffix(line, " -n zk")
			where := at
			if !namespaced {
				where = at.Clusterwide()
			}
			tried[placeholders().Replace(where.Ours("%s", command.Quoted(line)))] = given
		}
	}
	for _, line := range slices.Sorted(maps.Keys(tried)) {
		for _, consent := range []string{" --yes", " --accept-", " --fenced", " --confirmed"} {
			if strings.Contains(line, consent) && !slices.ContainsFunc(printed, func(p string) bool { return strings.Contains(p, consent) }) {
				t.Errorf("%q repeats a consent of %q", line, tried[line])
			}
		}
		words, err := quote.Split(line)
		if err != nil {
			t.Fatal(err)
		}
		if code, _, errOut := run(t, "", words[2:]...); code == exitUsage {
			t.Errorf("%q, printed by %q, does not work: %s", line, tried[line], errOut)
		}
	}
	if len(tried) < 3*len(printed)/2 {
		t.Errorf("only %d commands differ, of %d: are flags still repeated?", len(tried), len(printed))
	}
}
