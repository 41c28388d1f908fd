package migration

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// full is a record in which nothing is left out: every pointer is set and every
// list has an element.
func full() Record {
	at := time.Date(2026, 11, 28, 5, 0, 0, 0, time.UTC)
	sure := func() *Confirmation { return &Confirmation{At: at, By: "me@laptop", How: "confirmed at the terminal"} }
	line := func() *Release {
		return &Release{Generation: 3, Start: EmptyStart("0f8fad5b-d9cb-469f-a165-70867728950e")}
	}
	proof := func() *Proof {
		return &Proof{Zxid: 0x500000001, Leader: ensemble.ID(1).Known(), At: at, Held: []ensemble.ID{1}, Complete: true}
	}
	files := func() *PlainFiles {
		return &PlainFiles{Secret: "zk1-conf-00", ZooCfg: true, JVMFlags: true, Files: []PlainFile{{Name: "1.jks", ID: ensemble.ID(1).Known(), From: FromSecret, Key: "1.1.jks"}}}
	}
	r := Record{
		APIVersion: RecordVersion, Kind: "Record", Name: "zk1", Namespace: "zk", EndpointsAPI: EndpointSlices,
		Settings: Settings{TickTimeMillis: 2000, InitLimit: 10, SyncLimit: 5, Version: "3.4.13"},
		Pods: PodOptions{
			Image: "zookeeper:3.4.13", Command: []string{"zkServer.sh", "start-foreground"}, StorageClass: "fast", StorageSize: "20Gi",
			Memory: "2Gi", CPU: "500m", JVMFlags: "-Xmx1g -Djute.maxbuffer=4194304", AntiAffinity: "required", RunAsUser: 1000, Template: `{"spec":{"priorityClassName":"high"}}`,
			ZooCfg: "tickTime=2000\ndataDir=/zookeeper/data\n", DynamicName: "zoo.cfg.dynamic.100000000", Dynamic: "server.1=10.0.0.1:2888:3888;2181\n",
			FilesSecret: "zk-files", FilesConfigMap: "zk-conf", PrivateSecret: "zk1-zkmigrate-private-00", Own: []OwnLines{{ID: 1, ZooCfg: "ssl.keyStore.location=/etc/zk/1.jks\n"}}, Plain: true, PlainFiles: files(),
		},
		Finalized: sure(),
		PodsBefore: &PodOptions{
			Image: "zookeeper:3.4.14", Command: []string{"zkServer.sh", "start-foreground"}, StorageClass: "fast", StorageSize: "20Gi",
			Memory: "2Gi", CPU: "500m", JVMFlags: "-Xmx1g", AntiAffinity: "preferred", RunAsUser: 1000, Template: `{"spec":{"priorityClassName":"low"}}`,
			ZooCfg: "tickTime=2000\ndataDir=/zookeeper/data\n", DynamicName: "zoo.cfg.dynamic.100000000", Dynamic: "server.1=10.0.0.1:2888:3888;2181\n",
			FilesSecret: "zk-files", FilesConfigMap: "zk-conf", PrivateSecret: "zk1-zkmigrate-private-00", Own: []OwnLines{{ID: 1, ZooCfg: "ssl.keyStore.location=/etc/zk/1.jks\n"}}, Plain: true, PlainFiles: files(),
		},
		Hosts:     HostOptions{Supervisor: "systemd", Unit: "zookeeper.service", Own: []OwnUnit{{ID: 1, Unit: "zk-a"}}, Address: AddressDNS, ClusterDomain: "cluster.local"},
		Elections: Elections{AtWrap: 1, AtReconfigure: 2, AtReplace: 3, AtReconfigured: 4},
		Waivers:   []Waiver{{Check: "ZK007", By: "me", Reason: "patched build", At: at}},
		Audit:     []AuditEntry{{At: at, By: "me", ID: ensemble.ID(1).Known(), Step: "mask-host", Detail: "done"}},
		Removal:   &Removal{Kind: Unpark, Started: at, By: "me", Claims: []ClaimRef{{ID: 1, UID: "u-1"}}, Assumed: []string{"volume-1"}},
		Flight: &Flight{
			Kind: Replace, ID: 1, Started: at, By: "me", Epoch: 5, WasLeader: true, Gate: 2, Patched: sure(), Aborted: "it would not start", Served: true,
			Proofs: Proofs{Before: proof(), After: proof(), Joined: proof()},
			Stopping: Stopping{Fenced: sure(), StopAsked: &at, DeadSince: &at, DeadReport: &PodReport{UID: "u-1", At: at}, ReportAtStop: &at,
				Paths: &Paths{At: at, PodUID: "u-1", Listened: true, Tried: []Path{{From: 2, To: 1, Port: 3888, State: vantage.PortOpen, Why: "no hook"}}}},
			Starting: Starting{
				Data: DataCopy, Seed: "3xabc", SeedAsked: &at, Released: &at, Kicked: &at, Line: line(), Renewing: &at, Renewals: 1, OutOfMemory: true, Returning: &at,
			},
			Leaving: Leaving{PodUID: "u-1", Reclaimed: &at, Cleared: &at, Unmasking: &at, Unfenced: sure()},
		},
	}
	for id := ensemble.ID(1); id <= 3; id++ {
		host := "10.0.0." + id.String()
		r.Servers = append(r.Servers, ServerRecord{
			Server: ensemble.Server{
				ID: id, Role: ensemble.Participant, PeerAddress: ensemble.PeerAddress{Host: host, PeerPort: 2888, ElectionPort: 3888},
				More: []ensemble.PeerAddress{{Host: "zk.example.com", PeerPort: 2889, ElectionPort: 3889}}, ClientAddress: "0.0.0.0", ClientPort: 2181,
				SecureClientPort: 2281, ObserverMasterPort: 2191, AdminPort: 8080, MetricsPort: 7000, Weight: 1, Group: 1,
			},
			HostIP: host, Service: "zk1-" + id.String(), ServiceUID: "u-" + id.String(), ClusterIP: "10.96.0." + id.String(), Ordinal: int(id) - 1,
			DataDir: "/var/lib/zookeeper", DataLogDir: "/var/log/zoo keeper", Emitted: &Emission{At: at, Epoch: 1, Digest: "9f86d081"},
			Reconfigured: sure(), Replaced: &at, Retired: sure(), Release: line(),
		})
	}
	return r
}

// TestEveryFieldHasARule walks the type: a field of the journal cannot be added
// without a rule for it, nor a rule kept for a field that is gone.
func TestEveryFieldHasARule(t *testing.T) {
	rules := fieldRules()
	seen := map[string]bool{}
	for at, v := range values(reflect.ValueOf(full())) {
		seen[at.key] = true
		if rules[at.key] == nil {
			t.Errorf("%s (%s) has no rule %s", at.path, v.Type(), at.key)
		}
	}
	for key := range rules {
		if !seen[key] {
			t.Errorf("the rule of %s is for no field, or the record of this test lacks it", key)
		}
	}
	if err := full().Validate(); err != nil {
		t.Errorf("a record as we write it is refused: %v", err)
	}
}

// TestTheFullRecordIsFull: the walk sees what is there, so everything must be.
func TestTheFullRecordIsFull(t *testing.T) {
	var look func(v reflect.Value, path string)
	look = func(v reflect.Value, path string) {
		if v.IsZero() {
			t.Errorf("%s is empty", path)
			return
		}
		switch v.Kind() {
		case reflect.Pointer:
			look(v.Elem(), path)
		case reflect.Slice:
			look(v.Index(0), path+"[]")
		case reflect.Struct:
			for i := 0; v.Type() != reflect.TypeFor[time.Time]() && i < v.NumField(); i++ {
				if name := v.Type().Field(i).Name; path != "Record.Servers[]" || name != "Ordinal" {
					look(v.Field(i), path+"."+name)
				}
			}
		}
	}
	look(reflect.ValueOf(full()), "Record")
}

// TestEqual holds two readings of one journal against each other, and against one
// in which the last field of a server is another.
func TestEqual(t *testing.T) {
	text, err := json.Marshal(full())
	if err != nil {
		t.Fatal(err)
	}
	var a, b Record
	if err := errors.Join(json.Unmarshal(text, &a), json.Unmarshal(text, &b)); err != nil {
		t.Fatal(err)
	}
	if !a.Equal(b) {
		t.Error("two readings of one journal differ")
	}
	if b.Servers[2].Release.Generation++; a.Equal(b) {
		t.Error("another generation is not seen")
	}
}

// TestHostileFieldsAreRefused puts hostile text into every text of the journal:
// what is not somebody's words is refused by its path, quoted.
func TestHostileFieldsAreRefused(t *testing.T) {
	free := map[string]bool{}
	for _, key := range notes() {
		free[key] = true
	}
	for _, bad := range []string{"'; touch pwned; '\x1b[2J", "/a\nb/$(touch pwned)\u202e", strings.Repeat("a", 300<<10)} {
		var texts []string
		for at, v := range values(reflect.ValueOf(full())) {
			if v.Kind() == reflect.String {
				texts = append(texts, at.path)
			}
		}
		if len(texts) < 60 {
			t.Fatalf("only %d texts in the journal", len(texts))
		}
		for _, target := range texts {
			rec := full()
			key := ""
			for at, v := range values(reflect.ValueOf(&rec).Elem()) {
				if at.path == target {
					key = at.key
					v.SetString(bad)
				}
			}
			err := rec.Validate()
			if free[key] && len(bad) < 1000 {
				if err != nil {
					t.Errorf("%s is somebody's words and is refused: %v", target, err)
				}
				continue
			}
			var field *FieldError
			if !errors.As(err, &field) || field.Field != target {
				t.Errorf("%s = %.40q: got %v", target, bad, err)
				continue
			}
			if text := err.Error(); len(text) > 800 || strings.ContainsAny(text, "\x1b\n\u202e") {
				t.Errorf("%s: the error is not harmless: %.200q", target, text)
			}
		}
	}
}

// TestNumbersOfTheJournal: what no server and no command of ours could have.
func TestNumbersOfTheJournal(t *testing.T) {
	for field, change := range map[string]func(*Record){
		"settings.tickTimeMillis":       func(r *Record) { r.Settings.TickTimeMillis = -1 },
		"settings.syncLimit":            func(r *Record) { r.Settings.SyncLimit = 1 << 40 },
		"servers[1].clientPort":         func(r *Record) { r.Servers[1].ClientPort = 70000 },
		"servers[0].secureClientPort":   func(r *Record) { r.Servers[0].SecureClientPort = 70000 },
		"servers[1].observerMasterPort": func(r *Record) { r.Servers[1].ObserverMasterPort = -1 },
		"servers[2].adminPort":          func(r *Record) { r.Servers[2].AdminPort = 1 << 20 },
		"servers[2].metricsPort":        func(r *Record) { r.Servers[2].MetricsPort = -7000 },
		"servers[0].weight":             func(r *Record) { r.Servers[0].Weight = -1 },
		"servers[0].id":                 func(r *Record) { r.Servers[0].ID = -1 },
		"servers[2].ordinal":            func(r *Record) { r.Servers[2].Ordinal = -1 },
		"servers[2].hostIP":             func(r *Record) { r.Servers[2].HostIP = "fe80::1%eth0" },
		"servers[2].release.start":      func(r *Record) { r.Servers[2].Release = &Release{Generation: 1, Start: "empty:$(id)"} },
		"flight.line.generation":        func(r *Record) { r.Flight.Line = &Release{Generation: -1} },
		"flight.started":                func(r *Record) { r.Flight.Started = time.Unix(1, 0) },
		"flight.renewals":               func(r *Record) { r.Flight.Renewals = -1 },
		"flight.after.leader":           func(r *Record) { r.Flight.After = &Proof{Leader: ensemble.ID(-999).Known()} },
		"flight.after.held[0]":          func(r *Record) { r.Flight.After.Held = []ensemble.ID{ensemble.MaxID + 1} },
		"audit[0].id":                   func(r *Record) { r.Audit[0].ID = ensemble.ID(-1).Known() },
		"pods.runAsUser":                func(r *Record) { r.Pods.RunAsUser = -1 },
		"pods.template":                 func(r *Record) { r.Pods.Template = "{\x1b}" },
		"pods.command":                  func(r *Record) { r.Pods.Command = make([]string, 100) },
		"audit":                         func(r *Record) { r.Audit = make([]AuditEntry, 5000) },
		"endpointsAPI":                  func(r *Record) { r.EndpointsAPI = "slices" },
		"hosts.supervisor":              func(r *Record) { r.Hosts.Supervisor = "runit" },
		"pods.antiAffinity":             func(r *Record) { r.Pods.AntiAffinity = "maybe" },
		"servers[0].more[0].host":       func(r *Record) { r.Servers[0].More[0].Host = "-oProxyCommand=x" },
		"servers[1].reconfigured.at": func(r *Record) {
			r.Servers[1].Reconfigured = &Confirmation{At: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}
		},
	} {
		rec := full()
		change(&rec)
		var f *FieldError
		if err := rec.Validate(); !errors.As(err, &f) || f.Field != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
}

// TestNotesAreTidied: an error text of any length does not make a journal
// that no command can read.
func TestNotesAreTidied(t *testing.T) {
	rec := full()
	for range 3 * maxAudit {
		rec.Note(AuditEntry{At: rec.Flight.Started, By: "me", Step: "mask-host", Detail: strings.Repeat("x", 1<<15)})
	}
	rec.Flight.Aborted = "no start\x1b[2J\nnext: reboot " + strings.Repeat("y", 1<<20)
	if err := rec.Validate(); err == nil {
		t.Fatal("notes of any length are accepted")
	}
	rec.TidyNotes()
	if err := rec.Validate(); err != nil {
		t.Error(err)
	}
	once := rec.Flight.Aborted
	if rec.TidyNotes(); rec.Flight.Aborted != once {
		t.Errorf("tidied twice: %q", rec.Flight.Aborted)
	}
	if !strings.HasPrefix(once, `no start\u001b[2J\nnext: reboot yyy`) || len(once) > 1000 {
		t.Errorf("kept is %q", once)
	}
}
