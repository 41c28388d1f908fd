package ensemble

import (
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
	} {
		if got := HideSecrets(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
