package hostreport_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostreport"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostscript"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/test/tcpfake"
)

// TestMain is also a server that does nothing: it tells its pid and waits for its end.
func TestMain(m *testing.M) {
	if os.Getenv("ZKMIGRATE_TEST_SERVER") != "" {
		end := make(chan os.Signal, 1)
		signal.Notify(end, syscall.SIGTERM)
		fmt.Println(os.Getpid())
		<-end
		return
	}
	os.Exit(m.Run())
}

func target(via vantage.Via, addr net.Addr) vantage.Target {
	a := addr.(*net.TCPAddr)
	return vantage.Target{Server: 1, Via: via, Host: a.IP.String(), Port: a.Port}
}

// silent is an address that answers no connect: its backlog is full.
func silent(t *testing.T) net.Addr {
	t.Helper()
	addr, ok := tcpfake.Full(t)
	if !ok {
		t.Fatal("the backlog does not fill up")
	}
	return addr
}

// listener counts the bytes that its clients send.
func listener(t *testing.T, network, address string) (net.Addr, func() int64) {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Skip(err)
	}
	total, done := make(chan int64, 1), make(chan struct{})
	go func() {
		defer close(done)
		var sum int64
		for {
			c, err := l.Accept()
			if err != nil {
				total <- sum
				return
			}
			n, _ := bytes.NewBuffer(nil).ReadFrom(c)
			sum += n
			c.Close()
		}
	}()
	return l.Addr(), func() int64 { l.Close(); <-done; return <-total }
}

func closed(t *testing.T) net.Addr {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr()
}

// shells are the ways to run sh on this machine.
func shells(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for name, words := range map[string][]string{"dash": {"dash"}, "bash": {"bash"}, "busybox": {"busybox", "sh"}} {
		if _, err := exec.LookPath(words[0]); err == nil {
			out[name] = words
		} else if name != "busybox" {
			t.Fatal(name, " is needed: ", err)
		}
	}
	return out
}

// answer runs the script and reads what it prints.
func answer(t *testing.T, q hostscript.Questions, cmd func(script string) *exec.Cmd) hostreport.Report {
	t.Helper()
	script, err := hostscript.Script(q)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "report.sh")
	if err := os.WriteFile(path, script, 0o600); err != nil {
		t.Fatal(err)
	}
	c := cmd(path)
	var complaints bytes.Buffer
	c.Stderr = &complaints
	out, err := c.Output()
	if err != nil || complaints.Len() > 0 {
		t.Fatalf("%v: %s", err, complaints.String())
	}
	if n := bytes.Count(out, []byte("\n")); n != 1 || out[len(out)-1] != '\n' {
		t.Errorf("%d lines came", n)
	}
	reports, err := hostreport.Parse(bytes.NewReader(out), "answer")
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if len(reports) != 1 || reports[0].Asked != q.Digest() || reports[0].Ensemble != q.Ensemble {
		t.Fatalf("it answers other questions: %s", out)
	}
	return reports[0]
}

// TestRealPaths runs the script in each shell, with each program that it can connect
// with, against ports of each kind.
func TestRealPaths(t *testing.T) {
	for shell, sh := range shells(t) {
		all := []string{"bash"}
		if shell == "dash" {
			all = []string{"bash", "none"}
		}
		for _, means := range all {
			t.Run(shell+" with "+means, func(t *testing.T) {
				t.Parallel()
				open, sent := listener(t, "tcp4", "127.0.0.1:0")
				states := map[vantage.Target]vantage.PortState{
					target(vantage.ViaHost, open):         vantage.PortOpen,
					target(vantage.ViaService, closed(t)): vantage.PortClosed,
					target(vantage.ViaPod, silent(t)):     vantage.PortSilent,
				}
				q := hostscript.Questions{Ensemble: "main", Listen: []int{open.(*net.TCPAddr).Port, closed(t).(*net.TCPAddr).Port}, Names: []string{"localhost", "nowhere.invalid"}}
				for to := range states {
					q.Paths = append(q.Paths, to)
				}
				if means == "none" {
					for to := range states {
						states[to] = vantage.PortUnknown
					}
				}
				r := answer(t, q, func(script string) *exec.Cmd {
					path, err := exec.LookPath(sh[0])
					if err != nil {
						t.Fatal(err)
					}
					// As over ssh: the script comes on standard input.
					c := exec.CommandContext(t.Context(), path, append(slices.Clone(sh[1:]), "-s")...)
					text, err := os.ReadFile(script)
					if err != nil {
						t.Fatal(err)
					}
					c.Stdin = bytes.NewReader(text)
					c.Env = []string{"PATH=" + only(t, means)}
					return c
				})
				for to, want := range states {
					if got, ok := r.Path(to); !ok || got.Result != want {
						t.Errorf("%s is %q (%s), want %q", to.Address(), got.Result, got.Detail, want)
					}
				}
				if n := sent(); n != 0 {
					t.Errorf("%d bytes were sent to a port", n)
				}
				if len(r.Listening) != 1 || r.Listening[0].Port != q.Listen[0] || r.Listening[0].All == nil || *r.Listening[0].All {
					t.Errorf("listening: %+v", r.Listening)
				}
				if n, ok := r.Name("localhost"); !ok || n.Result != hostreport.NameFound || len(n.Addresses) == 0 {
					t.Errorf("localhost: %+v", n)
				}
				if n, ok := r.Name("nowhere.invalid"); !ok || n.Result == hostreport.NameFound || len(n.Addresses) > 0 {
					t.Errorf("nowhere.invalid: %+v", n)
				}
				if age := r.Age(r.At().Add(time.Minute)); age != time.Minute || r.At().Year() < 2020 {
					t.Errorf("it was made at %s", r.At())
				}
				if hostname, _ := os.Hostname(); r.Hostname != hostname || r.UID == nil || *r.UID != int64(os.Getuid()) {
					t.Errorf("it is of host %s, user %v", r.Hostname, r.UID)
				}
			})
		}
	}
}

// only is a directory with the programs that every host has, and one to connect with.
func only(t *testing.T, means string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{
		"awk", "sed", "cat", "tr", "cut", "head", "sort", "grep", "printf", "id", "date", "ls", "uname", "readlink", "stat", "df", "timeout", "sleep",
		"sha256sum", "getconf", "getent", "ip", "systemctl", means,
	} {
		path, err := exec.LookPath(name)
		if err != nil {
			if name == means && means != "none" {
				t.Skip("no ", means)
			}
			continue
		}
		link(t, path, filepath.Join(dir, name))
	}
	return dir
}

func link(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Symlink(from, to); err != nil {
		t.Fatal(err)
	}
}

// TestRealServer runs the script beside a process that looks like a server.
func TestRealServer(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
		return path
	}
	data, logs := filepath.Join(dir, "data of it's"), filepath.Join(dir, "logs")
	cfg := "# Managed by Puppet, do not edit\n#\n# contact: \"ops\" \x1b[2J\x1e}\n# ssl.keyStore.password=hunter2\n\n# fourth\n# fifth\n# sixth\n" +
		"tickTime=2000\n# later\ndataDir=" + data + "\ndataLogDir = " + logs + "\nssl.keyStore.password=hunter2\ndynamicConfigFile=" + dir + "/zoo.cfg.dynamic.1\n"
	real := write("real/zoo.cfg", cfg)
	write("data of it's/myid", "7\n")
	write("logs/x", "")
	link(t, real, filepath.Join(dir, "zoo.cfg"))
	java := filepath.Join(dir, "jdk", "bin", "java")
	if err := os.MkdirAll(filepath.Dir(java), 0o700); err != nil {
		t.Fatal(err)
	}
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(java, self, 0o700); err != nil {
		t.Fatal(err)
	}
	flags := []string{"-Dzookeeper.ssl.keyStore.password=hunter2", "-Djdk.net.hosts.file=/etc/x", "-Djava.net.x=\x1e}\x1e]\x1es kind x", "-Dsun.net.y=\n}\n]", "-cp", "/opt/*"}
	args := append(flags, "org.apache.zookeeper.server.quorum.QuorumPeerMain", "zoo.cfg")
	// In a namespace of its own no other server is seen, where that is possible.
	wrap := []string{"unshare", "--pid", "--fork", "--mount-proc"}
	if os.Getuid() != 0 {
		wrap = append(wrap, "--user", "--map-root-user")
	}
	alone := exec.Command(wrap[0], append(slices.Clone(wrap[1:]), "true")...).Run() == nil
	for shell, sh := range shells(t) {
		t.Run(shell, func(t *testing.T) {
			r := answer(t, hostscript.Questions{Ensemble: "main", Units: []string{"zookeeper"}}, func(script string) *exec.Cmd {
				// The server's words, the script and the shell come as arguments.
				const run = `script=$1 words=$2; shift 2
i=0; shell=; while [ $i -lt $words ]; do shell="$shell $1"; shift; i=$((i + 1)); done
ZKMIGRATE_TEST_SERVER=1 "$@" | { read -r pid; $shell "$script"; kill "$pid"; }`
				words := append([]string{"sh", "-c", run, "sh", script, fmt.Sprint(len(sh))}, append(append(slices.Clone(sh), java), args...)...)
				if alone {
					words = append(slices.Clone(wrap), words...)
				}
				c := exec.CommandContext(t.Context(), words[0], words[1:]...)
				c.Dir = dir
				return c
			})
			i := slices.IndexFunc(r.ZooKeeper, func(p hostreport.Process) bool { return slices.Contains(p.Flags, flags[1]) })
			if i < 0 {
				t.Fatalf("it is not seen: %+v", r.ZooKeeper)
			}
			p := r.ZooKeeper[i]
			if alone && len(r.ZooKeeper) != 1 {
				t.Errorf("%d servers are seen", len(r.ZooKeeper))
			}
			wantFlags := []string{flags[1], "-Djava.net.x=?}?]?s kind x", "-Dsun.net.y=?}?]"}
			if !slices.Equal(p.Flags, wantFlags) {
				t.Errorf("flags %q, want %q", p.Flags, wantFlags)
			}
			if p.Config != dir+"/zoo.cfg" || p.DataDir != data || p.DataLogDir != logs {
				t.Errorf("the server is %+v", p)
			}
			if p.MyID == nil || ensemble.ID(*p.MyID) != 7 || p.DataDirFree == nil || *p.DataDirFree < 1024 || p.DataLogDirFree == nil {
				t.Errorf("myid %v, free %v, %v", p.MyID, p.DataDirFree, p.DataLogDirFree)
			}
			if now := time.Now().Unix(); p.Started == nil || *p.Started > now+1 || *p.Started < now-3600 {
				t.Errorf("it started at %v, now it is %d", p.Started, now)
			}
			f := p.File
			if f == nil {
				t.Fatal("its file was not read")
			}
			sum := fmt.Sprintf("%x", sha256.Sum256([]byte(cfg)))
			target, err := filepath.EvalSymlinks(real)
			if err != nil {
				t.Fatal(err)
			}
			if f.Target != target || f.Symlink == nil || !*f.Symlink || f.SHA256 != sum || f.Modified == nil {
				t.Errorf("the file is %+v", f)
			}
			wantComments := []string{"# Managed by Puppet, do not edit", `# contact: "ops" ?[2J?}`, "(hidden)", "# fourth", "# fifth"}
			if !slices.Equal(f.Comments, wantComments) {
				t.Errorf("comments %q, want %q", f.Comments, wantComments)
			}
			if len(r.Units) > 0 && r.Units[0].Name != "zookeeper" {
				t.Errorf("units %+v", r.Units)
			}
		})
	}
}

// TestUnreachable: a host without any network says so.
func TestUnreachable(t *testing.T) {
	wrap := []string{"unshare", "--net"}
	if os.Getuid() != 0 {
		wrap = append(wrap, "--user", "--map-root-user")
	}
	if err := exec.Command(wrap[0], append(slices.Clone(wrap[1:]), "true")...).Run(); err != nil {
		t.Skip("no network namespaces: ", err)
	}
	to := vantage.Target{Server: 1, Via: vantage.ViaService, Host: "192.0.2.9", Port: 2181}
	r := answer(t, hostscript.Questions{Ensemble: "main", Paths: []vantage.Target{to}}, func(script string) *exec.Cmd {
		words := append(slices.Clone(wrap), "sh", script)
		return exec.CommandContext(t.Context(), words[0], words[1:]...)
	})
	if p, ok := r.Path(to); !ok || p.Result != vantage.PortUnreachable {
		t.Errorf("%+v", p)
	}
	if p, _ := r.Path(to); !p.NoRoute() {
		t.Errorf("its route is %q", p.Route)
	}
	if own := r.Own("192.0.2.1"); r.Addresses != nil && (own == nil || *own) {
		t.Errorf("it has the address: %v", r.Addresses)
	}
}
