package intake

import (
	"cmp"
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// TestIdentify: whose file each of several is. A file is its path; one that ends in
// "+N" has a myid of N beside it.
func TestIdentify(t *testing.T) {
	byAddress := head + "server.1=10.1.0.1:2888:3888\nserver.2=10.1.0.2:2888:3888\nserver.3=10.1.0.3:2888:3888\n"
	onOne := head + "server.1=zk:2888:3888\nserver.2=zk:2889:3889\nserver.3=zk:2890:3890\n"
	for name, c := range map[string]struct {
		text  string
		files []string
		want  string
	}{
		"ids":                            {file, []string{"d/1/zoo.cfg", "d/2/zoo.cfg"}, "1 2"},
		"host names":                     {file, []string{"d/zk1.example.com/zoo.cfg", "d/zk3/zoo.cfg"}, "1 3"},
		"addresses":                      {byAddress, []string{"d/10.1.0.3/zoo.cfg", "d/10.1.0.2/zoo.cfg"}, "3 2"},
		"as written by us":               {byAddress, []string{"d/2-10.1.0.2/zoo.cfg", "d/3-10.1.0.3/zoo.cfg"}, "2 3"},
		"names of files":                 {file, []string{"d/zk1.cfg", "d/2.cfg"}, "1 2"},
		"myid goes first":                {file, []string{"d/1/zoo.cfg+3\n", "d/2/zoo.cfg"}, "3 2"},
		"a myid that is none":            {file, []string{"d/1/zoo.cfg+one", "d/2/zoo.cfg"}, "1 2"},
		"nothing to go by":               {file, []string{"d/a/zoo.cfg", "d/10/zoo.cfg"}, "- -"},
		"several servers on one machine": {onOne, []string{"d/zk/zoo.cfg", "d/2/zoo.cfg"}, "- 2"},
		"one file is for all":            {file, []string{"d/1/zoo.cfg"}, "-"},
	} {
		t.Run(name, func(t *testing.T) {
			var hosts []ensemble.HostConfig
			beside := map[string]string{}
			for _, f := range c.files {
				source, myid, found := strings.Cut(f, "+")
				if found {
					beside[source] = myid
				}
				hosts = append(hosts, parsed(t, source, c.text))
			}
			Identify(hosts, func(source string) (string, bool) { text, found := beside[source]; return text, found })
			var got []string
			for _, h := range hosts {
				got = append(got, cmp.Or(h.ID.String(), "-"))
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("they are servers %q, want %q", got, c.want)
			}
		})
	}
}
