package cli

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestPodsListenWhereTheirServicesPoint: one file serves all pods, so hosts
// whose client ports differ need the ports in the server lines.
func TestPodsListenWhereTheirServicesPoint(t *testing.T) {
	lines := func(one, two, three string) string {
		return goodHead + "server.1=10.1.0.1:2888:3888" + one + "\nserver.2=10.1.0.2:2888:3888" + two + "\nserver.3=10.1.0.3:2888:3888" + three + "\n"
	}
	for name, c := range map[string]struct {
		version string
		files   []string
		says    string
	}{
		"alike":                {"3.4.13", []string{good, good, good}, ""},
		"one differs":          {"3.4.13", []string{good, strings.Replace(good, "2181", "2182", 1), good}, "server 2 listens on client port 2182"},
		"the lines have them":  {"3.8.0", []string{lines(";2181", ";2182", ";2183"), lines(";2181", ";2182", ";2183"), lines(";2181", ";2182", ";2183")}, ""},
		"the first is the odd": {"3.4.13", []string{strings.Replace(good, "2181", "2182", 1), good, good}, "server 2 listens on client port 2181"},
	} {
		t.Run(name, func(t *testing.T) {
			var hosts []ensemble.HostConfig
			for i, text := range c.files {
				parsed, err := ensemble.ParseConfig("zoo.cfg", []byte(text), nil)
				if err != nil {
					t.Fatal(err)
				}
				hosts = append(hosts, ensemble.HostConfig{ID: ensemble.ID(i + 1), Source: "zoo.cfg", Config: parsed})
			}
			e, diffs, err := ensemble.FromHosts("demo", hosts)
			if err != nil || len(diffs) > 0 {
				t.Fatal(err, diffs)
			}
			rec := migration.Record{Name: "demo", Namespace: "zk", Settings: migration.Settings{Version: c.version}}
			for _, s := range e.Servers {
				rec.Servers = append(rec.Servers, migration.ServerRecord{Server: s, ClusterIP: "10.96.0." + s.ID.String()})
			}
			_, err = setPodConfig(&rec, hosts[0].Config)
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q\n%s", err, c.says, rec.Pods.ZooCfg)
			}
		})
	}
}

// TestWrapInTheMiddle: wrap may be run again at any time, with whatever zoo.cfg
// lies in the folder. What servers in their pods rest on stays.
func TestWrapInTheMiddle(t *testing.T) {
	const apart = "dataDir=/zookeeper/data\ndataLogDir=/zookeeper/datalog\n"
	for name, c := range map[string]struct {
		moved, known string
		extra, says  string
		vote, cfg    string
	}{
		"before anything has moved":           {extra: "", known: apart, vote: "participant of weight 1 in group 0", cfg: "dataDir=/zookeeper/data\n"},
		"roles, before anything has moved":    {extra: "observer", known: apart, vote: "observer", cfg: "dataDir=/zookeeper/data\n"},
		"another layout":                      {moved: "replaced", known: apart, vote: "participant of weight 1 in group 0", cfg: apart, says: "keep the zoo.cfg"},
		"another layout, a server on its way": {moved: "flight", known: apart, vote: "participant of weight 1 in group 0", cfg: apart, says: "keep the zoo.cfg"},
		"the same layout":                     {moved: "replaced", known: "dataDir=/zookeeper/data\n", vote: "participant of weight 1 in group 0", cfg: "autopurge"},
		"another role":                        {moved: "replaced", known: apart, extra: "observer", says: "server 3 is recorded as participant of weight 1 in group 0, the input says observer"},
		"another weight":                      {moved: "flight", known: apart, extra: "weights", says: "weight 2 in group 1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := wrapped(t, "3.4.13")
			rec, err := s.record(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			text := strings.NewReplacer("zk1.example.com", "198.51.100.1", "zk2.example.com", "198.51.100.2", "zk3.example.com", "198.51.100.3").Replace(hostFile(""))
			switch c.extra {
			case "observer":
				text = strings.Replace(text, "3:2888:3888", "3:2888:3888:observer", 1) + "server.4=198.51.100.4:2888:3888\n"
				rec.Servers = append(rec.Servers, rec.Servers[2])
				four := &rec.Servers[3]
				four.ID, four.HostIP, four.Ordinal = 4, "198.51.100.4", 3
			case "weights":
				text += "group.1=1:2:3\nweight.1=2\nweight.2=1\nweight.3=1\n"
			}
			rec.Pods.ZooCfg = c.known
			switch at := time.Now(); c.moved {
			case "replaced":
				rec.Servers[0].Replaced = &at
			case "flight":
				rec.Flight = &migration.Flight{Kind: migration.Replace, ID: 1}
			}
			t.Chdir(t.TempDir())
			put(t, map[string]string{"zoo.cfg": text})
			var out bytes.Buffer
			o := &WrapOptions{deps: &deps{streams: genericiooptions.IOStreams{Out: &out, ErrOut: &out}}, input: input{files: []string{"zoo.cfg"}}}
			got, desc, err := o.desired(t.Context(), "demo", "zk", rec, true)
			if err == nil {
				err = o.complete(t.Context(), s, &got, desc, true)
			}
			if said := out.String() + fmt.Sprint(err); !strings.Contains(said, c.says) || (err == nil) != (c.vote != "") {
				t.Fatalf("it says %s", said)
			}
			if err == nil && (got.Servers[2].Vote() != c.vote || !strings.Contains(got.Pods.ZooCfg, c.cfg) || logsApart(got.Pods.ZooCfg) != strings.Contains(c.cfg, "datalog")) {
				t.Errorf("server 3 is %s; the pods' zoo.cfg:\n%s", got.Servers[2].Vote(), got.Pods.ZooCfg)
			}
		})
	}
}

// TestUpgradedSinceTheWrap: pods are made for the version that runs.
func TestUpgradedSinceTheWrap(t *testing.T) {
	for name, c := range map[string]struct {
		version, image string
		replaced, file bool
		want, says     string
	}{
		"the first wrap":                  {"", "", false, true, "", ""},
		"the same":                        {"3.8.0", "mine", true, false, "mine", ""},
		"upgraded on the hosts":           {"3.4.13", "zookeeper:3.4.13", false, true, "", ""},
		"upgraded, an image of their own": {"3.4.13", "registry/zk:1", false, true, "registry/zk:1", ""},
		"upgraded, no file given":         {"3.4.13", "zookeeper:3.4.13", false, false, "zookeeper:3.4.13", "wrap"},
		"upgraded in the middle":          {"3.4.13", "zookeeper:3.4.13", true, true, "zookeeper:3.4.13", "was begun"},
	} {
		t.Run(name, func(t *testing.T) {
			rec := migration.Record{Servers: []migration.ServerRecord{{}}, Settings: migration.Settings{Version: c.version}, Pods: migration.PodOptions{Image: c.image}}
			if c.replaced {
				rec.Servers[0].Replaced = &time.Time{}
			}
			note := upgraded(&rec, []string{"3.8.0"}, c.file, command.At{Namespace: rec.Namespace})
			if (note == "") != (c.says == "") || !strings.Contains(note, c.says) {
				t.Errorf("got %q, want %q", note, c.says)
			}
			if note == "" && rec.Settings.Version != "3.8.0" || rec.Pods.Image != c.want {
				t.Errorf("version %s, image %q, want %q", rec.Settings.Version, rec.Pods.Image, c.want)
			}
		})
	}
}

// TestUnsafePodFlags: what no host may run with, no pod may either.
func TestUnsafePodFlags(t *testing.T) {
	for flags, refused := range map[string]bool{
		"-Xmx1g -Dzookeeper.forceSync=no": true, "-Dzookeeper.snapshot.trust.empty=true": true, "-Xmx1g -Dzookeeper.forceSync=yes": false,
	} {
		var f podFlags
		cmd := &cobra.Command{}
		f.add(cmd)
		if err := cmd.Flags().Set("jvm-flags", flags); err != nil {
			t.Fatal(err)
		}
		if _, err := f.apply(migration.PodOptions{}, "3.8.0"); (err != nil) != refused {
			t.Errorf("%s: %v", flags, err)
		}
	}
}

// TestWrapMendsInFlight: the Service of a server that is on its way may be gone
// while nothing answers on its host; wrap is what makes it again.
func TestWrapMendsInFlight(t *testing.T) {
	rec := migration.Record{Servers: []migration.ServerRecord{
		{Server: ensemble.Server{ID: 1}, Replaced: &time.Time{}}, {Server: ensemble.Server{ID: 2}}, {Server: ensemble.Server{ID: 3}},
	}, Flight: &migration.Flight{Kind: migration.Replace, ID: 2}}
	o := &WrapOptions{}
	if got := o.unasked(rec); !got[1] || !got[2] || got[3] {
		t.Error(got)
	}
	rec.Flight = nil
	if got := o.unasked(rec); !got[1] || got[2] || got[3] {
		t.Error(got)
	}
	// The journal was deleted with a server on its way: its copy does not say which.
	o.restore = true
	if got := o.unasked(rec); !got[1] || !got[2] || !got[3] {
		t.Error(got)
	}
}
