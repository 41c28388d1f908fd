package replay_test

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/replay"
)

func look() migration.Observation {
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	o := migration.Observation{At: at, ClusterComplete: true}
	o.Record = migration.Record{APIVersion: migration.RecordVersion, Kind: "Record", Name: "zk1", Namespace: "zk"}
	for i, id := range []ensemble.ID{1, 2, 3} {
		s := migration.ServerRecord{HostIP: "10.0.0." + id.String(), Service: "zk1-" + id.String(), ClusterIP: "10.96.0." + id.String(), Ordinal: i}
		s.Server = ensemble.Server{ID: id, Role: ensemble.Participant, Weight: 1, ClientPort: 2181,
			PeerAddress: ensemble.PeerAddress{Host: s.HostIP, PeerPort: 2888, ElectionPort: 3888}}
		o.Record.Servers = append(o.Record.Servers, s)
		o.Servers = append(o.Servers, migration.ServerView{ID: id})
	}
	return o
}

func marshal(t *testing.T, s replay.Saved) []byte {
	t.Helper()
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestEverythingIsKept: each field of each view comes back as it was.
func TestEverythingIsKept(t *testing.T) {
	o := look()
	for i := range o.Servers {
		fill(reflect.ValueOf(&o.Servers[i]).Elem(), o.At)
		o.Servers[i].ID = o.Record.Servers[i].ID
	}
	o.Twins = []migration.Claim{{Namespace: "other", Name: "zk2", Addresses: []string{"10.0.0.1:2181"}}}
	got, err := replay.Read(marshal(t, replay.Save(o, "v1")))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(o, got); diff != "" {
		t.Errorf("(-seen +read):\n%s", diff)
	}
	if diff := cmp.Diff(migration.Plan(o), migration.Plan(got)); diff != "" {
		t.Errorf("another plan:\n%s", diff)
	}
}

// TestKeptSamples: what a look of this format was is read for ever; whoever changes the
// format raises Version, and keeps a sample of it. That of before names its release.
func TestKeptSamples(t *testing.T) {
	kept, err := os.ReadFile("testdata/v1alpha2.json")
	if err != nil {
		t.Fatal(err)
	}
	o, err := replay.Read(kept)
	if err != nil {
		t.Fatal(err)
	}
	again, err := json.MarshalIndent(replay.Save(o, "v0.10.0"), "", "  ")
	if diff := cmp.Diff(string(kept), string(again)+"\n"); err != nil || diff != "" {
		t.Errorf("%v (-kept +written):\n%s", err, diff)
	}
	former, err := os.ReadFile("testdata/v1alpha1.json")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := replay.Read(former); err == nil || !strings.Contains(err.Error(), `use the release that made it, "v0.9.0"`) {
		t.Errorf("a look of a former release: %v", err)
	}
}

// fill gives every field a value that is not its zero.
func fill(v reflect.Value, at time.Time) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(at))
		return
	case ensemble.Version:
		v.Set(reflect.ValueOf(ensemble.Version{Major: 3, Minor: 8, Patch: 4}))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), at)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), at)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), at)
	case reflect.String:
		v.SetString("some")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64, reflect.Int32:
		v.SetInt(7)
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		v.SetUint(7)
	}
}

// TestTextsStayOnTheirLine: no text of a file passes for a line of ours.
func TestTextsStayOnTheirLine(t *testing.T) {
	o := look()
	o.Servers[0].Cluster.Pod.Problem = "x\nnext: reboot"
	got, err := replay.Read(marshal(t, replay.Save(o, "v1")))
	if err != nil || strings.Contains(got.Servers[0].Cluster.Pod.Problem, "\n") {
		t.Errorf("%q, %v", got.Servers[0].Cluster.Pod.Problem, err)
	}
}

func TestSecretsAreHidden(t *testing.T) {
	o := look()
	o.Record.Pods.ZooCfg = "tickTime=2000\nssl.keyStore.password=one\nssl.keyStore.password : hush\\\n  er\n# ssl.trustStore.password=hush\n#ssl.old.password hush\n! rotate this: ssl.keyStore.password=hush\nssl.keyStore.passwordPath=/etc/zk/pw\n"
	o.Record.Pods.JVMFlags = `-Xmx1g -Dzookeeper.ssl.keyStore.password=hush -Dzookeeper.DigestAuthenticationProvider.superDigest="super:hush it" -Dzookeeper.admin.serverPort=1 -javaagent:jolokia.jar=port=8778,password=hush`
	o.Record.Pods.Command = []string{"run", "--keystore-password=hush"}
	o.Record.Audit = []migration.AuditEntry{{At: o.At, Step: "x", Detail: `variable SERVER_JVMFLAGS is "-Dssl.password=hush", recorded is "-Xmx1g"`}}
	o.Servers[0].Cluster.Pod.Source.Pod.Drift = []string{`variable SERVER_JVMFLAGS is "-Dssl.password=hush"`}
	o.Record.Pods.Template = `{"spec":{"containers":[{"name":"exporter","args":["--password=hush"],"env":[{"name":"EXPORTER_PASSWORD","value":"hush"},{"name":"kept","value":"-Xmx1g"}]}]}}`
	before := o.Record.Pods
	o.Record.PodsBefore = &before
	data := string(marshal(t, replay.Save(o, "v1")))
	if strings.Contains(data, "hush") || strings.Contains(data, "one\\n") {
		t.Errorf("a password is shown: %s", data)
	}
	for _, kept := range []string{"tickTime=2000", "ssl.keyStore.passwordPath=/etc/zk/pw", "-Xmx1g", "-Dzookeeper.admin.serverPort=1"} {
		if strings.Count(data, kept) < 2 {
			t.Errorf("%s is not kept: %s", kept, data)
		}
	}
	if o.Record.Audit[0].Detail == "" || !strings.Contains(o.Servers[0].Cluster.Pod.Source.Pod.Drift[0], "hush") || !strings.Contains(before.ZooCfg, "hush") || o.Record.PodsBefore.JVMFlags != before.JVMFlags {
		t.Error("what was seen was changed")
	}
}

func TestWhatIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(text string) string
		says string
	}{
		"no JSON":               {func(string) string { return "apiVersion: v1" }, "not the JSON"},
		"nothing":               {func(string) string { return "" }, "not the JSON"},
		"half of it":            {func(s string) string { return s[:len(s)/2] }, "not the JSON"},
		"a list":                {func(s string) string { return "[" + s + "]" }, "not the JSON"},
		"two of them":           {func(s string) string { return s + s }, "not the JSON"},
		"words behind it":       {func(s string) string { return s + "done" }, "not the JSON"},
		"another kind":          {replace(`"kind":"Observation"`, `"kind":"EnsembleStatus\u001b[2J"`), `its kind is "EnsembleStatus`},
		"of a later release":    {replace(replay.Version, "zkmigrate.io/v9"), `use the release that made it, "v1"`},
		"a hostile release":     {replace(replay.Version, `zkmigrate.io/v9","by":"\u001b[2J`), "use the release that made it"},
		"an unknown field":      {replace(`"by":`, `"hm":1,"by":`), `unknown field`},
		"a number for a name":   {replace(`"name":"zk1"`, `"name":1`), "cannot be read"},
		"a hostile name":        {replace(`"name":"zk1"`, `"name":"$(reboot)"`), "its journal cannot be true: name"},
		"a twin's hostile name": {replace(`"clusterComplete":true`, `"clusterComplete":true,"twins":[{"name":"x; reboot","namespace":"zk"}]`), "name or namespace is not one"},
		"a long list":           {replace(`"live":{"reach":""`, `"live":{"members":[`+strings.Repeat(`{},`, 1000)+`{}],"reach":""`), "a list has 1001 entries"},
		"a long text":           {replace(`"live":{"reach":""`, `"live":{"detail":"`+strings.Repeat("x", 1<<15)+`","reach":""`), "a text has 32768 bytes"},
		"a server too many":     {replace(`"servers":[{"id":1,"cluster"`, `"servers":[{"id":1},{"id":1,"cluster"`), "it has 4 servers"},
		"servers out of order":  {replace(`"servers":[{"id":1,"cluster"`, `"servers":[{"id":2,"cluster"`), "server 2 stands where"},
		"no servers":            {replace(`"record":{`, `"record":{},"was":{`), "unknown field"},
	} {
		t.Run(name, func(t *testing.T) {
			text := c.edit(string(marshal(t, replay.Save(look(), "v1"))))
			if _, err := replay.Read([]byte(text)); err == nil || !strings.Contains(err.Error(), c.says) || strings.ContainsAny(err.Error(), "\x1b\n") {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
}

func replace(old, with string) func(string) string {
	return func(s string) string { return strings.Replace(s, old, with, 1) }
}

// TestHostileFiles: each value of a file is replaced by each of some that no look has;
// what is read has an answer.
func TestHostileFiles(t *testing.T) {
	o := look()
	for i := range o.Servers {
		fill(reflect.ValueOf(&o.Servers[i]).Elem(), o.At)
		o.Servers[i].ID = o.Record.Servers[i].ID
	}
	var tree any
	if err := json.Unmarshal(marshal(t, replay.Save(o, "v1")), &tree); err != nil {
		t.Fatal(err)
	}
	tried, read := 0, 0
	change(tree, func() {
		data, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		tried++
		if o, err := replay.Read(data); err == nil {
			read++
			migration.Summarize(o)
			migration.Plan(o)
		}
	})
	t.Logf("%d files, %d were read", tried, read)
	if read == 0 || read == tried {
		t.Errorf("%d of %d were read: nothing is shown", read, tried)
	}
}

// change calls f with one value below v after the other replaced.
func change(v any, f func()) {
	hostile := []any{nil, "", "\x1b[2J", strings.Repeat("x", 1<<16), "answered", "leader", -1, 1 << 40, true, []any{}, map[string]any{}}
	try := func(old any, set func(any)) {
		for _, h := range hostile {
			set(h)
			f()
		}
		set(old)
		change(old, f)
	}
	switch v := v.(type) {
	case map[string]any:
		for key, old := range v {
			try(old, func(to any) { v[key] = to })
		}
	case []any:
		for i, old := range v {
			try(old, func(to any) { v[i] = to })
		}
	}
}

// FuzzRead: whatever stands in the file, the rules answer.
func FuzzRead(f *testing.F) {
	data, err := json.Marshal(replay.Save(look(), "v1"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	o := look()
	for i := range o.Servers {
		fill(reflect.ValueOf(&o.Servers[i]).Elem(), o.At)
		o.Servers[i].ID = o.Record.Servers[i].ID
	}
	if data, err = json.Marshal(replay.Save(o, "v1")); err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(_ *testing.T, data []byte) {
		if o, err := replay.Read(data); err == nil {
			migration.Summarize(o)
			migration.Plan(o)
		}
	})
}
