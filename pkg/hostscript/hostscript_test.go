package hostscript

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

func target(id int, host string, port int) vantage.Target {
	return vantage.Target{Server: ensemble.ID(id), Via: vantage.ViaService, Host: host, Port: port}
}

// notes gives a command a file with number 9 and returns what was written to it, in
// parts that end with a zero byte.
func notes(t *testing.T, cmd *exec.Cmd) func() []string {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	for len(cmd.ExtraFiles) < 6 {
		cmd.ExtraFiles = append(cmd.ExtraFiles, nil)
	}
	cmd.ExtraFiles = append(cmd.ExtraFiles, f)
	return func() []string {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSuffix(string(data), "\x00"), "\x00")
	}
}

func TestScriptRefuses(t *testing.T) {
	good := func() Questions {
		return Questions{Ensemble: "main", Units: []string{"zookeeper"}, Listen: []int{2181}, Names: []string{"zk1.example.com"}, Paths: []vantage.Target{target(1, "10.0.0.1", 2181)}}
	}
	if _, err := Script(good()); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		spoil func(*Questions)
		want  string
	}{
		"no ensemble":     {func(q *Questions) { q.Ensemble = "" }, `the ensemble ""`},
		"hostile name":    {func(q *Questions) { q.Ensemble = "a;b" }, `the ensemble "a;b"`},
		"hostile unit":    {func(q *Questions) { q.Units = []string{"zk", "$(x)"} }, `the unit "$(x)"`},
		"hostile box":     {func(q *Questions) { q.Recorded = []string{"--format=x"} }, `the container "--format=x"`},
		"an engine":       {func(q *Questions) { q.Engine = "sh" }, "docker or podman"},
		"hostile host":    {func(q *Questions) { q.Paths[0].Host = "../../etc/passwd" }, `a path to "../../etc/passwd"`},
		"an option":       {func(q *Questions) { q.Paths[0].Host = "-z" }, `a path to "-z"`},
		"a zone":          {func(q *Questions) { q.Paths[0].Host = "fe80::1%eth0" }, "without a zone"},
		"a way":           {func(q *Questions) { q.Paths[0].Via = "air" }, "host, service or pod"},
		"an id":           {func(q *Questions) { q.Paths[0].Server = -1 }, "an id from 0 to 4294967295"},
		"port 0":          {func(q *Questions) { q.Paths[0].Port = 0 }, "a port from 1 to 65535"},
		"port 65536":      {func(q *Questions) { q.Paths[0].Port = 65536 }, "a port from 1 to 65535"},
		"listening port":  {func(q *Questions) { q.Listen[0] = -1 }, "listening port"},
		"hostile to find": {func(q *Questions) { q.Names[0] = "a b" }, `the name "a b"`},
		"many paths":      {func(q *Questions) { q.Paths = make([]vantage.Target, MaxPaths+1) }, "512 at most"},
		"many names":      {func(q *Questions) { q.Names = make([]string, MaxNames+1) }, "64 at most"},
		"many ports":      {func(q *Questions) { q.Listen = make([]int, MaxNames+1) }, "64 at most"},
	} {
		t.Run(name, func(t *testing.T) {
			q := good()
			c.spoil(&q)
			_, err := Script(q)
			var wrong *InputError
			if !errors.As(err, &wrong) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want one about %s", err, c.want)
			}
		})
	}
}

func TestBetween(t *testing.T) {
	q := Between("main", []Server{
		{ID: 1, HostIP: "10.0.0.1", ClusterIP: "10.96.0.1", Ports: []int{2181, 2888, 3888}, ClientPort: 2181},
		{ID: 2, HostIP: "10.0.0.2", ClusterIP: "10.96.0.2", PodIP: "10.244.0.2", Ports: []int{2888, 3889}},
	})
	if err := q.Validate(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range q.Paths {
		got = append(got, p.Server.String()+" "+string(p.Via)+" "+p.Address())
	}
	want := []string{
		"1 host 10.0.0.1:2181", "1 service 10.96.0.1:2181", "1 host 10.0.0.1:2888", "1 service 10.96.0.1:2888", "1 host 10.0.0.1:3888", "1 service 10.96.0.1:3888",
		"2 host 10.0.0.2:2888", "2 service 10.96.0.2:2888", "2 pod 10.244.0.2:2888", "2 host 10.0.0.2:3889", "2 service 10.96.0.2:3889", "2 pod 10.244.0.2:3889",
	}
	if !slices.Equal(got, want) {
		t.Errorf("paths %q, want %q", got, want)
	}
	for _, line := range []string{"batch try 1 host 10.0.0.1 2181 cons\n", "batch try 1 service 10.96.0.1 2181 cons\n", "batch try 2 pod 10.244.0.2 2888\n"} {
		if !strings.Contains(string(q.render()), line) {
			t.Errorf("%q is not asked", line)
		}
	}
	if n := strings.Count(string(q.render()), "cons\n"); n != 2 {
		t.Errorf("cons is asked %d times", n)
	}
	if want := []int{2181, 2888, 3888, 3889}; !slices.Equal(q.Listen, want) {
		t.Errorf("ports %v, want %v", q.Listen, want)
	}
}

// TestScriptThatWasCutDoesNothing: nothing runs before the last line.
func TestScriptThatWasCutDoesNothing(t *testing.T) {
	script, err := Script(Questions{Ensemble: "main", Paths: []vantage.Target{target(1, "127.0.0.1", 1)}})
	if err != nil {
		t.Fatal(err)
	}
	text := string(script)
	programs := map[string]string{"bash": "printf 'asked\\0' >&9\n", "ip": "printf 'asked\\0' >&9\n", "systemctl": "printf 'asked\\0' >&9\n"}
	last := strings.LastIndex(text, "main </dev/null")
	for _, end := range []int{last / 4, last / 2, last - 10, last} {
		cmd := shells(t)[0].command(t, text[:end], programs)
		cmd.Stderr = nil
		asked := notes(t, cmd)
		out, _ := cmd.Output()
		if len(out) > 0 || asked()[0] != "" {
			t.Errorf("cut off at byte %d it printed %q and asked %q", end, out, asked())
		}
	}
}

// TestMaxSeconds: the bound that the header names grows with the batches.
func TestMaxSeconds(t *testing.T) {
	q := Questions{}.pathsTo(make([]string, 33))
	if got := q.MaxSeconds(); got != fixedSeconds+4*eachSeconds {
		t.Errorf("33 paths take %d s", got)
	}
}
