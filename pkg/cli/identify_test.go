package cli

import (
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// TestIdentify: whose file each is in a directory of them.
func TestIdentify(t *testing.T) {
	byAddress := goodHead + good12 + "server.3=10.1.0.3:2888:3888\n"
	onOne := goodHead + "server.1=zk:2888:3888\nserver.2=zk:2889:3889\nserver.3=zk:2890:3890\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  map[string]ensemble.ID
	}{
		"ids":                            {map[string]string{"d/1/zoo.cfg": good, "d/2/zoo.cfg": good}, map[string]ensemble.ID{"d/1/zoo.cfg": 1, "d/2/zoo.cfg": 2}},
		"host names":                     {map[string]string{"d/zk1.example.com/zoo.cfg": hostFile(""), "d/zk3/zoo.cfg": hostFile("")}, map[string]ensemble.ID{"d/zk1.example.com/zoo.cfg": 1, "d/zk3/zoo.cfg": 3}},
		"addresses":                      {map[string]string{"d/10.1.0.3/zoo.cfg": byAddress, "d/10.1.0.2/zoo.cfg": byAddress}, map[string]ensemble.ID{"d/10.1.0.3/zoo.cfg": 3, "d/10.1.0.2/zoo.cfg": 2}},
		"as written by us":               {map[string]string{"d/2-10.1.0.2/zoo.cfg": byAddress, "d/3-10.1.0.3/zoo.cfg": byAddress}, map[string]ensemble.ID{"d/2-10.1.0.2/zoo.cfg": 2, "d/3-10.1.0.3/zoo.cfg": 3}},
		"names of files":                 {map[string]string{"d/zk1.cfg": hostFile(""), "d/2.cfg": hostFile("")}, map[string]ensemble.ID{"d/zk1.cfg": 1, "d/2.cfg": 2}},
		"myid goes first":                {map[string]string{"d/1/zoo.cfg": good, "d/1/myid": "3\n", "d/2/zoo.cfg": good}, map[string]ensemble.ID{"d/1/zoo.cfg": 3, "d/2/zoo.cfg": 2}},
		"nothing to go by":               {map[string]string{"d/a/zoo.cfg": good, "d/10/zoo.cfg": good}, map[string]ensemble.ID{"d/a/zoo.cfg": 0, "d/10/zoo.cfg": 0}},
		"several servers on one machine": {map[string]string{"d/zk/zoo.cfg": onOne, "d/2/zoo.cfg": onOne}, map[string]ensemble.ID{"d/zk/zoo.cfg": 0, "d/2/zoo.cfg": 2}},
		"one file is for all":            {map[string]string{"d/1/zoo.cfg": good}, map[string]ensemble.ID{"d/1/zoo.cfg": 0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			put(t, c.files)
			in := input{files: []string{"d"}}
			d, err := in.parse(t.Context(), "demo")
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range d.hosts {
				if h.ID != c.want[h.Source] {
					t.Errorf("%s is server %d, want %d", h.Source, h.ID, c.want[h.Source])
				}
			}
		})
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
