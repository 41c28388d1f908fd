package ensemble

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const baseCfg = "tickTime=2000\ndataDir=/data\nclientPort=2181\ninitLimit=10\nsyncLimit=5\n"

func config(t *testing.T, name, text string) *Config {
	t.Helper()
	c, err := ParseConfig(name, []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// hostFiles makes one file per host, each with a wildcard in its own line.
func hostFiles(t *testing.T, edit func(id ID, text string) string) []HostConfig {
	t.Helper()
	var out []HostConfig
	for id := ID(1); id <= 3; id++ {
		text := baseCfg
		for other := ID(1); other <= 3; other++ {
			host := "10.0.0." + other.String()
			if other == id {
				host = "0.0.0.0"
			}
			text += "server." + other.String() + "=" + host + ":2888:3888\n"
		}
		if edit != nil {
			text = edit(id, text)
		}
		name := "host" + id.String()
		out = append(out, HostConfig{Source: name, Config: config(t, name, text)})
	}
	return out
}

func member(id ID, host string) Server {
	return Server{ID: id, Role: Participant, PeerAddress: PeerAddress{host, 2888, 3888}, ClientPort: 2181, Weight: 1}
}

func TestFromHostsResolvesOwnWildcards(t *testing.T) {
	ens, diffs, err := FromHosts("zk", hostFiles(t, nil))
	if err != nil || len(diffs) > 0 {
		t.Fatal(err, diffs)
	}
	want := Ensemble{Name: "zk", Servers: []Server{member(1, "10.0.0.1"), member(2, "10.0.0.2"), member(3, "10.0.0.3")}}
	if diff := cmp.Diff(want, ens); diff != "" {
		t.Errorf("ensemble (-want +got):\n%s", diff)
	}
}

func TestFromHostsOwnPortsAndAddresses(t *testing.T) {
	files := hostFiles(t, func(id ID, text string) string {
		text = strings.Replace(text, "clientPort=2181", "clientPort=1218"+id.String(), 1)
		if id == 2 {
			text += "clientPortAddress=10.0.0.2\n"
		}
		return text
	})
	ens, diffs, err := FromHosts("zk", files)
	if err != nil || len(diffs) > 0 {
		t.Fatal(err, diffs)
	}
	for _, s := range ens.Servers {
		if want := 12180 + int(s.ID); s.ClientPort != want {
			t.Errorf("server %s: client port %d, want %d", s.ID, s.ClientPort, want)
		}
		if want := map[bool]string{true: "10.0.0.2"}[s.ID == 2]; s.ClientAddress != want {
			t.Errorf("server %s: client address %q, want %q", s.ID, s.ClientAddress, want)
		}
	}
}

// TestFromHostsResolvesOwnLoopback has the file of a host whose own name leads
// to 127.0.1.1, as Debian sets it up.
func TestFromHostsResolvesOwnLoopback(t *testing.T) {
	ens, diffs, err := FromHosts("zk", hostFiles(t, func(_ ID, text string) string { return strings.Replace(text, "0.0.0.0", "127.0.1.1", 1) }))
	if err != nil || len(diffs) > 0 {
		t.Fatal(err, diffs)
	}
	if diff := cmp.Diff([]Server{member(1, "10.0.0.1"), member(2, "10.0.0.2"), member(3, "10.0.0.3")}, ens.Servers); diff != "" {
		t.Errorf("servers (-want +got):\n%s", diff)
	}
}

func TestFromHostsOnOneMachine(t *testing.T) {
	files := hostFiles(t, func(_ ID, text string) string { return strings.ReplaceAll(text, "10.0.0.", "127.0.0.") })
	ens, diffs, err := FromHosts("zk", files)
	if err != nil || len(diffs) > 0 {
		t.Fatal(err, diffs)
	}
	if diff := cmp.Diff([]Server{member(1, "127.0.0.1"), member(2, "127.0.0.2"), member(3, "127.0.0.3")}, ens.Servers); diff != "" {
		t.Errorf("servers (-want +got):\n%s", diff)
	}
}

func TestFromHostsOneFileForAll(t *testing.T) {
	c := config(t, "zoo.cfg", baseCfg+"server.3=c:2888:3888\nserver.1=a:2888:3888\nserver.2=b:2888:3888\n")
	ens, diffs, err := FromHosts("zk", []HostConfig{{Source: "zoo.cfg", Config: c}})
	if err != nil || len(diffs) > 0 {
		t.Fatal(err, diffs)
	}
	if diff := cmp.Diff([]Server{member(1, "a"), member(2, "b"), member(3, "c")}, ens.Servers); diff != "" {
		t.Errorf("servers (-want +got):\n%s", diff)
	}
}

func TestFromHostsDifferences(t *testing.T) {
	tests := map[string]struct {
		edit func(id ID, text string) string
		want []string
	}{
		"a setting": {
			func(id ID, text string) string { return text + "jute.maxbuffer=" + id.String() + "\n" },
			[]string{"jute.maxbuffer differs: host1: 1; host2: 2; host3: 3"},
		},
		"a setting that one host lacks": {
			func(id ID, text string) string {
				if id == 2 {
					return text + "maxClientCnxns=100\n"
				}
				return text
			},
			[]string{"maxClientCnxns differs: host1: 60; host2: 100; host3: 60"},
		},
		"a default spelt out is no difference": {
			func(id ID, text string) string {
				if id == 2 {
					return text + "maxClientCnxns=60\n"
				}
				return text
			}, nil,
		},
		"a host's own bind address and directory are no difference": {
			func(id ID, text string) string {
				return strings.Replace(text, "/data", "/data"+id.String(), 1) + "clientPortAddress=10.0.0." + id.String() + "\n"
			}, nil,
		},
		"a port": {
			func(id ID, text string) string {
				if id == 1 {
					return strings.Replace(text, "10.0.0.2:2888", "10.0.0.2:2889", 1)
				}
				return text
			},
			[]string{"server.2 ports differs: host1: 2889:3888; host2: 2888:3888; host3: 2888:3888"},
		},
		"a role": {
			func(id ID, text string) string {
				if id == 1 {
					return strings.Replace(text, "10.0.0.3:2888:3888", "10.0.0.3:2888:3888:observer", 1)
				}
				return text
			},
			[]string{"server.3 role differs: host1: observer; host2: participant; host3: participant"},
		},
		"an address two hosts disagree on": {
			func(id ID, text string) string {
				if id == 1 {
					return strings.Replace(text, "10.0.0.3", "10.0.0.33", 1)
				}
				return text
			},
			[]string{"server.3 address differs: host1: 10.0.0.33; host2: 10.0.0.3"},
		},
		"weights": {
			func(id ID, text string) string {
				return text + "group.1=1:2:3\nweight.1=" + id.String() + "\n"
			},
			[]string{"server.1 weight differs: host1: 1; host2: 2; host3: 3"},
		},
		"an id": {
			func(id ID, text string) string {
				if id == 1 {
					return text + "server.4=10.0.0.4:2888:3888\n"
				}
				return text
			},
			[]string{"server ids differs: host1: 1,2,3,4; host2: 1,2,3; host3: 1,2,3"},
		},
		"passwords stay hidden": {
			func(id ID, text string) string {
				return text + "DigestAuthenticationProvider.superDigest=" + strings.Repeat("secret", int(id)) + "\n"
			},
			[]string{"DigestAuthenticationProvider.superDigest differs: host1: <hidden>; host2: <hidden>; host3: <hidden>"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, diffs, err := FromHosts("zk", hostFiles(t, tc.edit))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range diffs {
				got = append(got, d.String())
				if d.Why == "" {
					t.Errorf("%s: no reason", d.Key)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("differences (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFromHostsRefuses(t *testing.T) {
	three := baseCfg + "server.1=a:2888:3888\nserver.2=b:2888:3888\nserver.3=c:2888:3888\n"
	wild := strings.Replace(three, "=a:", "=0.0.0.0:", 1)
	tests := map[string]struct {
		files []HostConfig
		want  string
	}{
		"nothing":                  {nil, "no configuration given"},
		"a standalone server":      {[]HostConfig{{Source: "h", Config: config(t, "h", baseCfg)}}, "a standalone server is no ensemble"},
		"an id that is not listed": {[]HostConfig{{ID: ID(9).Known(), Source: "h", Config: config(t, "h", three)}}, "no line for its own server 9"},
		"an id given twice": {[]HostConfig{{ID: ID(1).Known(), Source: "h1", Config: config(t, "h1", three)},
			{ID: ID(1).Known(), Source: "h2", Config: config(t, "h2", three)}}, "h2: server 1 was given already by h1"},
		"the same wildcard in two files": {[]HostConfig{{Source: "h1", Config: config(t, "h1", wild)},
			{Source: "h2", Config: config(t, "h2", wild)}}, "h2: server 1 was given already by h1"},
		"a wildcard nobody resolves": {[]HostConfig{{Source: "h1", Config: config(t, "h1", wild)}}, "h1:6: no file says where server 1 is"},
		"a loopback address nobody resolves": {[]HostConfig{{ID: ID(2).Known(), Source: "h1", Config: config(t, "h1", strings.Replace(three, "=a:", "=localhost:", 1))}},
			"h1:6: no file says where server 1 is"},
		"a .next file": {[]HostConfig{{Source: "h1", Next: true, Config: config(t, "h1", three)}}, "a reconfiguration has not ended"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := FromHosts("zk", tc.files)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got %v, want an error with %q", err, tc.want)
			}
		})
	}
}

func TestDynamicVersionsMustAgree(t *testing.T) {
	var files []HostConfig
	for id, version := range map[ID]string{1: "100000000", 2: "100000000", 3: "200000003"} {
		zoo := strings.Replace(baseCfg, "clientPort=2181\n", "dynamicConfigFile=/c/zoo.cfg.dynamic."+version+"\n", 1)
		c, err := ParseConfig("zoo.cfg", []byte(zoo), []byte("server.1=a:1:2;3\nserver.2=b:1:2;3\nserver.3=c:1:2;3\n"))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, HostConfig{ID: id.Known(), Source: "host" + id.String(), Config: c})
	}
	_, diffs, err := FromHosts("zk", files)
	if err != nil {
		t.Fatal(err)
	}
	if len(diffs) != 1 || diffs[0].String() != "dynamic configuration version differs: host1: 100000000; host2: 100000000; host3: 200000003" {
		t.Errorf("got %v", diffs)
	}
}

func TestMemberFlag(t *testing.T) {
	tests := map[string]struct {
		want Server
		err  string
	}{
		"1=zk1.example.com:2888:3888;2181": {want: member(1, "zk1.example.com")},
		"1=zk1.example.com:2888:3888":      {want: member(1, "zk1.example.com")},
		" server.2 = zk2:2888:3888 ":       {want: member(2, "zk2")},
		"255=[2001:db8::1]:1:2:observer;[::]:3": {want: Server{ID: 255, Role: Observer, Weight: 1,
			PeerAddress: PeerAddress{"2001:db8::1", 1, 2}, ClientAddress: "::", ClientPort: 3}},
		"zk1:2888:3888":            {err: "member has no id"},
		"-1=zk1:2888:3888":         {err: "must be a whole number from 0 to 4294967295"},
		"4294967296=zk1:2888:3888": {err: "must be a whole number from 0 to 4294967295"},
		"1=zk1:2888":               {err: "the election port is missing"},
		"1=zk1:2888:99999":         {err: "is not a whole number from 1 to 65535"},
		"1=zk1:2888:3888:watcher":  {err: "neither participant nor observer"},
		"1=":                       {err: "the host is missing"},
		"1=;;":                     {err: "empty"},
	}
	for text, tc := range tests {
		t.Run(text, func(t *testing.T) {
			got, err := MemberFlag(text)
			var in *InputError
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) || !errors.As(err, &in) || in.Want == "" {
					t.Fatalf("got %v, want an error with %q", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
