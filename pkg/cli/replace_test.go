package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestWhatThePodRunsIsSaidFirst: whoever may write the journal chooses what runs with
// the operator's rights. It is said before the question, and so before any pod is
// made, in words that can be told apart, whatever they are.
func TestWhatThePodRunsIsSaidFirst(t *testing.T) {
	for name, c := range map[string]struct {
		kind    migration.FlightKind
		image   string
		command []string
		says    string
	}{
		"the default command": {migration.Replace, "zookeeper:3.8.0", nil, "Its pod runs image zookeeper:3.8.0, command zkServer.sh start-foreground, as user 1000.\n"},
		"one of its own":      {migration.Replace, "registry.example.com:5000/zk:1", []string{"/opt/start me", "-x"}, "Its pod runs image registry.example.com:5000/zk:1, command '/opt/start me' -x, as user 1000.\n"},
		"one that looks like more": {migration.Replace, "zookeeper:3.8.0", []string{"sh", "-c", "it's; $(reboot), as user 1000. next: `curl evil`"},
			`Its pod runs image zookeeper:3.8.0, command sh -c 'it'\''s; $(reboot), as user 1000. next: ` + "`curl evil`', as user 1000.\n"},
		"a server goes back":                    {migration.Revert, "zookeeper:3.8.0", nil, ""},
		"nobody has said yet how pods are made": {migration.Replace, "", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := wrapped(t, "3.8.0")
			rec, err := s.record(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if c.kind == migration.Revert {
				rec.Servers[0].Replaced = &time.Time{}
			}
			rec.Pods.Image, rec.Pods.Command, rec.Pods.RunAsUser = c.image, c.command, 1000
			if err := s.journal.Save(t.Context(), rec); err != nil {
				t.Fatal(err)
			}
			client, ok := s.kube.client.(*fake.Clientset)
			if !ok {
				t.Fatalf("%T", s.kube.client)
			}
			client.ClearActions()
			var out bytes.Buffer
			d := &deps{streams: genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &out}}
			// A hook stops the server without anybody, so that there is a question; here
			// nobody can answer it.
			err = (&MoveOptions{deps: d, kind: c.kind, hook: "true"}).one(t.Context(), s, migration.Intent{Kind: c.kind, ID: 1})
			if err == nil || !strings.Contains(err.Error(), "--yes") {
				t.Fatalf("it ends with %v", err)
			}
			for _, a := range client.Actions() {
				if a.GetVerb() != "get" {
					t.Errorf("before the question: %s %s", a.GetVerb(), a.GetResource().Resource)
				}
			}
			_, rest, _ := strings.Cut(out.String(), "\n")
			if rest != c.says {
				t.Errorf("it says %q, want %q", rest, c.says)
			}
		})
	}
}

// TestQuestion: who is about to have a server stopped by us is asked, with a hook or without one.
func TestQuestion(t *testing.T) {
	for _, c := range []struct {
		kind     migration.FlightKind
		hook     string
		replaced bool
		want     string
	}{
		{migration.Replace, "hook", false, "Stop server 1 on host 10.0.0.1 and move it?"},
		{migration.Replace, "", false, ""},
		{migration.Replace, "hook", true, ""},
		{migration.Revert, "", true, "Stop server 1 in its pod and move it back to host 10.0.0.1?"},
		{migration.Revert, "hook", true, "Stop server 1 in its pod and move it back to host 10.0.0.1?"},
		{migration.Revert, "hook", false, ""},
		{migration.Apply, "", true, "Restart server 1 in its pod?"},
	} {
		sr := migration.ServerRecord{HostIP: "10.0.0.1"}
		sr.ID = 1
		if c.replaced {
			sr.Replaced = &time.Time{}
		}
		if got := (&MoveOptions{kind: c.kind, hook: c.hook}).question(sr); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
