package cli

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/engine"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// nobody refuses every connection.
type nobody struct{}

func (nobody) DialContext(_ context.Context, _, address string) (net.Conn, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: fmt.Errorf("%s: %w", address, syscall.ECONNREFUSED)}
}

// wrapped is an ensemble in a journal; its addresses answer nothing.
func wrapped(t *testing.T, version string) *session {
	t.Helper()
	var errOut bytes.Buffer
	d := &deps{streams: genericiooptions.IOStreams{In: strings.NewReader(""), Out: &errOut, ErrOut: &errOut}, flags: genericclioptions.NewConfigFlags(true)}
	client := fake.NewClientset()
	s := d.session(kube{client: client, meta: metadataOf(t, client), namespace: "zk", warn: &errOut}, "demo")
	s.prober = newProber(nobody{})
	rec := migration.Record{
		APIVersion: migration.RecordVersion, Kind: "Record", Name: "demo", Namespace: "zk",
		Settings: migration.Settings{TickTimeMillis: 2000, InitLimit: 10, SyncLimit: 5, Version: version},
	}
	for i := range 3 {
		id := ensemble.ID(i + 1)
		rec.Servers = append(rec.Servers, migration.ServerRecord{
			Server: ensemble.Server{ID: id, Role: ensemble.Participant, Weight: 1, ClientPort: 1,
				PeerAddress: ensemble.PeerAddress{Host: fmt.Sprintf("zk%d.example.com", id), PeerPort: 2888, ElectionPort: 3888}},
			HostIP: fmt.Sprintf("198.51.100.%d", id), Service: fmt.Sprintf("demo-%d", id), ClusterIP: fmt.Sprintf("192.0.2.%d", id), Ordinal: i,
		})
	}
	if err := s.journal.Create(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	return s
}

// flags parses a command line of reconfigure.
func flags(t *testing.T, args ...string) (*reconfigureFlags, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	f := &reconfigureFlags{deps: &deps{streams: genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &out}}}
	if err := f.command().ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	return f, &out
}

// emit is reconfigure without a cluster to talk to.
func emit(t *testing.T, s *session, f *reconfigureFlags) (emission, error) {
	t.Helper()
	rec, err := s.record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := f.chosen(&rec); err != nil {
		return emission{}, err
	}
	e, err := f.plan(t.Context(), s, rec, f.source())
	if err != nil {
		return e, err
	}
	if _, err := e.write(f.dir); err != nil {
		return e, err
	}
	return e, f.keep(t.Context(), s, e)
}

func hostFile(extra string) string {
	return "tickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir=/var/lib/zookeeper\nclientPort=1\nautopurge.purgeInterval=1\n" +
		"server.1=zk1.example.com:2888:3888\nserver.2=zk2.example.com:2888:3888\nserver.3=zk3.example.com:2888:3888\n" + extra
}

func tree(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, relErr := filepath.Rel(dir, path)
			out, err = append(out, rel), relErr
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestReconfigureWrites: what README.txt names is there, the patches apply, and
// the journal has what later commands need.
func TestReconfigureWrites(t *testing.T) {
	t.Chdir(t.TempDir())
	s := wrapped(t, "3.4.13")
	put(t, map[string]string{
		"host/zoo.cfg": hostFile(""),
		"cmdline": strings.Join([]string{"java", "-Xmx1g", "-Djute.maxbuffer=4194304", "-cp", "/usr/share/java", "-Dzookeeper.log.dir=/var/log",
			"org.apache.zookeeper.server.quorum.QuorumPeerMain", "/etc/zookeeper/conf/zoo.cfg"}, "\x00") + "\x00",
	})
	f, _ := flags(t, "-f", "host/zoo.cfg", "--output-dir", "out", "--data-size", "8Gi", "--jvm-cmdline", "1=cmdline",
		"--supervisor", "supervisord", "--unit", "zk", "--dns-zone", "example.com", "--leave", "tcp-keep-alive")
	e, err := emit(t, s, f)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{manifestName}
	for i := 1; i <= 3; i++ {
		for _, n := range []string{"commands.txt", "fence.sh", "unfence.sh", "zoo.cfg.new", "zoo.cfg.patch", "zoo.cfg.undo.patch"} {
			want = append(want, fmt.Sprintf("%d-198.51.100.%d/%s", i, i, n))
		}
	}
	want = append(want, "README.txt", "connection-strings.txt", "dns/nsupdate.txt", "dns/nsupdate.undo.txt", "dns/zone", "jvm-flags.txt")
	if diff := cmp.Diff(want, tree(t, "out")); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	cmd := exec.Command("patch", "-p0")
	cmd.Dir, cmd.Stdin = "host", strings.NewReader(read(t, "out/2-198.51.100.2/zoo.cfg.patch"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("patch: %v\n%s", err, out)
	}
	for name, parts := range map[string][]string{
		"host/zoo.cfg":                    {"server.2=192.0.2.2:2888:3888", "quorumListenOnAllIPs=true", "initLimit=492", "cnxTimeout=1000", "!tcpKeepAlive"},
		"out/2-198.51.100.2/fence.sh":     {"/etc/supervisor/conf.d/zk.conf", "/var/lib/zookeeper/version-2"},
		"out/1-198.51.100.1/commands.txt": {"supervisorctl restart zk", "zkmigrate/1-198.51.100.1/zoo.cfg.patch"},
		"out/README.txt":                  {"fence.sh", "jvm-flags.txt", "dns/", "supervisorctl restart zk"},
		"out/connection-strings.txt":      {"old: zk1.example.com:1,", "new: 192.0.2.1:1,"},
		"out/dns/zone":                    {"zk3.example.com.\t60\tIN\tA\t192.0.2.3"},
		"out/dns/nsupdate.undo.txt":       {"update add zk1.example.com. 60 A 198.51.100.1"},
		"out/jvm-flags.txt":               {`--jvm-flags='-Xmx1g -Djute.maxbuffer=4194304'`, "map    -Dzookeeper.log.dir"},
	} {
		text := read(t, name)
		for _, p := range parts {
			if w, not := strings.CutPrefix(p, "!"); strings.Contains(text, w) == not {
				t.Errorf("%s: %q there: %v\n%s", name, w, !not, text)
			}
		}
	}
	rec, err := s.record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first := rec.Servers[0].Emitted
	if first == nil || !first.At.Equal(e.at) || rec.Hosts.Unit != "zk" || rec.Settings.InitLimit != 492 || !strings.Contains(rec.Pods.ZooCfg, "initLimit=492") {
		t.Errorf("the journal: %+v, %+v, %+v", first, rec.Hosts, rec.Settings)
	}
	t.Log("again, from the patched file and without the flags: nothing is new")
	f, _ = flags(t, "-f", "host/zoo.cfg", "--output-dir", "out2", "--data-size", "8Gi", "--leave", "tcp-keep-alive")
	if e, err = emit(t, s, f); err != nil {
		t.Fatal(err)
	}
	if rec, err = s.record(t.Context()); err != nil || !rec.Servers[0].Emitted.At.Equal(first.At) || rec.Hosts.Supervisor != "supervisord" {
		t.Errorf("a repetition counts as new: %+v (first %v), %+v, %v", rec.Servers[0].Emitted, first.At, rec.Hosts, err)
	}
	if h, _ := e.plan.Host(1); !h.Unchanged() {
		t.Errorf("a patched file is patched again:\n%s", h.Patch)
	}
}

// TestPatchesAreReadOnce: a run that is resumed names the patches that have not changed, in one
// line, and prints those that have; who applies them by hand is shown all, as is who asks.
func TestPatchesAreReadOnce(t *testing.T) {
	t.Chdir(t.TempDir())
	s := wrapped(t, "3.8.0")
	const dir = "patches"
	again := func(extra string, args ...string) string {
		t.Helper()
		put(t, map[string]string{"zoo.cfg": hostFile(""), "other.cfg": hostFile(extra)})
		f, out := flags(t, append([]string{"-f", "1=zoo.cfg", "-f", "2=other.cfg", "-f", "3=zoo.cfg", "--output-dir", dir}, args...)...)
		rec, err := s.record(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		e, err := f.plan(t.Context(), s, rec, f.source())
		if err != nil {
			t.Fatal(err)
		}
		kept, err := e.write(f.dir)
		if err != nil {
			t.Fatal(err)
		}
		f.printPlan(rec, e, kept)
		return out.String()
	}
	patch := func(n int) string { return fmt.Sprintf("# server %d on host", n) }
	first := again("", "--host-hook=true")
	then := time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local)
	for _, name := range tree(t, dir) {
		if err := os.Chtimes(filepath.Join(dir, name), then, then); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		what, says string
		whole      []int
		named      string
	}{
		{"for the first time", first, []int{1, 2, 3}, ""},
		{"resumed", again("", "--host-hook=true"), nil, "The patches of servers 1, 2, 3 in patches have not changed since 2026-01-02 03:04:05."},
		{"one has changed", again("# x\n", "--host-hook=true"), []int{2}, "The patches of servers 1, 3 in patches have not changed since 2026-01-02 03:04:05."},
		{"everything is asked for", again("# x\n", "--host-hook=true", "--verbose"), []int{1, 2, 3}, ""},
		{"by hand", again("# x\n"), []int{1, 2, 3}, ""},
	} {
		for n := 1; n <= 3; n++ {
			if got, want := strings.Contains(c.says, patch(n)), slices.Contains(c.whole, n); got != want {
				t.Errorf("%s: the patch of server %d is printed: %t, want %t\n%s", c.what, n, got, want, c.says)
			}
		}
		if c.named == "" && strings.Contains(c.says, "not changed since") || !strings.Contains(c.says, c.named) || (c.whole == nil) == strings.Contains(c.says, "Written to") {
			t.Errorf("%s: %s", c.what, c.says)
		}
	}
}

// TestReconfigureByName: names in the server lines, on hosts and in pods.
func TestReconfigureByName(t *testing.T) {
	t.Chdir(t.TempDir())
	s := wrapped(t, "3.8.0")
	put(t, map[string]string{
		"zoo.cfg": "tickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir=/d\nclientPort=1\nreconfigEnabled=true\nssl.keyStore.location=/k\n" +
			"dynamicConfigFile=/etc/zookeeper/zoo.cfg.dynamic.100000000\n",
		"zoo.cfg.dynamic.100000000": "server.1=zk1.example.com:2888:3888;1\nserver.2=zk2.example.com:2888:3888;1\nserver.3=zk3.example.com:2888:3888;1\n",
	})
	f, out := flags(t, "--output-dir", "out", "--address", "dns", "--cluster-domain", "k8s.example")
	if _, err := emit(t, s, f); err != nil {
		t.Fatal(err)
	}
	line := "server.1=demo-1.zk.svc.k8s.example:2888:3888;1"
	if text := read(t, "out/1-198.51.100.1/zoo.cfg.dynamic.100000000.patch"); !strings.Contains(text, "+"+line) {
		t.Errorf("the dynamic file's patch:\n%s", text)
	}
	rec, err := s.record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if rec.Pods.DynamicName != "zoo.cfg.dynamic.100000000" || !strings.Contains(rec.Pods.Dynamic, line) ||
		!strings.Contains(rec.Pods.ZooCfg, "dynamicConfigFile=/zookeeper/conf/zoo.cfg.dynamic.100000000") {
		t.Errorf("the pods' files:\n%s\n%s\n%s", rec.Pods.ZooCfg, rec.Pods.DynamicName, rec.Pods.Dynamic)
	}
	if !strings.Contains(out.String(), "ssl.keyStore.location") || !strings.Contains(out.String(), "--data-size") {
		t.Errorf("the notes:\n%s", out)
	}
}

func TestReconfigureRefuses(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, map[string]string{"a": hostFile(""), "four": hostFile("server.4=zk4.example.com:2888:3888\n"), "text": "java -Xmx1g",
		"nosync": "java\x00-Dzookeeper.forceSync=no\x00org.apache.zookeeper.server.quorum.QuorumPeerMain\x00"})
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"an unknown change":     {[]string{"--leave", "everything"}, "known are addresses"},
		"addresses alone":       {[]string{"--leave", "listen-on-all-ips"}, "cannot be left out"},
		"another ensemble":      {[]string{"-f", "four"}, "the wrapped ensemble has"},
		"no command line":       {[]string{"--jvm-cmdline", "1=text"}, "/proc/PID/cmdline"},
		"writes not on disk":    {[]string{"--jvm-cmdline", "1=nosync"}, "server 1 runs with -Dzookeeper.forceSync=no"},
		"of nobody":             {[]string{"--jvm-cmdline", "7=text"}, "no server 7"},
		"a size that is none":   {[]string{"--data-size", "much"}, "800Mi"},
		"members without files": {[]string{"--member", "1=h:1:2;3"}, "use one of them"},
	} {
		f, _ := flags(t, append([]string{"-f", "a", "--output-dir", "out"}, c.args...)...)
		if name == "another ensemble" {
			f.said.files = []string{"four"}
		}
		s := wrapped(t, "3.8.0")
		_, err := emit(t, s, f)
		if err == nil || report(&bytes.Buffer{}, err) != exitUsage || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		if rec, err := s.record(t.Context()); err != nil || rec.Servers[0].Emitted != nil {
			t.Errorf("%s: the journal was written (%v)", name, err)
		}
		if _, err := os.Stat("out"); err == nil {
			t.Fatalf("%s: something was written", name)
		}
	}
}

// TestManualCommands: masking comes first and must not stop the server.
func TestManualCommands(t *testing.T) {
	for _, c := range []struct {
		hosts            migration.HostOptions
		mask, stop, back string
	}{
		{migration.HostOptions{}, "systemctl mask zookeeper", "systemctl stop zookeeper", "systemctl unmask zookeeper"},
		{migration.HostOptions{Supervisor: "systemd", Unit: "zk"}, "systemctl mask zk", "systemctl stop zk", "systemctl unmask zk"},
		{migration.HostOptions{Supervisor: "supervisord", Unit: "zk"}, "mv /etc/supervisor/conf.d/zk.conf", "supervisorctl update zk", "mv /etc/supervisor/conf.d/zk.conf.off"},
		{migration.HostOptions{Supervisor: "script", Unit: "/opt/zk/bin/zkServer.sh"}, "chmod a-x /opt/zk", "bash /opt/zk/bin/zkServer.sh stop", "chmod a+x /opt/zk"},
		{migration.HostOptions{Supervisor: "docker", Unit: "zk", Own: []migration.OwnUnit{{ID: 1, Unit: "zk1"}}}, "docker update --restart=no zk1\n# its policy until now: docker inspect", "docker stop zk1", "docker update --restart=unless-stopped zk1"},
		{migration.HostOptions{Supervisor: "podman", Unit: "zk1"}, "podman update --restart=no zk1 2>/dev/null || podman inspect", "podman stop zk1", "podman update --restart=unless-stopped zk1"},
	} {
		commands := manualCommands(c.hosts)
		for action, want := range map[engine.HostAction]string{engine.HostMask: c.mask, engine.HostStop: c.stop, engine.HostUnmask: c.back} {
			got := strings.Join(commands(action, migration.ServerRecord{Server: ensemble.Server{ID: 1}}), "\n")
			if !strings.Contains(got, want) {
				t.Errorf("%+v %s: %q does not have %q", c.hosts, action, got, want)
			}
		}
	}
}

// TestReconfigureGoesOnWithLiveFiles: the command was killed after some hosts, and
// is run again with the files that lie on the hosts now. All, some or none of them
// are patched; the plan is the same, and a file that is wrong is refused as ever.
func TestReconfigureGoesOnWithLiveFiles(t *testing.T) {
	for patched := range 4 {
		t.Run(fmt.Sprintf("%d_of_3_patched", patched), func(t *testing.T) {
			t.Chdir(t.TempDir())
			s := wrapped(t, "3.8.0")
			put(t, map[string]string{"1/zoo.cfg": hostFile(""), "2/zoo.cfg": hostFile(""), "3/zoo.cfg": hostFile("")})
			args := []string{"-f", "1=1/zoo.cfg", "-f", "2=2/zoo.cfg", "-f", "3=3/zoo.cfg", "--output-dir", "out"}
			f, _ := flags(t, args...)
			first, err := emit(t, s, f)
			if err != nil {
				t.Fatal(err)
			}
			for id := 1; id <= patched; id++ {
				put(t, map[string]string{fmt.Sprintf("%d/zoo.cfg", id): read(t, fmt.Sprintf("out/%d-198.51.100.%d/zoo.cfg.new", id, id))})
			}
			// What is told without a cluster must not be in the way either.
			f, _ = flags(t, args...)
			nowhere := "http://127.0.0.1:1"
			f.deps.flags = genericclioptions.NewConfigFlags(true)
			f.deps.flags.APIServer = &nowhere
			if err := f.run(t.Context(), []string{"demo"}); err == nil || strings.Contains(err.Error(), "differs") {
				t.Fatalf("before the cluster is asked: %v", err)
			}
			f, _ = flags(t, args...)
			again, err := emit(t, s, f)
			if err != nil {
				t.Fatalf("it does not go on: %v", err)
			}
			for id := ensemble.ID(1); id <= 3; id++ {
				was, _ := first.plan.Host(id)
				is, _ := again.plan.Host(id)
				if !bytes.Equal(was.New, is.New) || is.Unchanged() != (int(id) <= patched) {
					t.Errorf("server %d: unchanged %t\n%s", id, is.Unchanged(), cmp.Diff(string(was.New), string(is.New)))
				}
			}
			put(t, map[string]string{"3/zoo.cfg": strings.Replace(hostFile(""), "server.1=zk1.example.com", "server.1=zk9.example.com", 1)})
			f, _ = flags(t, args...)
			if _, err = emit(t, s, f); patched < 2 && (err == nil || !strings.Contains(err.Error(), "server.1 address differs")) {
				t.Errorf("a file that names another machine: %v", err)
			}
		})
	}
}
