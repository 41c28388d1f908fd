package hostpatch_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostpatch"
)

func TestCopyCommand(t *testing.T) {
	for name, tc := range map[string]struct {
		dir, logs, want string
		placeholder     bool
	}{
		"one directory":      {dir: "/var/lib/zookeeper", want: "cd /var/lib/zookeeper && echo 3xtok > zkmigrate-seed && tar -chSPf - myid version-2 && tar -cf - zkmigrate-seed"},
		"the same one twice": {dir: "/d", logs: "/d", want: "cd /d && echo 3xtok > zkmigrate-seed && tar -chSPf - myid version-2 && tar -cf - zkmigrate-seed"},
		"two":                {dir: "/data/zk", logs: "/logs/zk", want: "cd /data/zk && echo 3xtok > zkmigrate-seed && tar -chSPf - myid version-2 /logs/zk/version-2 && tar -cf - zkmigrate-seed"},
		"unknown":            {want: "cd DATADIR && echo 3xtok > zkmigrate-seed && tar -chSPf - myid version-2 DATALOGDIR/version-2 && tar -cf - zkmigrate-seed", placeholder: true},
		"relative":           {dir: "data", want: "cd DATADIR && echo 3xtok > zkmigrate-seed && tar -chSPf - myid version-2 DATALOGDIR/version-2 && tar -cf - zkmigrate-seed", placeholder: true},
		"that ends a quote":  {dir: "/d'; rm -rf /'", want: "cd DATADIR && echo 3xtok > zkmigrate-seed && tar -chSPf - myid version-2 DATALOGDIR/version-2 && tar -cf - zkmigrate-seed", placeholder: true},
	} {
		line, notes := hostpatch.CopyCommand(hostpatch.CopyInput{
			Host: "10.0.0.3", DataDir: tc.dir, DataLogDir: tc.logs, TokenFile: "zkmigrate-seed", Token: "3xtok", To: "kubectl zkmigrate seed main --id=3 -n zk",
		})
		if diff := cmp.Diff("ssh 10.0.0.3 '"+tc.want+"' | kubectl zkmigrate seed main --id=3 -n zk", line); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if got := strings.Contains(strings.Join(notes, "\n"), "DATALOGDIR"); got != tc.placeholder {
			t.Errorf("%s: notes %q", name, notes)
		}
	}
}
