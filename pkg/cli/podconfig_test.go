package cli

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

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
			if err == nil && (got.Servers[2].Vote() != c.vote || !strings.Contains(got.Pods.ZooCfg, c.cfg) || strings.Contains(got.Pods.ZooCfg, "\ndataLogDir=") != strings.Contains(c.cfg, "datalog")) {
				t.Errorf("server 3 is %s; the pods' zoo.cfg:\n%s", got.Servers[2].Vote(), got.Pods.ZooCfg)
			}
		})
	}
}

// TestLagText: why the pods stay with another version, and what to do.
func TestLagText(t *testing.T) {
	rec := migration.Record{Name: "demo", Namespace: "zk"}
	for want, lag := range map[string]intake.Lag{
		"the hosts run ZooKeeper 3.8.0, the pods would be made for 3.4.13; so that they follow: kubectl zkmigrate wrap demo -f FILE -n zk": {Runs: "3.8.0", Recorded: "3.4.13"},
		"the hosts run ZooKeeper 3.8.0, and the migration was begun with 3.4.13: bring them back to it before another server is replaced":  {Runs: "3.8.0", Recorded: "3.4.13", Begun: true},
	} {
		if got := lagText(rec, lag, command.At{Namespace: rec.Namespace}); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
