package cli

import (
	"strings"
	"syscall"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// TestMyidBesideAFile: a copy of myid says whose file the one beside it is.
func TestMyidBesideAFile(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, map[string]string{"d/1/zoo.cfg": good, "d/1/myid": "3\n", "d/2/zoo.cfg": good})
	in := input{files: []string{"d"}}
	d, err := in.parse(t.Context(), "demo")
	if err != nil || len(d.Hosts) != 2 || !d.Hosts[0].ID.Is(3) || !d.Hosts[1].ID.Is(2) {
		t.Errorf("%+v, %v", d.Hosts, err)
	}
}

// TestMyidIsNoFile: a pipe in its place is not waited for.
func TestMyidIsNoFile(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, map[string]string{"1/zoo.cfg": good})
	if err := syscall.Mkfifo("1/myid", 0o600); err != nil {
		t.Fatal(err)
	}
	if id, ok := myid("1/zoo.cfg"); ok {
		t.Errorf("it says %q", id)
	}
}

// TestReconfigureOneFileEach: a host's patch is made from its own file.
func TestReconfigureOneFileEach(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, map[string]string{
		"d/1/zoo.cfg": hostFile("# one\n"), "d/2/zoo.cfg": hostFile("# two\n"), "d/3/zoo.cfg": hostFile("# three\n"),
		"some/a/zoo.cfg": hostFile(""), "some/b/zoo.cfg": hostFile(""), "two/1/zoo.cfg": hostFile(""), "two/2/zoo.cfg": hostFile(""),
	})
	s := wrapped(t, "3.8.0")
	f, _ := flags(t, "-f", "d", "--output-dir", "out")
	e, err := emit(t, s, f)
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[ensemble.ID]string{1: "# one", 2: "# two", 3: "# three"} {
		if h, _ := e.plan.Host(id); !strings.Contains(string(h.New), want) {
			t.Errorf("server %d:\n%s", id, h.New)
		}
	}
	for dir, says := range map[string]string{"some": "whose file is this", "two": "server 3: its host's file is missing"} {
		f, _ := flags(t, "-f", dir, "--output-dir", "out2")
		if _, err := emit(t, s, f); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", dir, err)
		}
	}
}
