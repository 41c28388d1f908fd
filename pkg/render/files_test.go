package render

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// secured is a record whose configuration names files, differs from server to server and
// has private lines.
func secured() migration.Record {
	rec := record()
	rec.Pods.ZooCfg = "dataDir=" + migration.PodDataDir + "\nssl.trustStore.location=/etc/zk/trust.jks\n"
	rec.Pods.JVMFlags = "-Xmx1g -Djava.security.auth.login.config=/etc/zk/jaas.conf"
	rec.Pods.Own = []migration.OwnLines{{ID: 1, ZooCfg: "ssl.keyStore.location=/etc/pki/host1.jks\n"}, {ID: 2, ZooCfg: "ssl.keyStore.location=/etc/pki/host2.jks\n"}}
	rec.Pods.FilesSecret, rec.Pods.PrivateSecret = "zk-files", "main-zkmigrate-private-0011223344556677"
	return rec
}

func TestFilesOfPods(t *testing.T) {
	rec := secured()
	conf := Conf(rec)
	for key, want := range map[string]string{
		"zoo.cfg":   "ssl.trustStore.location=/zkmigrate/files/trust.jks\n",
		"1.zoo.cfg": "ssl.keyStore.location=/zkmigrate/files/host1.jks\n",
		"2.zoo.cfg": "ssl.keyStore.location=/zkmigrate/files/host2.jks\n",
	} {
		if !strings.Contains(conf.Data[key], want) {
			t.Errorf("%s has no line %q:\n%s", key, want, conf.Data[key])
		}
	}
	template, err := podTemplate(rec)
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{}
	for _, e := range template.Spec.Containers[0].Env {
		env[e.Name] = e.Value
	}
	if got, want := env[filesEnv], "trust.jks\t/etc/zk/trust.jks\n1/host1.jks\t/etc/pki/host1.jks\n2/host2.jks\t/etc/pki/host2.jks\njaas.conf\t/etc/zk/jaas.conf"; got != want {
		t.Errorf("%s is %q, want %q", filesEnv, got, want)
	}
	if got, want := env["SERVER_JVMFLAGS"], "-Xmx1g -Djava.security.auth.login.config=/zkmigrate/files/jaas.conf"; got != want {
		t.Errorf("SERVER_JVMFLAGS is %q, want %q", got, want)
	}
	mounts := map[string]string{}
	for _, m := range template.Spec.Containers[0].VolumeMounts {
		mounts[m.Name] = m.MountPath
	}
	for _, v := range template.Spec.Volumes {
		if v.Secret != nil && (mounts[v.Name] == "" || *v.Secret.DefaultMode != 0o440) {
			t.Errorf("volume %s is mounted at %q with mode %o", v.Name, mounts[v.Name], *v.Secret.DefaultMode)
		}
	}
	for _, m := range template.Spec.Containers[1].VolumeMounts {
		if m.Name == privateVolume || m.Name == filesSecretVolume {
			t.Errorf("the relay has %s", m.Name)
		}
	}
	other := template.Spec.DeepCopy()
	for i := range other.Volumes {
		if other.Volumes[i].Secret != nil {
			other.Volumes[i].Secret = &corev1.SecretVolumeSource{SecretName: "another"}
		}
	}
	drift, err := TemplateDrift(rec, *other)
	if err != nil || len(drift) != 2 {
		t.Errorf("other Secrets: %v %v, want two differences", drift, err)
	}
}

// TestPrivateIsNamedByContent: the same lines have the same name, others another one, and
// nothing of them is in it.
func TestPrivateIsNamedByContent(t *testing.T) {
	rec := secured()
	name := func(all, own string) string {
		s, err := Private(rec, PrivateLines{All: all, Own: map[ensemble.ID]string{1: own}})
		if err != nil {
			t.Fatal(err)
		}
		if !*s.Immutable || string(s.Data["zoo.cfg"]) != all || string(s.Data["1.zoo.cfg"]) != own {
			t.Errorf("%v", s)
		}
		return s.Name
	}
	one := name("a=1\n", "b=2\n")
	if again := name("a=1\n", "b=2\n"); again != one {
		t.Errorf("%s, then %s", one, again)
	}
	for _, other := range []string{name("a=2\n", "b=2\n"), name("a=1\n", "b=1\n"), name("a=1\nb=2\n", "")} {
		if other == one {
			t.Error("other lines have the same name")
		}
	}
	if !(PrivateLines{Own: map[ensemble.ID]string{1: ""}}).Empty() || (PrivateLines{Own: map[ensemble.ID]string{1: "a=1"}}).Empty() {
		t.Error("Empty")
	}
}

// TestGatePlacesFiles: nothing is released while a file is missing; a server's own file
// goes before the one for all; JAAS files and flags name the files that are here.
func TestGatePlacesFiles(t *testing.T) {
	p := newPod(t)
	for _, d := range []string{"private", "files", "files-configmap", "files-secret"} {
		p.mkdir(d)
	}
	files := filepath.Join(p.dir, "files")
	p.env = []string{
		"ZKMIGRATE_FILES=trust.jks\t/etc/zk/trust.jks\n2/key.jks\t/etc/zk/key.jks\n5/other.jks\t/etc/zk/other.jks\njaas.conf\t/etc/zk/jaas.conf",
		"SERVER_JVMFLAGS=-Xmx1g -Djava.security.auth.login.config=" + files + "/jaas.conf",
	}
	p.write("conf/zoo.cfg", "dataDir=/zookeeper/data\n")
	p.write("conf/2.zoo.cfg", "own=yes\n")
	p.write("conf/5.zoo.cfg", "own=no\n")
	p.write("private/zoo.cfg", "ssl.keyStore.password=a\\u0020b\n")
	p.write("private/2.zoo.cfg", "ssl.trustStore.password=mine\n")
	p.write("files-configmap/jaas.conf", "Server {\n keyTab=\"/etc/zk/zk.keytab\"\n};\n")
	p.write("files-secret/key.jks", "for all")
	p.write("files-secret/2.key.jks", "of 2")
	p.write("files-secret/5.key.jks", "of 5")
	p.write("files-secret/jvm-flags", "# more\n-Dzookeeper.ssl.quorum.keyStore.password=x -Djavax.net.ssl.trustStore=/etc/zk/trust.jks\n-Dother=/etc/none")
	p.start()
	p.waitRefused("", "neither trust.jks nor 2.trust.jks")
	p.write("files-secret/trust.jks", "trust")
	p.waitRefused("", "key tab /etc/zk/zk.keytab")
	p.write("files-secret/2.zk.keytab", "keytab")
	p.waitReport("parked", func(r GateReport) bool { return r.State == migration.GateParked })
	p.hostDown()
	p.release()
	p.waitZooKeeper()
	p.waitLine("flags", func(line string) bool {
		return line == "flags -Xmx1g -Djava.security.auth.login.config="+files+"/jaas.conf -Dzookeeper.ssl.quorum.keyStore.password=x -Djavax.net.ssl.trustStore="+files+"/trust.jks -Dother=/etc/none"
	})
	for name, want := range map[string]string{
		"files/key.jks": "of 2", "files/trust.jks": "trust", "files/zk.keytab": "keytab",
		"files/jaas.conf":     "Server {\n keyTab=\"" + files + "/zk.keytab\"\n};\n",
		"volume/conf/zoo.cfg": "dataDir=/zookeeper/data\nown=yes\nssl.keyStore.password=a\\u0020b\nssl.trustStore.password=mine\n",
	} {
		if got := p.read(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if info, err := os.Stat(filepath.Join(p.dir, "volume/conf/zoo.cfg")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("zoo.cfg: %v %v, want mode 600", info.Mode(), err)
	}
	if strings.Contains(strings.Join(p.all(), "\n"), "password=mine") {
		t.Error("a password is in the log")
	}
}

// TestGateTakesFilesOfAnyName: an entry that begins with a number and a dot is the file of
// that name where the configuration names it, and so is one that begins with a dot.
func TestGateTakesFilesOfAnyName(t *testing.T) {
	p := newPod(t)
	p.mkdir("files")
	p.mkdir("files-secret")
	p.env = []string{"ZKMIGRATE_FILES=10.9.5.1.jks\t/x/10.9.5.1.jks\n.keystore\t/x/.keystore\n1.\t/x/1.\n-n\t/x/-n"}
	for _, name := range []string{"10.9.5.1.jks", ".keystore", "1.", "-n", "2.own.jks", "20.own.jks"} {
		p.write("files-secret/"+name, "is "+name)
	}
	p.start()
	p.waitReport("parked or refused", func(r GateReport) bool {
		if r.State == migration.GateRefused {
			t.Fatal(r.Detail)
		}
		return r.State == migration.GateParked
	})
	for name, want := range map[string]string{"10.9.5.1.jks": "10.9.5.1.jks", ".keystore": ".keystore", "1.": "1.", "-n": "-n", "own.jks": "2.own.jks"} {
		if got := p.read("files/" + name); got != "is "+want {
			t.Errorf("%s %s", name, got)
		}
	}
}

// TestGateWritesJAASFiles: each path on a line counts, none in a comment does; the flag may
// stand in the file jvm-flags, in which nothing is run or expanded.
func TestGateWritesJAASFiles(t *testing.T) {
	p := newPod(t)
	p.mkdir("files")
	p.mkdir("files-secret")
	files := filepath.Join(p.dir, "files")
	p.env = []string{"SERVER_JVMFLAGS=-Xmx1g"}
	ran := filepath.Join(p.dir, "ran")
	p.write("files-secret/jvm-flags", "-Djava.security.auth.login.config=/etc/zk/jaas.conf\r\n-Dx=$(touch${IFS}"+ran+") -Dy=`touch${IFS}"+ran+"` -Dz=/* -Dq=\"a\\b\"")
	p.write("files-secret/zk.keytab", "keytab")
	line := func(dir string) string {
		return "Server { Krb5LoginModule required password=\"a\\\"b\" keyTab = \"" + dir + "/zk.keytab\" ticketCache=\"/tmp/none\"; };"
	}
	const comment = "// keyTab=\"/etc/old.keytab\""
	long := " pad=\"" + strings.Repeat("x", 100_000) + "\";"
	p.write("files-secret/jaas.conf", line("/etc/zk")+"\r\n"+comment+"\n"+long+"\n"+line("/etc/zk")+comment)
	p.start()
	p.waitReport("parked or refused", func(r GateReport) bool {
		if r.State == migration.GateRefused {
			t.Fatal(r.Detail)
		}
		return r.State == migration.GateParked
	})
	if got, want := p.read("files/jaas.conf"), line(files)+"\r\n"+comment+"\n"+long+"\n"+line(files)+comment+"\n"; got != want {
		t.Errorf("jaas.conf is %.300q, want %.300q", got, want)
	}
	p.hostDown()
	p.release()
	p.waitZooKeeper()
	p.waitLine("flags", func(line string) bool {
		return strings.HasPrefix(line, "flags ") && strings.Contains(line, `-Dz=/* -Dq="a\b"`)
	})
	if p.exists("ran") {
		t.Error("jvm-flags was run")
	}
}

// TestGateTellsFilesOfOneNameApart: jvm-flags and JAAS files, which no record knows, may name a file
// like one of another folder. Neither is taken for the other; a path that is known, or an entry with
// the folder's name, says which is meant.
func TestGateTellsFilesOfOneNameApart(t *testing.T) {
	p := newPod(t)
	p.mkdir("files")
	p.mkdir("files-secret")
	files := filepath.Join(p.dir, "files")
	p.env = []string{"ZKMIGRATE_FILES=a-key.jks\t/etc/a/key.jks\ntrust.jks\t/etc/a/trust.jks", "SERVER_JVMFLAGS=-Xmx1g"}
	const kept = "-Dk1=/etc/a/key.jks -Djavax.net.ssl.trustStore=file:///etc/b/trust.jks -Dp=/etc/none "
	p.write("files-secret/jvm-flags", kept+"-Dzookeeper.ssl.keyStore.location=/etc/c/key.jks\n-Djava.security.auth.login.config=/etc/zk/jaas.conf\n")
	for _, name := range []string{"a-key.jks", "trust.jks", "zk.keytab"} {
		p.write("files-secret/"+name, "is "+name)
	}
	p.write("files-secret/jaas.conf", "Server { keyTab=\"/etc/s/zk.keytab\"; };\nClient { keyTab=\"/etc/c/zk.keytab\"; };\n")
	p.start()
	p.waitRefused("", "jvm-flags names /etc/b/trust.jks, and the entry trust.jks is for another file of that name: add it as FOLDER-trust.jks")
	p.write("files-secret/2.b-trust.jks", "is b-trust.jks")
	p.waitRefused("", "jvm-flags names the file /etc/c/key.jks, and neither key.jks nor 2.key.jks is in")
	p.write("files-secret/key.jks", "is key.jks")
	p.waitRefused("", "jaas.conf names /etc/c/zk.keytab, and the entry zk.keytab is for another file of that name")
	p.write("files-secret/c-zk.keytab", "is c-zk.keytab")
	p.waitReport("parked", func(r GateReport) bool { return r.State == migration.GateParked })
	p.hostDown()
	p.release()
	p.waitZooKeeper()
	p.waitLine("flags", func(line string) bool {
		return line == "flags -Xmx1g -Dk1="+files+"/a-key.jks -Djavax.net.ssl.trustStore=file://"+files+"/b-trust.jks -Dp=/etc/none -Dzookeeper.ssl.keyStore.location="+files+"/key.jks -Djava.security.auth.login.config="+files+"/jaas.conf"
	})
	if got, want := p.read("files/jaas.conf"), "Server { keyTab=\""+files+"/zk.keytab\"; };\nClient { keyTab=\""+files+"/c-zk.keytab\"; };\n"; got != want {
		t.Errorf("jaas.conf is %q, want %q", got, want)
	}
}
