package strict

import (
	"strings"
	"testing"
)

func TestValues(t *testing.T) {
	long := strings.Repeat("a", 5000)
	for _, c := range []struct {
		name      string
		rule      func(string) string
		good, bad []string
	}{
		{"name", Name, []string{"zk1", "a-b"}, []string{"", "Zk", "1zk", "zk-", "a b", "a\n", "../x", "$(x)", long}},
		{"namespace", Namespace, []string{"zk", "1-a"}, []string{"", "a b", "A", "a.b", "-a", "a\n"}},
		{"object", Object, []string{"fast", "ip-10-0-0-1.eu.internal"}, []string{"", "A B", "a;b", "a\x1b"}},
		{"domain", Domain, []string{"cluster.local", "cluster.local."}, []string{"", ".", "a b", "a;b"}},
		{"address", Address, []string{"10.0.0.1", "fd00::1"}, []string{"", "host", "fe80::1%eth0", "fe80::1%$(x)", "10.0.0.1 ", "10.0.0.1:80", "0x7f.1"}},
		{"host", Host, []string{"zk1.example.com", "zk_1", "ZK1", "10.0.0.1", "fd00::1"}, []string{"", "-oProxyCommand=x", "a b", "a;b", "$(x)", "fe80::1%1", "a\n"}},
		{"uid", UID, []string{"0f8fad5b-d9cb-469f-a165-70867728950e"}, []string{"", "a b", "$(x)", "a\n", long}},
		{"token", Token, []string{"3xabc"}, []string{"", "A", "a b", "a;b", "$(x)", "a\n", "../a", long}},
		{"code", Code, []string{"ZK007", "mask-host", "sha256:ab"}, []string{"", "a b", "a\x1b", long}},
		{"path", Path, []string{"/", "/var/lib/zookeeper", "/data/with blank", "/it's", "/$(x)", "/日本", "/a..b"},
			[]string{"", "a", "-a", "/a/../b", "/..", "/a\nb", "/\x1b[2J", "/\u202ea", "/a\x00", "/\xff", "/" + long}},
		{"file", File, []string{"zoo.cfg.dynamic.100000000"}, []string{"", ".", "..", "a/b", "a b", "a\n", long}},
		{"unit", Unit, []string{"zookeeper", "zk@1.service", "group:zk", `a\x2db`, "/opt/zoo keeper/bin/zkServer.sh"}, []string{"", "-a", "a b", "a;b", "$(x)", "a\n", "bin/zk", "'"}},
		{"version", Version, []string{"3.4.13", "3.8.0-SNAPSHOT", "3.4.13-6--1", "3.9.3.1"}, []string{"", "3", "3.4", "3.4.", "3.4.x", "a.b.c", "3.4.13 ", "3.4.13\x1b", "3.4.$(x)", long}},
		{"quantity", Quantity, []string{"1", "20Gi", "500m", "1.5Gi", "1e3"}, []string{"", "0", "-1Gi", "lots", "1e99999", "1 Gi", "1Ki\n", "9999999999999999999999999"}},
		{"argument", Argument, []string{"zkServer.sh", "a b", "$(x)"}, []string{"", "a\nb", "\x1b", long}},
		{"jvm flags", JVMFlags, []string{"-Xmx1g", "-Xmx1g -Da=$HOME", "-XX:OnOutOfMemoryError=kill -9 %p"}, []string{"", "x", "-a\n-b", "-a\x1b", strings.Repeat("-a ", 10000)}},
		{"config", Config, []string{"", "a=b\n\tc=d\n"}, []string{"a=\x1b", "a=\u202e", "a=\r\n", "\xff", strings.Repeat("a", 300<<10)}},
		{"note", Note, []string{"", "anything \x1b at all\n"}, []string{strings.Repeat("a", 20<<10)}},
		{"image", Image, []string{
			"zookeeper", "zookeeper:3.8.4", "library/zookeeper", "localhost/zk", "localhost:5000/zk:1", "reg.example.com:443/a/b-c__d.e:3.8_x",
			"zookeeper@sha256:" + strings.Repeat("0a", 32), "reg/zk:1@sha256:" + strings.Repeat("0a", 32), "10.0.0.1:5000/zk", "[fd00::1]:5000/zk:1",
		}, []string{
			"", "a b", "A/zk", "zk:", "zk:-a", "zk: a", "/zk", "zk/", "a//b", "-a", "a-", "a._b", "zk@sha256:xyz", "zk@", "zk:1:2", "zk\n", "$(x)", "zk;x", "http://reg/zk", "../zk", "[fe80::1%1]:5000/zk", long,
		}},
	} {
		for _, v := range c.good {
			if want := c.rule(v); want != "" {
				t.Errorf("%s: %.80q is refused: expected %s", c.name, v, want)
			}
		}
		for _, v := range c.bad {
			if c.rule(v) == "" {
				t.Errorf("%s: %.80q is accepted", c.name, v)
			}
		}
	}
}
