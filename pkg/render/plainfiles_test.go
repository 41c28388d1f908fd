package render

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

const jaasFile = `Server {
	org.apache.zookeeper.server.auth.DigestLoginModule required
	user_client="word"; // not "/etc/zookeeper/zk.keytab"
};
QuorumServer {
	com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true keyTab="/etc/zookeeper/zk.keytab" principal="zk/\"a\"@EXAMPLE.COM";
};
`

// tlsRecord is an ensemble with passwords in zoo.cfg, a key store of each server, JVM flags that
// nobody may read, and a JAAS file that names a key tab; and what holds them.
func tlsRecord(t *testing.T, change ...func(*migration.Record)) (migration.Record, PlainSources) {
	t.Helper()
	rec := record(change...)
	rec.Pods.FilesSecret, rec.Pods.FilesConfigMap = "main-files", "main-public"
	rec.Pods.ZooCfg += "ssl.keyStore.location=/etc/zookeeper/keystore.p12\nssl.trustStore.location=/etc/zookeeper/truststore.p12\n"
	rec.Pods.Own = []migration.OwnLines{{ID: 2, ZooCfg: "admin.serverPort=8081\n"}, {ID: 5}, {ID: 9}}
	rec.Pods.JVMFlags += " -Djava.security.auth.login.config=/etc/zookeeper/jaas.conf -Dcost=$(POD_NAME)"
	private, err := Private(rec, PrivateLines{All: "ssl.keyStore.password=store-secret\n", Own: map[ensemble.ID]string{5: "ssl.trustStore.password=own-secret"}})
	if err != nil {
		t.Fatal(err)
	}
	rec.Pods.PrivateSecret = private.Name
	return rec, PlainSources{
		Private: private.Data,
		Secret: map[string][]byte{
			"2.keystore.p12": []byte("two"), "keystore.p12": []byte("all"), "9.keystore.p12": []byte("nine"), "0.keystore.p12": []byte("nobody's"),
			"jaas.conf": []byte(jaasFile), "2.zk.keytab": []byte("t2"), "5.zk.keytab": []byte("t5"), "9.zk.keytab": []byte("t9"),
			"jvm-flags": []byte("# for the stores\n-Djavax.net.ssl.trustStore=/etc/zookeeper/truststore.p12\r\n-Djavax.net.ssl.trustStorePassword=flag-secret\n"),
		},
		ConfigMap: map[string][]byte{"truststore.p12": []byte("public"), "keystore.p12": []byte("not this one")},
	}
}

// TestPlainFiles: pods have what their configuration names, where it names it, and nothing
// secret is anywhere but in a Secret.
func TestPlainFiles(t *testing.T) {
	rec, from := tlsRecord(t)
	files, secret, err := MakePlainFiles(rec, from)
	if err != nil {
		t.Fatal(err)
	}
	rec.Pods.PlainFiles = files
	objects, err := Left(rec)
	if err != nil {
		t.Fatal(err)
	}
	out, err := YAML(objects)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "final-files.yaml", out)
	for _, word := range []string{"store-secret", "own-secret", "flag-secret"} {
		if bytes.Contains(out, []byte(word)) {
			t.Errorf("%s is shown", word)
		}
	}
	data := map[string]string{}
	for key, text := range secret.Data {
		data[key] = string(text)
	}
	for key, want := range map[string][]string{
		"main-pod-0.zoo.cfg":   {"ssl.keyStore.location=/zkmigrate/files/main-pod-0/keystore.p12\n", "ssl.trustStore.location=/zkmigrate/files/truststore.p12\n", "admin.serverPort=8081\n", "ssl.keyStore.password=store-secret\n"},
		"main-pod-1.zoo.cfg":   {"ssl.keyStore.location=/zkmigrate/files/main-pod-1/keystore.p12\n", "ssl.keyStore.password=store-secret\nssl.trustStore.password=own-secret\n"},
		"main-pod-2.jaas.conf": {`keyTab="/zkmigrate/files/main-pod-2/zk.keytab" principal="zk/\"a\"@EXAMPLE.COM";` + "\n", `// not "/etc/zookeeper/zk.keytab"`},
		"jvm-flags":            {"-Djavax.net.ssl.trustStore=/zkmigrate/files/truststore.p12 -Djavax.net.ssl.trustStorePassword=flag-secret"},
	} {
		for _, line := range want {
			if !strings.Contains(data[key], line) {
				t.Errorf("%s lacks %q:\n%s", key, line, data[key])
			}
		}
	}
	if strings.Contains(data["main-pod-0.zoo.cfg"], "own-secret") || strings.Contains(data["jvm-flags"], "#") {
		t.Errorf("%q", data)
	}

	// Every path that anything names is one that the volume has for that pod.
	i := slices.IndexFunc(objects, func(o Object) bool { _, ok := o.(*appsv1.StatefulSet); return ok })
	set, _ := objects[i].(*appsv1.StatefulSet)
	for _, s := range rec.Servers {
		pod := PodName(rec.Name, s.Ordinal)
		has := mounted(rec, set.Spec.Template.Spec, from, secret)
		text := data[pod+".zoo.cfg"] + data[pod+".jaas.conf"] + data["jvm-flags"]
		for _, e := range set.Spec.Template.Spec.Containers[0].Env {
			text += " " + strings.ReplaceAll(e.Value, "$(POD_NAME)", pod)
		}
		for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("= \n\"", r) }) {
			if strings.HasPrefix(word, "/zkmigrate/") && has[word] == "" {
				t.Errorf("server %d: nothing is at %s", s.ID, word)
			}
		}
		want := map[ensemble.ID]string{2: "two", 5: "all", 9: "nine"}[s.ID]
		if got := has["/zkmigrate/files/"+pod+"/keystore.p12"]; got != want {
			t.Errorf("server %d has the key store %q, want %q", s.ID, got, want)
		}
	}
}

// mounted is what is in the volumes of pods, by path.
func mounted(rec migration.Record, spec corev1.PodSpec, from PlainSources, ours *corev1.Secret) map[string]string {
	out := map[string]string{}
	for _, v := range spec.Volumes {
		if v.Projected == nil {
			continue
		}
		for _, p := range v.Projected.Sources {
			data, items := from.ConfigMap, []corev1.KeyToPath(nil)
			switch {
			case p.ConfigMap != nil:
				items = p.ConfigMap.Items
			case p.Secret.Name == rec.Pods.FilesSecret:
				data, items = from.Secret, p.Secret.Items
			default:
				data, items = ours.Data, p.Secret.Items
			}
			for _, item := range items {
				out["/zkmigrate/files/"+item.Path] = string(data[item.Key])
			}
		}
	}
	return out
}

// TestPlainFilesName: the Secret is named by all that is in it, and the record with it.
func TestPlainFilesName(t *testing.T) {
	names := map[string]bool{}
	for _, change := range []func(*migration.Record, *PlainSources){
		func(*migration.Record, *PlainSources) {},
		func(_ *migration.Record, from *PlainSources) { from.Secret["jvm-flags"] = []byte("-Da=b") },
		func(_ *migration.Record, from *PlainSources) { from.Secret["jaas.conf"] = []byte(jaasFile + "\n") },
		func(r *migration.Record, _ *PlainSources) { r.Pods.ZooCfg += "maxClientCnxns=7\n" },
	} {
		rec, from := tlsRecord(t)
		change(&rec, &from)
		files, secret, err := MakePlainFiles(rec, from)
		if err != nil {
			t.Fatal(err)
		}
		if names[secret.Name] || files.Secret != secret.Name || secret.Immutable == nil || !strings.HasPrefix(secret.Name, "main-conf-") {
			t.Errorf("%s, %+v", secret.Name, files)
		}
		names[secret.Name] = true
	}
}

// TestPlainFilesAlone: where servers share all files and nothing is secret, zoo.cfg is in a
// ConfigMap for everybody to see.
func TestPlainFilesAlone(t *testing.T) {
	rec := record(func(r *migration.Record) {
		r.Pods.FilesSecret, r.Pods.JVMFlags = "files", "-Djava.security.auth.login.config=/etc/zookeeper/jaas.conf"
		r.Pods.ZooCfg += "ssl.trustStore.location=/etc/zookeeper/trust.p12\n"
	})
	files, secret, err := MakePlainFiles(rec, PlainSources{Secret: map[string][]byte{"jaas.conf": []byte(`Server { user="x"; };`), "trust.p12": {1}}})
	if err != nil || secret != nil {
		t.Fatalf("%v, %v", secret, err)
	}
	before := Conf(plainOf(rec)).Name
	rec.Pods.PlainFiles = files
	if cm := Conf(plainOf(rec)); cm.Name != before || !strings.Contains(cm.Data["zoo.cfg"], "/zkmigrate/files/trust.p12") {
		t.Errorf("%s, before %s: %q", cm.Name, before, cm.Data)
	}
}

func plainOf(rec migration.Record) migration.Record {
	rec.Pods.Plain = true
	return rec
}

// TestNoPlainFiles: what a mount cannot do is refused, and says what can be done; what is
// missing is never left out silently.
func TestNoPlainFiles(t *testing.T) {
	for why, change := range map[string]func(*migration.Record, *PlainSources){
		"neither truststore.p12 nor 2.truststore.p12": func(_ *migration.Record, from *PlainSources) { delete(from.ConfigMap, "truststore.p12") },
		"neither keystore.p12 nor 5.keystore.p12":     func(_ *migration.Record, from *PlainSources) { from.Secret["5.keystore.p12"] = []byte{} },
		"jvm-flags differs":                           func(_ *migration.Record, from *PlainSources) { from.Secret["9.jvm-flags"] = []byte("-Da=b") },
		"or names a file that does": func(_ *migration.Record, from *PlainSources) {
			from.Secret["jvm-flags"] = []byte("-Djavax.net.ssl.keyStore=/etc/zookeeper/keystore.p12")
		},
		"somebody replaced Secret": func(_ *migration.Record, from *PlainSources) {
			from.Private = map[string][]byte{"zoo.cfg": []byte("a=b\n")}
		},
		"use one file for all servers": func(r *migration.Record, _ *PlainSources) { r.Pods.ZooCfg += "reconfigEnabled=true\n" },
	} {
		rec, from := tlsRecord(t)
		change(&rec, &from)
		if files, secret, err := MakePlainFiles(rec, from); err == nil || files != nil || secret != nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", why, err)
		}
	}
	rec, _ := tlsRecord(t)
	if _, err := Final(rec); err == nil {
		t.Error("pods are made without what they need")
	}
	if files, secret, err := MakePlainFiles(record(), PlainSources{}); files != nil || secret != nil || err != nil {
		t.Errorf("nothing is needed: %v, %v, %v", files, secret, err)
	}
}
