package render

import (
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/test/tcpfake"
)

// TestFinal: what an ensemble is left with has no gate, no script and no host.
func TestFinal(t *testing.T) {
	objects, err := Final(record())
	if err != nil {
		t.Fatal(err)
	}
	out, err := YAML(objects)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "final.yaml", out)
	for _, word := range []string{"gate", ".sh ", "10.1.0.", "/zkmigrate/"} {
		if strings.Contains(strings.ReplaceAll(string(out), "zkServer.sh", ""), word) {
			t.Errorf("it has %q", word)
		}
	}
}

// TestFinalKeepsPods: the template is the one that the pods were made from without a gate, so
// that the end restarts none.
func TestFinalKeepsPods(t *testing.T) {
	made, err := statefulSet(record(func(r *migration.Record) { r.Pods.Plain = true }))
	if err != nil {
		t.Fatal(err)
	}
	objects, err := Final(record())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(objects, func(o Object) bool { _, ok := o.(*appsv1.StatefulSet); return ok })
	final, _ := objects[i].(*appsv1.StatefulSet)
	if got, want := final.Spec.Template.Annotations[TemplateAnnotation], made.Spec.Template.Annotations[TemplateAnnotation]; got != want || got == "" {
		t.Errorf("the template is %s, the pods were made from %s", got, want)
	}
	if !IsPlain(final.Spec.Template.Spec) {
		t.Error("it is not known to have no gate")
	}
	gated, err := statefulSet(record())
	if err != nil || IsPlain(gated.Spec.Template.Spec) {
		t.Errorf("a gate is not seen (%v)", err)
	}
}

// TestPlainOwnLines: servers whose zoo.cfg differ find theirs by their pod's name.
func TestPlainOwnLines(t *testing.T) {
	rec := record(func(r *migration.Record) {
		r.Pods.Plain = true
		r.Pods.Own = []migration.OwnLines{{ID: 5, ZooCfg: "clientPortAddress=0.0.0.0"}}
	})
	cm := Conf(rec)
	for pod, own := range map[string]bool{"main-pod-0": false, "main-pod-1": true, "main-pod-2": false} {
		if text := cm.Data[pod+".zoo.cfg"]; text == "" || strings.Contains(text, "clientPortAddress") != own {
			t.Errorf("%s: %q", pod, text)
		}
	}
	if !Intact(rec.Name, cm) {
		t.Error("its own ConfigMap is taken for another one")
	}
	template, err := podTemplate(rec)
	if err != nil {
		t.Fatal(err)
	}
	mounts := template.Spec.Containers[0].VolumeMounts
	i := slices.IndexFunc(mounts, func(m corev1.VolumeMount) bool { return m.MountPath == "/conf/zoo.cfg" })
	if mounts[i].SubPathExpr != "$(POD_NAME).zoo.cfg" || mounts[i].SubPath != "" {
		t.Errorf("%+v", mounts[i])
	}
}

// TestPlainCommand: where an operator has said what starts ZooKeeper, the image's entry point
// is not asked.
func TestPlainCommand(t *testing.T) {
	rec := record(func(r *migration.Record) { r.Pods.Plain, r.Pods.Command = true, []string{"/opt/zk/run"} })
	template, err := podTemplate(rec)
	if err != nil {
		t.Fatal(err)
	}
	if c := template.Spec.Containers[0]; !slices.Equal(c.Command, []string{"/opt/zk/run", "/conf/zoo.cfg"}) || len(c.Args) != 0 {
		t.Errorf("%q %q", c.Command, c.Args)
	}
}

// TestPlainPorts: a pod asks its own server, at its own port.
func TestPlainPorts(t *testing.T) {
	for want, change := range map[string]func(*migration.Record){
		"exec 3<>/dev/tcp/127.0.0.1/2181 && ":                                                func(*migration.Record) {},
		"ports=(2181 2182 2181) && exec 3<>/dev/tcp/127.0.0.1/${ports[${POD_NAME##*-}]} && ": func(r *migration.Record) { r.Servers[1].ClientPort = 2182 },
		"exec 3<>/dev/tcp/127.0.0.1/2182 && ": func(r *migration.Record) {
			for i := range r.Servers {
				r.Servers[i].ClientPort, r.Servers[i].SecureClientPort = 0, 2181 // so the local port is another
			}
		},
	} {
		template, err := podTemplate(record(change, func(r *migration.Record) { r.Pods.Plain = true }))
		if err != nil {
			t.Fatal(err)
		}
		c := template.Spec.Containers[0]
		for _, p := range []*corev1.Probe{c.StartupProbe, c.LivenessProbe, c.ReadinessProbe} {
			if got := p.Exec.Command[2]; !strings.HasPrefix(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
		}
	}
}

// TestPlainDynamic: where ZooKeeper writes to its own configuration, it has it on the volume.
func TestPlainDynamic(t *testing.T) {
	for name, change := range map[string]func(*migration.Record){
		"a dynamic file": func(r *migration.Record) {
			r.Pods.DynamicName, r.Pods.Dynamic = "zoo.cfg.dynamic.1", "server.2=a:2888:3888\n"
			r.Pods.ZooCfg += "dynamicConfigFile=/zookeeper/conf/zoo.cfg.dynamic.1\n"
		},
		"reconfigEnabled, and passwords": func(r *migration.Record) {
			r.Pods.ZooCfg += "reconfigEnabled=true\n"
			r.Pods.PrivateSecret = "main-zkmigrate-private-0"
		},
	} {
		t.Run(name, func(t *testing.T) {
			objects, err := Final(record(change))
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range objects {
				switch o := o.(type) {
				case *corev1.ConfigMap:
					t.Errorf("ConfigMap %s has a zoo.cfg that nobody reads", o.Name)
				case *appsv1.StatefulSet:
					c := o.Spec.Template.Spec.Containers[0]
					if got := c.Args[len(c.Args)-1]; got != "/zookeeper/conf/zoo.cfg" {
						t.Errorf("it runs with %s", got)
					}
					if !IsPlain(o.Spec.Template.Spec) || len(o.Spec.Template.Spec.Volumes) != 1 {
						t.Errorf("volumes: %+v", o.Spec.Template.Spec.Volumes)
					}
				}
			}
		})
	}
}

// TestPlainReady: ready means in a quorum, of the pod's own server, at the port that it has.
func TestPlainReady(t *testing.T) {
	listen := func(mode string) int {
		addr := tcpfake.Words(t, func(c net.Conn, _ string) { _, _ = io.WriteString(c, "Zxid: 0x1\nMode: "+mode+"\n") })
		_, port, err := net.SplitHostPort(addr)
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(port)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	rec := record(func(r *migration.Record) {
		r.Pods.Plain = true
		for i, mode := range []string{"follower", "standalone", "leader"} {
			r.Servers[i].ClientPort = listen(mode)
		}
	})
	template, err := podTemplate(rec)
	if err != nil {
		t.Fatal(err)
	}
	words := template.Spec.Containers[0].ReadinessProbe.Exec.Command
	for ordinal, want := range []bool{true, false, true} {
		cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
		cmd.Env = append(os.Environ(), "POD_NAME="+PodName(rec.Name, ordinal))
		if out, err := cmd.CombinedOutput(); (err == nil) != want {
			t.Errorf("pod %d: %v, want ready=%v: %s", ordinal, err, want, out)
		}
	}
}
