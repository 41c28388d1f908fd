package ensemble

import (
	"bytes"
	"strings"
	"testing"
)

func TestParseConfigReportsEveryProblem(t *testing.T) {
	text := "dataDir=/x\nserver.a=b\nserver.1=foo:2888\nserver.2=[::1:2:3\ntickTime=x\ninitLimit=1\nsyncLimit=1\n"
	_, err := ParseConfig("zoo.cfg", []byte(text), nil)
	if err == nil {
		t.Fatal("accepted")
	}
	lines := strings.Split(err.Error(), "\n")
	for i, want := range []string{"zoo.cfg:2: ", "zoo.cfg:3: ", "zoo.cfg:4: ", "zoo.cfg:5: "} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], want) {
			t.Errorf("line %d of the error should begin with %q:\n%v", i, want, err)
		}
	}
}

func TestDynamicVersion(t *testing.T) {
	tests := map[string]string{
		"/c/zoo.cfg.dynamic.10000002f": "10000002f", "zoo.cfg.dynamic.0": "0", "zoo.cfg.dynamic.00A": "a",
		"zoo.cfg.dynamic": "", "zoo": "", "zoo.": "", "x.11112222333344445": "",
	}
	for name, want := range tests {
		if got := (&Config{DynamicConfigFile: name}).DynamicVersion(); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestParseConfigNeedsTheDynamicFile(t *testing.T) {
	zoo := []byte("dataDir=/x\ninitLimit=1\nsyncLimit=1\ndynamicConfigFile=/c/zoo.cfg.dynamic.1\n")
	if name, err := DynamicFileName("zoo.cfg", zoo); err != nil || name != "/c/zoo.cfg.dynamic.1" {
		t.Errorf("%q, %v", name, err)
	}
	if _, err := ParseConfig("zoo.cfg", zoo, nil); err == nil || !strings.Contains(err.Error(), "zoo.cfg:4: the server list is in another file") {
		t.Errorf("got %v", err)
	}
	if _, err := ParseConfig("zoo.cfg", []byte("dataDir=/x\n"), []byte("server.1=a:1:2\n")); err == nil || !strings.Contains(err.Error(), "no dynamicConfigFile line") {
		t.Errorf("got %v", err)
	}
}

// TestLintByVersion has the findings that depend on the release; the corpus
// has the others.
func TestLintByVersion(t *testing.T) {
	tests := map[string]struct {
		extra, version, code string
		want                 Severity
	}{
		"blank, 3.4":            {"server.4=d:2888:3888 ", "3.4.13", "trailing-blank", ""},
		"blank, 3.5":            {"server.4=d:2888:3888 ", "3.5.9", "trailing-blank", SeverityError},
		"blank, unknown":        {"server.4=d:2888:3888 ", "", "trailing-blank", SeverityWarning},
		"blank behind a role":   {"server.4=d:2888:3888:observer ", "3.8.0", "trailing-blank", SeverityWarning},
		"client part, 3.4":      {"server.4=d:2888:3888;2181", "3.4.13", "client-part", SeverityError},
		"client part, 3.5":      {"server.4=d:2888:3888;2181", "3.5.9", "client-part", ""},
		"weight, 3.4":           {"weight.1=2", "3.4.13", "weight-without-group", SeverityWarning},
		"weight, 3.5":           {"weight.1=2", "3.5.9", "weight-without-group", SeverityError},
		"bool, 3.6":             {"quorumListenOnAllIPs=yes", "3.6.2", "bool-value", SeverityWarning},
		"bool, 3.7":             {"quorumListenOnAllIPs=yes", "3.7.0", "bool-value", SeverityError},
		"bool, right":           {"quorumListenOnAllIPs=TRUE", "3.7.0", "bool-value", ""},
		"a key of tomorrow":     {"db.autocreate=false", "3.5.9", "key-too-new", SeverityWarning},
		"a key of today":        {"db.autocreate=false", "3.6.2", "key-too-new", ""},
		"min session, 3.4":      {"minSessionTimeout=4000", "3.4.13", "min-session-alone", SeverityError},
		"min session, 3.5":      {"minSessionTimeout=4000", "3.5.9", "min-session-alone", ""},
		"several addresses 3.5": {"server.4=d:2888:3888|e:2888:3888", "3.5.9", "multi-address", SeverityError},
		"several addresses 3.6": {"server.4=d:2888:3888|e:2888:3888", "3.6.2", "multi-address", SeverityWarning},
		"kerberos, required":    {"quorum.auth.kerberos.servicePrincipal=zk/_HOST\nquorum.auth.enableSasl=true\nquorum.auth.serverRequireSasl=true", "", "kerberos-peers", SeverityWarning},
		"kerberos":              {"quorum.auth.kerberos.servicePrincipal=zk/_HOST", "", "kerberos-host", SeverityWarning},
		"tls":                   {"sslQuorum=true", "", "tls-names", SeverityWarning},
		"loopback client port":  {"clientPortAddress=127.0.0.1", "", "client-loopback", SeverityWarning},
		"client port by name":   {"clientPortAddress=zk1", "", "client-bind", SeverityWarning},
		"client port, literal":  {"clientPortAddress=10.0.0.1", "", "client-bind", ""},
		"link-local":            {"server.4=169.254.1.1:2888:3888", "", "bad-host", SeverityError},
		"a number too large":    {"server.4=10.0.0.256:2888:3888", "", "bad-host", SeverityError},
		"a strange name":        {"server.4=zk(4):2888:3888", "", "bad-host", SeverityError},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			c := config(t, "zoo.cfg", baseCfg+"server.1=a:2888:3888\nserver.2=b:2888:3888\nserver.3=c:2888:3888\n"+tc.extra+"\n")
			var got Severity
			for _, f := range Lint(c, podInput(tc.version).Version) {
				if f.Code == tc.code {
					got = f.Severity
					if f.Line == 0 || f.Text == "" || f.AsError().Line != f.Line {
						t.Errorf("no line in %+v", f)
					}
				}
			}
			if got != tc.want {
				t.Errorf("%s is %q, want %q", tc.code, got, tc.want)
			}
		})
	}
}

// FuzzConfig checks that no input makes the reader panic, and that what it
// accepts can be turned into a pod's file that it accepts as well.
func FuzzConfig(f *testing.F) {
	for _, c := range readCorpus(f) {
		f.Add(c.zooCfg, c.dynamic)
	}
	f.Fuzz(func(t *testing.T, zooCfg, dynamic []byte) {
		if len(dynamic) == 0 {
			dynamic = nil
		}
		c, err := ParseConfig("f", zooCfg, dynamic)
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Fatal("an error without a text")
			}
			return
		}
		if !bytes.Equal(c.Props.Bytes(), zooCfg) {
			t.Fatal("bytes changed")
		}
		Lint(c, Version{})
		if _, _, err := FromHosts("f", []HostConfig{{Source: "f", Config: c}}); err != nil {
			return
		}
		in := PodConfigInput{ServiceHosts: map[ID]string{}, DataDir: "/data"}
		for _, s := range c.Servers {
			in.ServiceHosts[s.ID] = "10.96.0.1"
		}
		pod, _, err := PodConfig(c, in)
		if err != nil {
			return
		}
		_, podDynamic, err := PodDynamic(c, in)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseConfig("pod", pod, podDynamic)
		if err != nil {
			t.Fatalf("%v\nfrom\n%q\nmade\n%q", err, zooCfg, pod)
		}
		if len(again.Servers) != len(c.Servers) {
			t.Fatalf("%d servers became %d", len(c.Servers), len(again.Servers))
		}
		for i, s := range again.Servers {
			was := c.Servers[i]
			if s.ID != was.ID || s.Role != was.Role || s.PeerPort != was.PeerPort || s.ElectionPort != was.ElectionPort ||
				s.Weight != was.Weight || s.Group != was.Group || s.Host != "10.96.0.1" {
				t.Fatalf("%+v became %+v", was, s)
			}
		}
	})
}

func FuzzMember(f *testing.F) {
	for _, s := range []string{"1=zk1:2888:3888;2181", "2=[::1]:1:2:observer;[::]:3", "3=a:1:2|b:1:2", "255=::;;", "=", "1=[]:1:2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := MemberFlag(text)
		if err != nil {
			return
		}
		line, err := parseServerLine(javaTrim(text[strings.IndexByte(text, '=')+1:]))
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseServerLine(line.String())
		if err != nil || again.String() != line.String() {
			t.Fatalf("%q is written as %q and read as %v, %v", text, line, again, err)
		}
		if s.PeerPort < 1 || s.ElectionPort < 1 || s.Host == "" {
			t.Fatalf("%q: %+v", text, s)
		}
	})
}

func FuzzVersionAndZxid(f *testing.F) {
	f.Add("3.4.13-6--1, built on 05/10/2019", "0x100000000")
	f.Fuzz(func(t *testing.T, version, zxid string) {
		if v, err := ParseVersion(version); err == nil && (v.Major < 0 || v.Minor < 0 || v.Patch < 0) {
			t.Fatalf("%q: %v", version, v)
		}
		if z, err := ParseZxid(zxid); err == nil {
			if again, err := ParseZxid(z.String()); err != nil || again != z {
				t.Fatalf("%q: %v, %v", zxid, again, err)
			}
		}
	})
}
