package ensemble

import (
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text string
		want func(*Spec)
	}{
		{"demo", func(*Spec) {}},
		{"demo,version=3.4.13,ids=9:2:5", func(s *Spec) { s.Version = "3.4.13"; s.IDs = []int{2, 5, 9} }},
		{"demo,observers=9", func(s *Spec) { s.IDs = []int{1, 2, 3, 9}; s.Observers = []int{9} }},
		{"demo,client-port=12181,quorum-port=12888,election-port=13888", func(s *Spec) {
			s.ClientPort, s.QuorumPort, s.ElectionPort = 12181, 12888, 13888
		}},
		{"demo,zoo-cfg-line=autopurge.purgeInterval=1,zoo-cfg-line=maxClientCnxns=0,share-host=true", func(s *Spec) {
			s.ZooCfgLines = []string{"autopurge.purgeInterval=1", "maxClientCnxns=0"}
			s.SharedHost = true
		}},
		{"demo,heap=512", func(s *Spec) { s.HeapMiB = 512 }},
		{"demo,names=true,tls=quorum:client-only,san=*.pods.test,san=10.0.0.9,secure-port=2381", func(s *Spec) {
			s.Names, s.TLS, s.SANs, s.SecureClientPort = true, []string{"quorum", "client-only"}, []string{"*.pods.test", "10.0.0.9"}, 2381
		}},
		{"demo,version=3.4.13,sasl=digest", func(s *Spec) { s.Version, s.SASL = "3.4.13", "digest" }},
		{"demo,sasl=kerberos", func(s *Spec) { s.SASL, s.Names = "kerberos", true }},
		{"demo,version=3.9.3,dynamic=true", func(s *Spec) { s.Version, s.Dynamic = "3.9.3", true }},
	} {
		want := DefaultSpec("demo")
		c.want(&want)
		got, err := Parse(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", c.text, got, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, says := range map[string]string{
		"":                                      "name",
		"Demo":                                  "name",
		"demo,ids=1:1:2":                        "twice",
		"demo,ids=-1:1:2":                       "from 0 to 4294967295",
		"demo,ids=1,observers=1":                "voter",
		"demo,version=3.7.0":                    "the lab has",
		"demo,colour=red":                       "settings are",
		"demo,ids":                              "key=value",
		"demo,client-port=0":                    "port",
		"demo,client-port=2888":                 "clash",
		"demo,heap=1":                           "128 MiB",
		"demo,zoo-cfg-line=x":                   "key=value",
		"demo,version=3.4.13,dynamic=true":      "3.5 and later",
		"demo,share-host=true,quorum-port=2182": "clash",
		"demo,tls=all":                          "client-only",
		"demo,tls=":                             "client-only",
		"demo,version=3.4.13,tls=quorum":        "no TLS",
		"demo,sasl=plain":                       "digest and kerberos",
		"demo,san=x":                            "tls=",
		"demo,tls=client,secure-port=2181":      "clash",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: got %v, want an error that says %q", text, err, says)
		}
	}
}

func TestRenderZooCfg(t *testing.T) {
	spec, err := Parse("demo,ids=2:5,observers=9,zoo-cfg-line=snapCount=1000")
	if err != nil {
		t.Fatal(err)
	}
	servers := spec.Servers(func(i, id int) Server {
		return Server{Machine: "m", Address: []string{"10.0.0.1", "10.0.0.2", "10.0.0.3"}[i], Dir: "/lab"}
	})
	got := spec.RenderZooCfg(servers[2], servers)
	want := `# ZooKeeper server 9 of ensemble demo
tickTime=2000
initLimit=10
syncLimit=5
dataDir=/lab/data
clientPort=2181
4lw.commands.whitelist=srvr,stat,mntr,conf,cons,ruok,wchs,isro
peerType=observer
snapCount=1000

server.2=10.0.0.1:2888:3888
server.5=10.0.0.2:2888:3888
server.9=10.0.0.3:2888:3888:observer
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestRenderZooCfgOfDynamicEnsemble(t *testing.T) {
	spec, err := Parse("demo,dynamic=true,observers=9,ids=2:5")
	if err != nil {
		t.Fatal(err)
	}
	servers := spec.Servers(func(i, _ int) Server {
		return Server{Machine: "m", Address: []string{"10.0.0.1", "10.0.0.2", "10.0.0.3"}[i], Dir: "/lab"}
	})
	got := spec.RenderZooCfg(servers[0], servers)
	for _, line := range []string{"reconfigEnabled=true", "server.2=10.0.0.1:2888:3888:participant;2181", "server.9=10.0.0.3:2888:3888:observer;2181"} {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("no line %s in\n%s", line, got)
		}
	}
}

func TestRenderZooCfgOfSecuredEnsemble(t *testing.T) {
	for text, want := range map[string]string{
		"demo,ids=1,tls=quorum:client": `dataDir=/lab/data
clientPort=2181
4lw.commands.whitelist=srvr,stat,mntr,conf,cons,ruok,wchs,isro
serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory
secureClientPort=2281
ssl.keyStore.location=/etc/zookeeper/keystore.p12
ssl.keyStore.password=lab-store-secret
ssl.trustStore.location=/etc/zookeeper/truststore.p12
ssl.trustStore.password=lab-store-secret
sslQuorum=true
ssl.quorum.keyStore.location=/etc/zookeeper/keystore.p12
ssl.quorum.keyStore.password=lab-store-secret
ssl.quorum.trustStore.location=/etc/zookeeper/truststore.p12
ssl.quorum.trustStore.password=lab-store-secret

server.1=10.0.0.1:2888:3888
`,
		"demo,ids=1,tls=client-only,names=true": `dataDir=/lab/data
4lw.commands.whitelist=srvr,stat,mntr,conf,cons,ruok,wchs,isro
serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory
secureClientPort=2281
ssl.keyStore.location=/etc/zookeeper/keystore.p12
ssl.keyStore.password=lab-store-secret
ssl.trustStore.location=/etc/zookeeper/truststore.p12
ssl.trustStore.password=lab-store-secret

server.1=demo-1.zklab.test:2888:3888
`,
		"demo,ids=1,sasl=kerberos": `dataDir=/lab/data
clientPort=2181
4lw.commands.whitelist=srvr,stat,mntr,conf,cons,ruok,wchs,isro
quorum.auth.enableSasl=true
quorum.auth.learnerRequireSasl=true
quorum.auth.serverRequireSasl=true
authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider
sessionRequireClientSASLAuth=true
quorum.auth.kerberos.servicePrincipal=zookeeper/_HOST

server.1=demo-1.zklab.test:2888:3888
`,
		"demo,ids=1,version=3.4.13,sasl=digest": `dataDir=/lab/data
clientPort=2181
4lw.commands.whitelist=srvr,stat,mntr,conf,cons,ruok,wchs,isro
quorum.auth.enableSasl=true
quorum.auth.learnerRequireSasl=true
quorum.auth.serverRequireSasl=true
authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider

server.1=10.0.0.1:2888:3888
`,
	} {
		spec, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		servers := spec.Servers(func(int, int) Server { return Server{Address: "10.0.0.1", Dir: "/lab"} })
		if got := spec.RenderZooCfg(servers[0], servers); !strings.HasSuffix(got, "syncLimit=5\n"+want) {
			t.Errorf("%s: got\n%s\nwant at the end\n%s", text, got, want)
		}
	}
}

func TestSharedHostCountsPortsUp(t *testing.T) {
	spec, err := Parse("demo,share-host=true")
	if err != nil {
		t.Fatal(err)
	}
	servers := spec.Servers(func(int, int) Server { return Server{Address: "10.0.0.1"} })
	last := servers[2]
	if last.ClientPort != 2183 || last.QuorumPort != 2890 || last.ElectionPort != 3890 || last.AdminPort != 8082 {
		t.Errorf("third server has the ports %+v", last)
	}
	if !strings.Contains(spec.RenderZooCfg(last, servers), "admin.serverPort=8082\n") {
		t.Error("servers that share a host must not share the AdminServer's port")
	}
}
