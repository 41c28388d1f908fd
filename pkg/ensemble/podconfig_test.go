package ensemble

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func podInput(version string) PodConfigInput {
	v, err := ParseVersion(version)
	if err != nil {
		v = Version{}
	}
	return PodConfigInput{
		ServiceHosts: map[ID]string{1: "10.96.0.1", 2: "10.96.0.2", 3: "10.96.0.3"},
		Version:      v, DataDir: "/data", DataLogDir: "/datalog",
	}
}

const podBase = "tickTime=2000\ndataDir=/var/zk\nclientPort=2181\ninitLimit=10\nsyncLimit=5\n" +
	"server.1=zk1:2888:3888\nserver.2=zk2:2888:3888\nserver.3=zk3:2888:3888:observer\n"

const podServers = "server.1=10.96.0.1:2888:3888\nserver.2=10.96.0.2:2888:3888\nserver.3=10.96.0.3:2888:3888:observer\n"

func TestPodConfig(t *testing.T) {
	head := "tickTime=2000\ndataDir=/data\nclientPort=2181\ninitLimit=10\nsyncLimit=5\n" + podServers
	words := "4lw.commands.whitelist=srvr,stat,mntr,conf,cons,ruok,isro,wchs\n"
	tests := map[string]struct {
		extra, version, want string
		notes                []string
	}{
		"3.4 needs little":                {"", "3.4.13", head + "quorumListenOnAllIPs=true\n", []string{"dataDir", "quorumListenOnAllIPs"}},
		"3.5 has the whitelist":           {"", "3.5.9", head + "quorumListenOnAllIPs=true\n" + words, nil},
		"3.6 has the guard":               {"", "3.6.2", head + "quorumListenOnAllIPs=true\ndb.autocreate=false\n" + words, nil},
		"unknown takes it all":            {"", "", head + "quorumListenOnAllIPs=true\ndb.autocreate=false\n" + words, nil},
		"comments are carried":            {"# ours\n", "3.4.13", head + "# ours\nquorumListenOnAllIPs=true\n", nil},
		"bind addresses are not":          {"clientPortAddress=10.0.0.1\nadmin.serverAddress=10.0.0.1\nmetricsProvider.httpHost=10.0.0.1\nsecureClientPort=2281\nsecureClientPortAddress=10.0.0.1\n4lw.commands.whitelist=*\n", "3.6.2", head + "secureClientPort=2281\n4lw.commands.whitelist=*\nquorumListenOnAllIPs=true\ndb.autocreate=false\n", nil},
		"dangerous keys are not":          {"snapshot.trust.empty=true\ndb.autocreate=true\npeerType=observer\nquorumListenOnAllIPs=false\n4lw.commands.whitelist=*\n", "3.8.0", head + "db.autocreate=false\nquorumListenOnAllIPs=true\n4lw.commands.whitelist=*\n", nil},
		"logs that are apart stay apart":  {"dataLogDir=/disk2\n", "3.4.13", head + "dataLogDir=/datalog\nquorumListenOnAllIPs=true\n", []string{"dataLogDir"}},
		"any style becomes the plain one": {"  a : 1\\\n   2  \r\n# caf\xe9\r\n\r\nb\na=\\ 3\n", "3.4.13", head + "# café\n\nb=\na=3\nquorumListenOnAllIPs=true\n", nil},
		"a list is completed":             {"4lw.commands.whitelist=mntr, dump\n", "3.4.13", head + "4lw.commands.whitelist=mntr,dump,srvr,stat,conf,cons,ruok,isro,wchs\nquorumListenOnAllIPs=true\n", nil},
		"unknown keys with a note": {"my.key=1\nzookeeper.x=y\nforceSync=no\n", "3.4.13", head + "my.key=1\nzookeeper.x=y\nforceSync=no\nquorumListenOnAllIPs=true\n",
			[]string{"dataDir", "forceSync", "my.key", "quorumListenOnAllIPs", "zookeeper.x"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, notes, err := PodConfig(config(t, "zoo.cfg", podBase+tc.extra), podInput(tc.version))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, string(got)); diff != "" {
				t.Errorf("file (-want +got):\n%s", diff)
			}
			said := map[string]bool{}
			for _, n := range notes {
				said[n.Key] = true
			}
			for _, key := range tc.notes {
				if !said[key] {
					t.Errorf("no note about %s", key)
				}
			}
			if _, err := ParseConfig("pod", got, nil); err != nil {
				t.Errorf("the pod's file is not readable: %v", err)
			}
		})
	}
}

func TestPodConfigDoesNotTouchItsInput(t *testing.T) {
	c := config(t, "zoo.cfg", podBase)
	if _, _, err := PodConfig(c, podInput("3.8.0")); err != nil {
		t.Fatal(err)
	}
	if got := string(c.Props.Bytes()); got != podBase {
		t.Errorf("the host's file became\n%s", got)
	}
}

// TestPodConfigClientParts has what QuorumPeerConfig.setupClientPort refuses
// in a pod: a bind address that is the host's, and two ports for one server.
func TestPodConfigClientParts(t *testing.T) {
	tests := map[string]struct{ lines, want, gone string }{
		"the address goes, the port stays": {"server.1=zk1:2888:3888;10.0.0.1:2181\nserver.2=zk2:2888:3888;10.0.0.2:2181\nserver.3=zk3:2888:3888;2181\n",
			"server.1=10.96.0.1:2888:3888;2181", "10.0.0.1"},
		"own ports take clientPort's place": {"server.1=zk1:2888:3888;2181\nserver.2=zk2:2888:3888;2182\nserver.3=zk3:2888:3888;2183\n",
			"server.2=10.96.0.2:2888:3888;2182", "clientPort="},
		"a role of the first address stays": {"server.1=zk1:2888:3888:observer|zk1b:2889:3889\nserver.2=zk2:2888:3888\nserver.3=zk3:2888:3888\n",
			"server.1=10.96.0.1:2888:3888:observer\n", "zk1b"},
		"several addresses become one": {"server.1=zk1:2888:3888|zk1b:2889:3889:observer\nserver.2=zk2:2888:3888\nserver.3=zk3:2888:3888\n",
			"server.1=10.96.0.1:2888:3888:observer\n", "zk1b"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, _, err := PodConfig(config(t, "zoo.cfg", baseCfg+tc.lines), podInput("3.8.0"))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(got), tc.want) || strings.Contains(string(got), tc.gone) {
				t.Errorf("want %q and no %q:\n%s", tc.want, tc.gone, got)
			}
		})
	}
}

func TestPodConfigRefuses(t *testing.T) {
	tests := map[string]struct {
		edit func(*PodConfigInput)
		want string
	}{
		"a missing Service":               {func(in *PodConfigInput) { delete(in.ServiceHosts, 2) }, "server 2 has no Service address"},
		"a headless Service":              {func(in *PodConfigInput) { in.ServiceHosts[2] = "0.0.0.0" }, "cannot stand in a server list"},
		"two client ports for one server": {func(in *PodConfigInput) { in.ClientPort = 2182 }, "its line names client port 2181 and clientPort is 2182"},
		"an address of loopback":          {func(in *PodConfigInput) { in.ServiceHosts[2] = "::1" }, "cannot stand in a server list"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			in := podInput("3.8.0")
			tc.edit(&in)
			if _, _, err := PodConfig(config(t, "zoo.cfg", strings.Replace(podBase, "zk1:2888:3888", "zk1:2888:3888;2181", 1)), in); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestPodDynamic(t *testing.T) {
	zoo := strings.Replace(baseCfg, "clientPort=2181\n", "reconfigEnabled=true\ndynamicConfigFile=/etc/zk/zoo.cfg.dynamic.10000002f\n", 1)
	c, err := ParseConfig("zoo.cfg", []byte(zoo), []byte("server.1=zk1:2888:3888:participant;10.0.0.1:2181\nserver.2=zk2:2888:3888:participant;2181\nserver.3=zk3:2888:3888:observer;2181"))
	if err != nil {
		t.Fatal(err)
	}
	name, data, err := PodDynamic(c, podInput("3.8.0"))
	if err != nil {
		t.Fatal(err)
	}
	want := "server.1=10.96.0.1:2888:3888:participant;2181\nserver.2=10.96.0.2:2888:3888:participant;2181\nserver.3=10.96.0.3:2888:3888:observer;2181\n"
	if diff := cmp.Diff(want, string(data)); diff != "" || name != "zoo.cfg.dynamic.10000002f" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
	zooCfg, _, err := PodConfig(c, podInput("3.8.0"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(zooCfg), "dynamicConfigFile=/conf/zoo.cfg.dynamic.10000002f\n") || strings.Contains(string(zooCfg), "server.") {
		t.Errorf("zoo.cfg:\n%s", zooCfg)
	}
	if _, err := ParseConfig("pod", zooCfg, data); err != nil {
		t.Error(err)
	}
}

func TestWhitelist(t *testing.T) {
	all := "srvr,stat,mntr,conf,cons,ruok,isro,wchs"
	tests := map[string]struct {
		old     string
		set     bool
		version string
		want    string
		change  bool
	}{
		"3.4.9 has none":               {"", false, "3.4.9", "", false},
		"3.4.9 does not read it":       {"srvr", true, "3.4.9", "srvr", false},
		"3.4.13 allows all unset":      {"", false, "3.4.13", "", false},
		"3.4.13 set to little":         {"srvr", true, "3.4.13", all, true},
		"3.5.2 has none":               {"", false, "3.5.2", "", false},
		"3.5.3 allows srvr":            {"", false, "3.5.3", all, true},
		"3.9 set to a star":            {"srvr, *", true, "3.9.2", "srvr, *", false},
		"3.9 has all":                  {all, true, "3.9.2", all, false},
		"3.9 keeps the order":          {"dump,mntr,mntr", true, "3.9.2", "dump,mntr,srvr,stat,conf,cons,ruok,isro,wchs", true},
		"unknown release, unset":       {"", false, "", all, true},
		"empty counts as an empty one": {"", true, "3.8.0", all, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, change := Whitelist(tc.old, tc.set, podInput(tc.version).Version)
			if got != tc.want || change != tc.change {
				t.Errorf("got %q, %v, want %q, %v", got, change, tc.want, tc.change)
			}
		})
	}
}
