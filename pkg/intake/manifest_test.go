package intake

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/manifest"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestManifestOfARecord: what is printed of a record, read again, asks for that very record.
func TestManifestOfARecord(t *testing.T) {
	nobody := func(host string) ([]netip.Addr, error) {
		t.Errorf("%s is looked up", host)
		return nil, nil
	}
	for name, change := range map[string]func(*migration.Record){
		"as wrapped": func(*migration.Record) {},
		"an observer": func(r *migration.Record) {
			four := r.Servers[2]
			four.ID, four.HostIP, four.Role = 4, "198.51.100.4", ensemble.Observer
			r.Servers = append(r.Servers, four)
		},
		"weights":             func(r *migration.Record) { r.Servers[0].Weight, r.Servers[0].Group = 3, 1 },
		"more ports":          func(r *migration.Record) { r.Servers[0].SecureClientPort, r.Servers[0].AdminPort = 2281, 8080 },
		"a secure port alone": func(r *migration.Record) { r.Servers[0].ClientPort, r.Servers[0].SecureClientPort = 0, 2281 },
		"names, and endpoints": func(r *migration.Record) {
			r.Hosts.Address, r.EndpointsAPI = migration.AddressDNS, migration.LegacyEndpoints
		},
		"all settings": func(r *migration.Record) {
			r.Hosts = migration.HostOptions{Supervisor: "docker", Unit: "zk", Own: []migration.OwnUnit{{ID: 3, Unit: "zk-c"}}, Address: "dns", ClusterDomain: "x.example"}
			r.Pods = migration.PodOptions{Image: "3.8", StorageClass: "fast", StorageSize: "1Gi", Memory: "2", CPU: "0.5", JVMFlags: "-Xmx1g -Da=: b", AntiAffinity: "preferred", RunAsUser: 7, FilesSecret: "s", FilesConfigMap: "c", ZooCfg: "x"}
			r.Waivers = []migration.Waiver{{Check: "ZK002"}}
		},
		"patches were handed out": func(r *migration.Record) { r.Servers[0].Emitted = &migration.Emission{At: time.Unix(1, 0)} },
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			rec := recorded()
			rec.EndpointsAPI = migration.EndpointSlices
			change(&rec)
			text, err := manifest.Print(Manifest(rec))
			if err != nil {
				t.Fatal(err)
			}
			doc, err := manifest.Parse("f", text)
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			aim := Aim{Name: doc.Metadata.Name, Namespace: doc.Metadata.Namespace, EndpointsAPI: migration.EndpointsAPI(doc.Spec.EndpointsAPI), Asked: true, Recorded: &rec}
			got, err := aim.Record(FromManifest(rec.Name, doc), nobody)
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			given := func(string) bool { return true }
			h, p := doc.Spec.Hosts, doc.Spec.Pods
			hosts := HostFlags{Given: given}
			hosts.Values, _ = UnitNames(h.Unit)
			hosts.Values.Supervisor, hosts.Values.Address, hosts.Values.ClusterDomain = h.Supervisor, doc.Spec.Address, doc.Spec.ClusterDomain
			if err := hosts.Keep(&got); err != nil {
				t.Error(err)
			}
			got.Pods.Image, got.Pods.StorageClass, got.Pods.StorageSize, got.Pods.Memory, got.Pods.CPU = p.Image, p.StorageClass, p.StorageSize, p.Memory, p.CPU
			got.Pods.JVMFlags, got.Pods.AntiAffinity, got.Pods.RunAsUser, got.Pods.FilesSecret, got.Pods.FilesConfigMap = p.JVMFlags, p.AntiAffinity, p.RunAsUser, p.Files.Secret, p.Files.ConfigMap
			Waive(&got, doc.Spec.Waive, "x", time.Time{})
			if diff := cmp.Diff(rec, got); diff != "" {
				t.Errorf("another record (-is +asked for):\n%s\n%s", diff, text)
			}
			if undone := Undone(rec, doc, func(string) bool { return false }); len(undone) > 0 {
				t.Errorf("not recorded: %q", undone)
			}
		})
	}
}

// TestUndone: what a manifest asks for and is not recorded is told with its line, unless the
// command takes it over.
func TestUndone(t *testing.T) {
	rec := recorded()
	rec.Pods.Memory, rec.Hosts.Unit = "2Gi", "zk"
	doc, err := manifest.Parse("f", []byte("apiVersion: zkmigrate.io/v1alpha1\nkind: Ensemble\nspec:\n  hosts: {unit: [zoo], path: x}\n  pods:\n    memory: 4Gi\n    cpu: 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	got := Undone(rec, doc, func(flag string) bool { return flag == "unit" })
	if diff := cmp.Diff([]string{"f:6: spec.pods.memory is 4Gi, 2Gi is recorded"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestLinesThatWereHandedOut: wrap does not change what stands in the lists of servers that
// were patched, but may change how they are started.
func TestLinesThatWereHandedOut(t *testing.T) {
	for name, c := range map[string]struct {
		emitted bool
		to      migration.HostOptions
		refused bool
	}{
		"before":              {false, migration.HostOptions{Address: "dns"}, false},
		"another address":     {true, migration.HostOptions{Address: "dns"}, true},
		"the default by name": {true, migration.HostOptions{Address: "ip", ClusterDomain: "x.example"}, false},
		"another unit":        {true, migration.HostOptions{Unit: "zk"}, false},
	} {
		rec := recorded()
		if c.emitted {
			rec.Servers[1].Emitted = &migration.Emission{}
		}
		f := HostFlags{Values: c.to, Given: func(flag string) bool { return flag != "unit" || c.to.Unit != "" }}
		if err := f.Keep(&rec); (err != nil) != c.refused || err == nil && !cmp.Equal(rec.Hosts, c.to) {
			t.Errorf("%s: %v, %+v", name, err, rec.Hosts)
		}
	}
}

// TestServersByAddress: what the pods would lack without the hosts' files is refused.
func TestServersByAddress(t *testing.T) {
	for ports, says := range map[string]string{
		"clientPort: 0": "f:5: no client port that others reach", "clientPort: 0, secureClientPort: 2281": "server 1 has a client port with TLS: give the hosts' files", "clientPort: 2182": "",
	} {
		text := "apiVersion: zkmigrate.io/v1alpha1\nkind: Ensemble\nspec:\n  servers:\n"
		for _, id := range []string{"1", "2", "3"} {
			text += "  - {id: " + id + ", host: 10.0.0." + id + ", peerPort: 2888, electionPort: 3888, " + ports + "}\n"
		}
		doc, err := manifest.Parse("f", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		rec, err := Aim{Name: "zk1"}.Record(FromManifest("zk1", doc), nil)
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) || err == nil && rec.Servers[2].ClientPort != 2182 {
			t.Errorf("%s: %v", ports, err)
		}
	}
}

// TestAnotherEndpointsAPI is refused: Services keep what they stand on.
func TestAnotherEndpointsAPI(t *testing.T) {
	rec := recorded()
	rec.EndpointsAPI = migration.EndpointSlices
	a := Aim{Name: rec.Name, EndpointsAPI: migration.LegacyEndpoints, Asked: true, Recorded: &rec}
	if _, err := a.Record(Description{}, nil); err == nil || !strings.Contains(err.Error(), "is wrapped with endpointslices") {
		t.Errorf("%v", err)
	}
}

// TestDeclareFiles: one file for all, or each server's; not what came out of a pipe.
func TestDeclareFiles(t *testing.T) {
	one, two := ensemble.HostConfig{Source: "a"}, ensemble.HostConfig{ID: ensemble.ID(2).Known(), Source: "b"}
	for name, c := range map[string]struct {
		hosts []ensemble.HostConfig
		want  string
	}{
		"none": {nil, "[h]"}, "one": {[]ensemble.HostConfig{one}, "a[]"}, "whose is not known": {[]ensemble.HostConfig{one, two}, "[h]"},
		"each": {[]ensemble.HostConfig{{ID: ensemble.ID(1).Known(), Source: "c"}, two}, "[c b]"}, "a pipe": {[]ensemble.HostConfig{{Source: "stdin"}}, "[h]"},
	} {
		e := manifest.Ensemble{Spec: manifest.Spec{Servers: []manifest.Server{{Host: "h"}}}}
		DeclareFiles(&e, c.hosts, func(source string) bool { return source != "stdin" })
		var names []string
		for _, s := range e.Spec.Servers {
			names = append(names, s.ZooCfg+s.Host)
		}
		if got := e.Spec.ZooCfg + "[" + strings.Join(names, " ") + "]"; got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestImpossibleAddresses: two servers cannot be at one address, however it is spelled, by
// whatever they are given, and the manifest's line is named.
func TestImpossibleAddresses(t *testing.T) {
	for name, c := range map[string]struct {
		servers [3]string
		want    string
	}{
		"one address":    {[3]string{"host: 10.1.0.1, peerPort: 1, electionPort: 2", "host: 10.1.0.1, peerPort: 1, electionPort: 2", "host: 10.1.0.3, peerPort: 1, electionPort: 2"}, "f:6: server 2: 10.1.0.1:1 is also the peer address of server 1 (expected each address and port once)"},
		"zeros":          {[3]string{"host: 'fd00::1', peerPort: 1, electionPort: 2", "host: 'fd00:0::1', peerPort: 1, electionPort: 2", "host: 10.1.0.3, peerPort: 1, electionPort: 2"}, "f:6: server 2: [fd00::1]:1 is also"},
		"IPv4 in IPv6":   {[3]string{"host: '::ffff:10.1.0.1', peerPort: 1, electionPort: 2", "host: 10.1.0.1, peerPort: 1, electionPort: 2", "host: 10.1.0.3, peerPort: 1, electionPort: 2"}, "f:6: server 2: 10.1.0.1:1 is also"},
		"client port":    {[3]string{"host: a, peerPort: 1, electionPort: 2", "host: A., peerPort: 3, electionPort: 4", "host: b, peerPort: 1, electionPort: 2"}, "f:6: server 2: a:2181 is also the client address of server 1"},
		"its own ports":  {[3]string{"host: a, peerPort: 1, electionPort: 1", "host: b, peerPort: 1, electionPort: 2", "host: c, peerPort: 1, electionPort: 2"}, "f:5: server 1: peer port and election port are both 1 (expected two ports)"},
		"peer is client": {[3]string{"host: a, peerPort: 1, electionPort: 2, clientPort: 1", "host: b, peerPort: 1, electionPort: 2", "host: c, peerPort: 1, electionPort: 2"}, "f:5: server 1: port 1 is both its client and its peer port"},
		"fine":           {[3]string{"host: a, peerPort: 1, electionPort: 2", "host: a, peerPort: 3, electionPort: 4, clientPort: 5", "host: b, peerPort: 1, electionPort: 2"}, ""},
	} {
		text := "apiVersion: zkmigrate.io/v1alpha1\nkind: Ensemble\nspec:\n  servers:\n"
		var members []string
		for i, s := range c.servers {
			text += fmt.Sprintf("  - {id: %d, %s}\n", i+1, s)
		}
		doc, err := manifest.Parse("f", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range doc.Spec.Servers {
			host := s.Host
			if strings.Contains(host, ":") {
				host = "[" + host + "]"
			}
			member := fmt.Sprintf("%d=%s:%d:%d", s.ID, host, s.PeerPort, s.ElectionPort)
			if s.ClientPort != nil {
				member += fmt.Sprintf(";%d", *s.ClientPort)
			}
			members = append(members, member)
		}
		byFlags, err := FromMembers("demo", members)
		if err != nil {
			t.Fatal(err)
		}
		for place, d := range map[string]Description{"f:": FromManifest("demo", doc), "--member:": byFlags} {
			err := RefuseLint(d)
			want := c.want
			if place != "f:" && want != "" {
				want = place + want[len("f:5:"):]
			}
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %s", name, err, want)
			}
		}
	}
}
