package ensemble

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPorts: each port by its name, in an order that never changes; an observer has neither
// of those that only voters bind.
func TestPorts(t *testing.T) {
	s := Server{Role: Participant, ClientPort: 2181, PeerAddress: PeerAddress{PeerPort: 2888, ElectionPort: 3888}}
	plain := []Port{{PortClient, 2181}, {PortPeer, 2888}, {PortElection, 3888}}
	if diff := cmp.Diff(plain, s.Ports()); diff != "" {
		t.Error(diff)
	}
	s.SecureClientPort, s.ObserverMasterPort, s.AdminPort, s.MetricsPort = 2281, 2191, 8080, 7000
	all := append(plain, Port{PortSecureClient, 2281}, Port{PortObserverMaster, 2191}, Port{PortAdmin, 8080}, Port{PortMetrics, 7000})
	if diff := cmp.Diff(all, s.Ports()); diff != "" {
		t.Error(diff)
	}
	s.Role = Observer
	if diff := cmp.Diff([]Port{all[0], all[2], all[3], all[5], all[6]}, s.Ports()); diff != "" {
		t.Error(diff)
	}
	for number, want := range map[int]PortName{2181: PortClient, 7000: PortMetrics, 2888: "", 9: ""} {
		if got := s.PortName(number); got != want {
			t.Errorf("port %d is %q, want %q", number, got, want)
		}
	}
}

const (
	portsHead  = "tickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir=/d\n"
	portsLines = "server.1=a:2:3\nserver.2=b:2:3\nserver.3=c:2:3\n"
)

// hostsOf are the files of hosts 1, 2, ...; one file stands for all of them.
func hostsOf(t *testing.T, texts ...string) []HostConfig {
	t.Helper()
	var out []HostConfig
	for i, text := range texts {
		name := "h" + ID(i+1).String()
		h := HostConfig{Source: name, Config: config(t, name, portsHead+text+portsLines)}
		if len(texts) > 1 {
			h.ID = ID(i + 1).Known()
		}
		out = append(out, h)
	}
	return out
}

// TestPortsOfHosts: each host's own file has its ports, and one that differs from what all
// pods would have is found by file and line.
func TestPortsOfHosts(t *testing.T) {
	const plain = "clientPort=2181\n"
	for name, c := range map[string]struct {
		files []string
		want  []Port // of server 2
		finds []string
	}{
		"one file for all": {[]string{plain + "secureClientPort=2281\nobserverMasterPort=2191\n"},
			[]Port{{PortClient, 2181}, {PortPeer, 2}, {PortElection, 3}, {PortSecureClient, 2281}, {PortObserverMaster, 2191}}, nil},
		"loopback is nobody else's": {[]string{plain + "secureClientPort=2281\nsecureClientPortAddress=::1\n"},
			[]Port{{PortClient, 2181}, {PortPeer, 2}, {PortElection, 3}}, nil},
		"a host's own ports": {[]string{plain + "secureClientPort=2281\n", "clientPort=2182\nsecureClientPort=2282\n", plain},
			[]Port{{PortClient, 2182}, {PortPeer, 2}, {PortElection, 3}, {PortSecureClient, 2282}},
			[]string{`h2:5: server 2 has client port 2182, the one zoo.cfg of all pods would have 2181`, `h3:8: server 3 has secure client port 0, the one zoo.cfg of all pods would have 2281`}},
		"no plain port":        {[]string{"clientPort=0\n", plain, "secureClientPort=2281\n"}, []Port{{PortClient, 2181}, {PortPeer, 2}, {PortElection, 3}}, []string{"h1:5: no client port that others reach", "server 2 has client port 2181", "server 3 has secure client port 2281"}},
		"one port for two":     {[]string{plain + "observerMasterPort=2181\n"}, nil, []string{"h1:7: server 1: port 2181 is both its client and its observer-master port", "server 2: port", "server 3: port"}},
		"the client is a peer": {[]string{"clientPort=2\n"}, nil, []string{"h1:6: server 1: port 2 is both its client and its peer port", "server 2: port", "server 3: port"}},
	} {
		t.Run(name, func(t *testing.T) {
			files := hostsOf(t, c.files...)
			e, _, err := FromHosts("zk", files)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, e.Servers[1].Ports()); c.want != nil && diff != "" {
				t.Error(diff)
			}
			var found []string
			for _, f := range LintPorts(e, files) {
				found = append(found, f.String())
			}
			if len(found) != len(c.finds) {
				t.Fatalf("%d findings, want %d: %q", len(found), len(c.finds), found)
			}
			for _, want := range c.finds {
				if !strings.Contains(strings.Join(found, "\n"), want) {
					t.Errorf("%q is not among %q", want, found)
				}
			}
		})
	}
}

// TestExpose: the ports of administrators come from the hosts' files, alike on all.
func TestExpose(t *testing.T) {
	const plain, prometheus = "clientPort=2181\n", "metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider\n"
	both := Exposable()
	for name, c := range map[string]struct {
		files          []string
		names          []PortName
		admin, metrics int
		err            string
	}{
		"nothing asked for":       {files: []string{plain + prometheus}},
		"by default":              {files: []string{plain + prometheus}, names: both, admin: 8080, metrics: 7000},
		"as the file has it":      {files: []string{plain + prometheus + "admin.serverPort=8081\nmetricsProvider.httpPort=7071\n"}, names: both, admin: 8081, metrics: 7071},
		"one of them":             {files: []string{plain}, names: []PortName{PortAdmin}, admin: 8080},
		"no AdminServer":          {files: []string{plain + "admin.enableServer=false\n"}, names: both, err: `h1:6: the AdminServer is off`},
		"no provider":             {files: []string{plain}, names: both, err: "h1: no metrics provider that listens"},
		"another provider":        {files: []string{plain + "metricsProvider.className=org.example.Other\n"}, names: both, err: "h1:6: no metrics provider that listens"},
		"no port":                 {files: []string{plain + "admin.serverPort=none\n"}, names: both, err: `h1:6: admin port "none" is not a whole number`},
		"hosts that differ":       {files: []string{plain, plain + "admin.serverPort=8081\n", plain}, names: both, err: "h2:6: server 2 has its admin port at 8081, and others at 8080"},
		"none of what is exposed": {files: []string{plain}, names: []PortName{PortPeer}, err: "none that is exposed"},
	} {
		t.Run(name, func(t *testing.T) {
			files := hostsOf(t, c.files...)
			e, _, err := FromHosts("zk", files)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Expose(e, files, c.names)
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Fatalf("got %v, want %q", err, c.err)
			}
			if s := got.Servers[2]; s.AdminPort != c.admin || s.MetricsPort != c.metrics || e.Servers[2].AdminPort != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// TestHas: which release has which port.
func TestHas(t *testing.T) {
	for text, want := range map[string][]PortName{
		"3.4.13": {PortClient, PortPeer, PortElection},
		"3.5.9":  {PortClient, PortPeer, PortElection, PortSecureClient, PortAdmin},
		"3.8.0":  {PortClient, PortPeer, PortElection, PortSecureClient, PortObserverMaster, PortAdmin, PortMetrics},
	} {
		v, err := ParseVersion(text)
		if err != nil {
			t.Fatal(err)
		}
		var got []PortName
		for _, name := range []PortName{PortClient, PortPeer, PortElection, PortSecureClient, PortObserverMaster, PortAdmin, PortMetrics} {
			if v.Has(name) {
				got = append(got, name)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}
