package intake

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
			_, err := setPodConfig(&rec, d.Hosts)
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
	hosts := described(t, file).Hosts
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
		given := hosts
		if !c.file {
			given = nil
		}
		made, err := PodFiles(&rec, given)
		if err != nil || made.Kept != c.kept || (rec.Pods.ZooCfg == c.had) != c.same || !strings.Contains(rec.Pods.ZooCfg, "dataDir=/zookeeper/data\n") || made.Kept && made.Notes != nil {
			t.Errorf("%s: kept %t, %v\n%s", name, made.Kept, err, rec.Pods.ZooCfg)
		}
	}
}

// TestAServerWithoutAFile: what the others name is not asked of its pod.
func TestAServerWithoutAFile(t *testing.T) {
	with := file + "ssl.keyStore.location=/etc/zk/key.jks\n"
	d := described(t, with, with, file)
	rec := migration.Record{Name: "demo", Namespace: "zk", Settings: migration.Settings{Version: "3.8.0"}}
	for _, s := range d.Ensemble.Servers {
		rec.Servers = append(rec.Servers, migration.ServerRecord{Server: s, ClusterIP: "10.96.0." + s.ID.String()})
	}
	if _, err := setPodConfig(&rec, d.Hosts); err != nil {
		t.Fatal(err)
	}
	refs := rec.Pods.FileRefs()
	if len(refs) != 1 || !refs[0].Of(2) || refs[0].Of(3) {
		t.Errorf("%+v, want key.jks of servers 1 and 2", refs)
	}
}

// TestSecretsAreInNoRecord: passwords go into the Secret, each server's own to its own pod;
// what differs from host to host stays with its server.
func TestSecretsAreInNoRecord(t *testing.T) {
	own := func(n string) string {
		return file + "DigestAuthenticationProvider.superDigest=super:abcdefgh\n# ssl.keyStore.password=0ld-s3cr3t\nssl.trustStore.location=/etc/zk/trust.jks\n" +
			"ssl.keyStore.location=/etc/zk/host" + n + ".jks\nssl.keyStore.password=s3cr3t-" + n + "\n"
	}
	d := described(t, own("1"), own("2"), own("3"))
	rec := migration.Record{Name: "demo", Namespace: "zk", Settings: migration.Settings{Version: "3.8.0"}}
	for _, s := range d.Ensemble.Servers {
		rec.Servers = append(rec.Servers, migration.ServerRecord{Server: s, ClusterIP: "10.96.0." + s.ID.String()})
	}
	made, err := PodFiles(&rec, d.Hosts)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(rec)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"s3cr3t", "abcdefgh"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("%s is in the record: %s", secret, text)
		}
		if strings.Contains(fmt.Sprint(made.Notes), secret) {
			t.Errorf("%s is in the notes: %v", secret, made.Notes)
		}
	}
	for key, want := range map[string]string{
		"zoo.cfg": "DigestAuthenticationProvider.superDigest=super:abcdefgh\n", "1.zoo.cfg": "ssl.keyStore.password=s3cr3t-1\n", "3.zoo.cfg": "ssl.keyStore.password=s3cr3t-3\n",
	} {
		if got := string(made.Private.Data[key]); got != want {
			t.Errorf("%s of the Secret is %q, want %q", key, got, want)
		}
	}
	if rec.Pods.PrivateSecret != made.Private.Name {
		t.Errorf("the record names %s, the Secret is %s", rec.Pods.PrivateSecret, made.Private.Name)
	}
	want := []migration.OwnLines{{ID: 1, ZooCfg: "ssl.keyStore.location=/etc/zk/host1.jks\n"}, {ID: 2, ZooCfg: "ssl.keyStore.location=/etc/zk/host2.jks\n"}, {ID: 3, ZooCfg: "ssl.keyStore.location=/etc/zk/host3.jks\n"}}
	if diff := cmp.Diff(want, rec.Pods.Own); diff != "" {
		t.Errorf("own lines (-want +got):\n%s", diff)
	}
	if !strings.Contains(rec.Pods.ZooCfg, "ssl.trustStore.location=/etc/zk/trust.jks\n") || strings.Contains(rec.Pods.ZooCfg, "keyStore.location") {
		t.Errorf("the zoo.cfg of all pods:\n%s", rec.Pods.ZooCfg)
	}
	// Of two hosts nobody knows the third one's value.
	if _, err := PodFiles(&rec, d.Hosts[:2]); err == nil || !strings.Contains(err.Error(), "hosts differ in ssl.keyStore.location") || strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("two files: %v", err)
	}
}

// TestWrapAgainKeepsPatches: the hosts' old files take nothing back that reconfigure has brought into the
// pods' zoo.cfg, and what they do change is named.
func TestWrapAgainKeepsPatches(t *testing.T) {
	for name, c := range map[string]struct {
		extra   string
		emitted bool
		kept    bool
		changes string
	}{
		"the same files":      {emitted: true, kept: true},
		"another setting":     {extra: "maxClientCnxns=7\n", emitted: true, changes: `zoo.cfg: maxClientCnxns is now "7"`},
		"nothing was patched": {changes: `zoo.cfg: without tcpKeepAlive, which was "true"`},
	} {
		t.Run(name, func(t *testing.T) {
			rec := recorded()
			if _, err := PodFiles(&rec, described(t, strings.Replace(file, "\n", "\ntcpKeepAlive=true\n", 1)).Hosts); err != nil {
				t.Fatal(err)
			}
			had := rec.Pods.ZooCfg
			if c.emitted {
				rec.Servers[0].Emitted = &migration.Emission{}
			}
			if _, err := PodFiles(&rec, described(t, file+c.extra).Hosts); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(CfgChanges(had, rec.Pods.ZooCfg), "; "); got != c.changes || (rec.Pods.ZooCfg == had) != c.kept {
				t.Errorf("%q\n%s", got, rec.Pods.ZooCfg)
			}
		})
	}
}
