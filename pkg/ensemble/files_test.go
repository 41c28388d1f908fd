package ensemble

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFileRefs: what is named by an absolute path, under a name that is unambiguous for
// each server.
func TestFileRefs(t *testing.T) {
	const key, trust, flag = "ssl.keyStore.location=", "ssl.trustStore.location=", "-Djava.security.auth.login.config="
	for name, c := range map[string]struct {
		shared, flags string
		own           map[ID]string
		want          []FileRef
	}{
		"none":        {shared: "dataDir=/d\ndynamicConfigFile=/etc/zk/zoo.dynamic\nkinit=/usr/bin/kinit\n" + key + "relative.jks\n", flags: "-Xmx1g -Dlog4j.configuration=log4j.properties -Dx=/y"},
		"of all":      {shared: trust + "/etc/zk/trust.jks \n", want: []FileRef{{Name: "trust.jks", Path: "/etc/zk/trust.jks", By: "ssl.trustStore.location"}}},
		"a key store": {shared: key + "/etc/zk//key.jks\n", want: []FileRef{{Name: "key.jks", Path: "/etc/zk/key.jks", By: "ssl.keyStore.location", Own: true}}},
		"a flag, a URL": {flags: flag + "/etc/zk/jaas.conf -Dlog4j.configuration=file:/etc/zk/log4j.properties -Dzookeeper.ssl.trustStore.location=/t.jks", want: []FileRef{
			{Name: "jaas.conf", Path: "/etc/zk/jaas.conf", By: flag}, {Name: "log4j.properties", Path: "/etc/zk/log4j.properties", By: "-Dlog4j.configuration=file:"}, {Name: "t.jks", Path: "/t.jks", By: "-Dzookeeper.ssl.trustStore.location="}}},
		"two of one name": {shared: trust + "/etc/client/trust.jks\nssl.quorum.trustStore.location=/etc/quorum/trust.jks\n", want: []FileRef{
			{Name: "client-trust.jks", Path: "/etc/client/trust.jks", By: "ssl.trustStore.location"}, {Name: "quorum-trust.jks", Path: "/etc/quorum/trust.jks", By: "ssl.quorum.trustStore.location"}}},
		"hosts differ": {own: map[ID]string{1: trust + "/h1/trust.jks\n", 2: trust + "/h2/trust.jks\n"}, want: []FileRef{
			{Name: "trust.jks", Path: "/h1/trust.jks", By: "ssl.trustStore.location", Servers: []ID{1}}, {Name: "trust.jks", Path: "/h2/trust.jks", By: "ssl.trustStore.location", Servers: []ID{2}}}},
		"hosts are alike": {own: map[ID]string{1: trust + "/t.jks\n", 2: trust + "/t.jks\n"}, want: []FileRef{{Name: "t.jks", Path: "/t.jks", By: "ssl.trustStore.location"}}},
	} {
		got := FileRefs(c.shared, c.own, c.flags)
		if diff := cmp.Diff(c.want, got, cmp.Transformer("none", func(ids []ID) []ID { return append([]ID{}, ids...) })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		for _, f := range got {
			if mapped := MapFiles(f.By+"="+f.Path+"\n", got, "/files"); f.By[0] != '-' && mapped != f.By+"=/files/"+f.Name+"\n" {
				t.Errorf("%s: mapped to %q", name, mapped)
			}
			if mapped := MapFileFlags("-Xmx1g "+f.By+f.Path, got, "/files"); f.By[0] == '-' && mapped != "-Xmx1g "+f.By+"/files/"+f.Name {
				t.Errorf("%s: mapped to %q", name, mapped)
			}
		}
	}
}

// TestSplitSecrets: the values are in one half, and in no comment of the other.
func TestSplitSecrets(t *testing.T) {
	public, private, err := SplitSecrets([]byte("a=1\n# ssl.keyStore.password=old\nssl.keyStore.password = first\nssl.keyStore.password=a\\u0020b\nssl.keyStore.passwordPath=/p\n"))
	if err != nil || string(public) != "a=1\n# ssl.keyStore.password <hidden>\nssl.keyStore.passwordPath=/p\n" || string(private) != "ssl.keyStore.password=a b\n" {
		t.Errorf("%q %q %v", public, private, err)
	}
}

// TestHideSecrets: a value has any characters but blanks and quotes; those around it stay.
func TestHideSecrets(t *testing.T) {
	for text, want := range map[string]string{
		"-Xmx1g -Da.password=p,q;r -Db=c,d":        "-Xmx1g -Da.password=<hidden> -Db=c,d",
		"-Da.password=it's -Db=c":                  "-Da.password=<hidden> -Db=c",
		`is "-Da.password=p,q", was "-Db=c"`:       `is "-Da.password=<hidden>", was "-Db=c"`,
		`-Da.superDigest="s:p q" -Db=c`:            "-Da.superDigest=<hidden> -Db=c",
		"-javaagent:j.jar=port=1,password=p -Db=c": "-javaagent:j.jar=port=1,password=<hidden> -Db=c",
		"-Da.passwordPath=/p,q -Db.secret: p":      "-Da.passwordPath=/p,q -Db.secret: <hidden>",
		`{"password": "p q", "port": 1}`:           `{"password": <hidden>, "port": 1}`,
		`keyTab="/k" password="p\"q" x=1`:          `keyTab="/k" password=<hidden> x=1`,
		"-Dproxy=http://u:p@h:80/ -Db=c":           "-Dproxy=http://u:<hidden>@h:80/ -Db=c",
		"http://h:80/a@b tcp://10.0.0.1:2181":      "http://h:80/a@b tcp://10.0.0.1:2181",
	} {
		if got := HideSecrets(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestSecret: however a name is spelled, its words tell.
func TestSecret(t *testing.T) {
	for name, want := range map[string]bool{
		"ssl.keyStore.password": true, "zookeeper.ssl.quorum.trustStore.password": true, "javax.net.ssl.keyStorePassword": true, "SSL.KEYSTORE.PASSWORD": true,
		"ssl.keyStore.pass-word": true, "ssl.keyStore.pass_word": true, "ssl.keyStore.passPhrase": true, "ssl.keyStore.passcode": true, "ssl.keyStore.pwd": true, "ssl.keyStore.pass": true,
		"keyStorePass": true, "SSL_PASS": true, "storepass2": true, "DigestAuthenticationProvider.superDigest": true, "superUserPass": true, "api.token": true, "AUTH_TOKEN": true, "audit.credential": true, "client-secret": true,
		"ssl.keyStore.passwordPath": false, "com.sun.management.jmxremote.password.file": false, "keyStorePasswordFile": false, "ssl.keyStore.location": false, "connection_throttle_tokens": false,
		"bypass": false, "javax.security.auth.useSubjectCredsOnly": false, "superUser": false, "tickTime": false, "": false, "...": false,
	} {
		if got := Secret(name); got != want {
			t.Errorf("%q: %t", name, got)
		}
	}
	for _, key := range Keys() {
		if name := strings.TrimSuffix(key.Name, "*"); Secret(name) && !strings.Contains(strings.ToLower(name), "digest") {
			t.Errorf("%s of ZooKeeper counts as a secret", key.Name)
		}
	}
}

// TestSecretsInOddPlaces: values in values, joined lines and comments are in no text that people
// see and in no ConfigMap, and nothing else is lost.
// TestHostsAreNoSecrets: a host's name may have a word in it that settings are hidden for.
func TestHostsAreNoSecrets(t *testing.T) {
	for _, host := range []string{"zk1.secrets.example.com", "zk-token-1", "vault-secret", "pass", "zk.passwd"} {
		cfg := "dataDir=/d\nserver.1=" + host + ":2888:3888\n"
		public, private, err := SplitSecrets([]byte(cfg))
		if err != nil || string(public) != cfg || len(private) != 0 || HideSecretKeys(cfg) != cfg {
			t.Errorf("%s: %q, %q, %v; %q", host, public, private, err, HideSecretKeys(cfg))
		}
	}
	comment := "# The number of ticks that can pass between a token and its credentials\ndataDir=/d\n"
	if got := HideSecretKeys(comment); got != comment {
		t.Errorf("got %q", got)
	}
	for text, want := range map[string]string{
		"zk1.secrets.example.com:2181 is also the peer address": "zk1.secrets.example.com:2181 is also the peer address",
		"ssl.keyStore.password:12345":                           "ssl.keyStore.password:<hidden>",
		"my.token.value=12":                                     "my.token.value=<hidden>",
	} {
		if got := HideSecrets(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestSecretsInOddPlaces(t *testing.T) {
	const secret = "hunter2"
	for _, text := range []string{
		"flags=-Xmx1g -Djavax.net.ssl.keyStorePassword=hunter2\n", "sasl.jaas.config=a required password=\"hunter2\";\n", "audit.url=https://u:hunter2@h/\n",
		"foo=1\\\n  ssl.keyStore.password=hunter2\n", "foo=1\\\n  ssl.keyStore.pass\\\nword=hunter2\n", "foo=1\\\nssl.keyStore.p\\u0061ssword=hunter2\n",
		"foo=-Dx.password=hunter2\nfoo=1\n", "\f#ssl.keyStore.password=hunter2\n", "! pwd hunter2\n", "# curl https://u:hunter2@h/\n", "#ssl.keyStore.password=hunter2\r",
	} {
		zooCfg := "tickTime=2000\n" + text + "dataDir=/d\n"
		public, private, err := SplitSecrets([]byte(zooCfg))
		if err != nil {
			t.Fatal(err)
		}
		p, err := ParseProperties("zoo.cfg", []byte(zooCfg))
		if err != nil {
			t.Fatal(err)
		}
		shown := string(public) + HideSecretKeys(zooCfg)
		for _, key := range p.Keys() {
			shown += p.Text(key)
		}
		if strings.Contains(shown, secret) {
			t.Errorf("%q: %s", zooCfg, shown)
		}
		all, err := ParseProperties("zoo.cfg", append(public, private...))
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range p.Keys() {
			was, _ := p.Get(key)
			if is, _ := all.Get(key); is != was {
				t.Errorf("%q: %s was %q and is %q", zooCfg, key, was, is)
			}
		}
	}
}

// TestErrorsHideSecrets: what is wrong with a line is said without the password in it.
func TestErrorsHideSecrets(t *testing.T) {
	const head = "initLimit=10\nsyncLimit=5\ndataDir=/d\nclientPort=2181\n"
	for _, text := range []string{
		head + "tickTime=2000\\\nssl.keyStore.password=hunter2\n", head + "server.1=h:2888:3888\\\nssl.keyStore.password=hunter2\n", head + "server.1=h:2888:3888 password=hunter2\n",
		head + "ssl.keyStore.pass\\u00zzword=hunter2\n", head + "ssl.keyStore.password=\\u00zzhunter2\n", head + "syncLimit=5 ssl.keyStore.password=hunter2\n", head + "server.x password=hunter2\n",
		head + "dynamicConfigFile=/x\n",
	} {
		if _, err := ParseConfig("zoo.cfg", []byte(text), []byte("foo=x\\\nssl.keyStore.password=hunter2\n")); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
