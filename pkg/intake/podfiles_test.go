package intake

import (
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestPodsListenWhereTheirServicesPoint: one file serves all pods, so hosts
// whose client ports differ need the ports in the server lines.
func TestPodsListenWhereTheirServicesPoint(t *testing.T) {
	lines := func(one, two, three string) string {
		return head + "server.1=10.1.0.1:2888:3888" + one + "\nserver.2=10.1.0.2:2888:3888" + two + "\nserver.3=10.1.0.3:2888:3888" + three + "\n"
	}
	for name, c := range map[string]struct {
		version string
		files   []string
		says    string
	}{
		"alike":                {"3.4.13", []string{file, file, file}, ""},
		"one differs":          {"3.4.13", []string{file, strings.Replace(file, "2181", "2182", 1), file}, "server 2 listens on client port 2182"},
		"the lines have them":  {"3.8.0", []string{lines(";2181", ";2182", ";2183"), lines(";2181", ";2182", ";2183"), lines(";2181", ";2182", ";2183")}, ""},
		"the first is the odd": {"3.4.13", []string{strings.Replace(file, "2181", "2182", 1), file, file}, "server 2 listens on client port 2181"},
	} {
		t.Run(name, func(t *testing.T) {
			d := described(t, c.files...)
			if len(d.Differences) > 0 {
				t.Fatal(d.Differences)
			}
			rec := migration.Record{Name: "demo", Namespace: "zk", Settings: migration.Settings{Version: c.version}}
			for _, s := range d.Ensemble.Servers {
				rec.Servers = append(rec.Servers, migration.ServerRecord{Server: s, ClusterIP: "10.96.0." + s.ID.String()})
			}
			_, err := setPodConfig(&rec, d.Config)
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q\n%s", err, c.says, rec.Pods.ZooCfg)
			}
		})
	}
}

// TestPodFiles: files that are there stay where no host's file was given, and what
// servers in their pods rest on stays in any case.
func TestPodFiles(t *testing.T) {
	const apart, together = "dataDir=/zookeeper/data\ndataLogDir=/zookeeper/datalog\n", "dataDir=/zookeeper/data\n"
	config := described(t, file).Config
	for name, c := range map[string]struct {
		had         string
		file, moved bool
		kept, same  bool
	}{
		"the first, of members":         {},
		"again, of members":             {had: together, same: true},
		"a file":                        {had: apart, file: true},
		"a file, in the middle":         {had: together, file: true, moved: true},
		"another layout, in the middle": {had: apart, file: true, moved: true, kept: true, same: true},
	} {
		rec := recorded()
		rec.Pods.ZooCfg = c.had
		if c.moved {
			rec.Flight = &migration.Flight{Kind: migration.Replace, ID: 1}
		}
		given := config
		if !c.file {
			given = nil
		}
		notes, kept, err := PodFiles(&rec, given)
		if err != nil || kept != c.kept || (rec.Pods.ZooCfg == c.had) != c.same || !strings.Contains(rec.Pods.ZooCfg, "dataDir=/zookeeper/data\n") || kept && notes != nil {
			t.Errorf("%s: kept %t, %v\n%s", name, kept, err, rec.Pods.ZooCfg)
		}
	}
}
