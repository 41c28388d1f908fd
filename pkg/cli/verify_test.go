package cli

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestVerifyTimeout: when the time is over, every server that is left is named
// with its host; the state is saved and nothing was confirmed.
func TestVerifyTimeout(t *testing.T) {
	s := wrapped(t, "3.8.0")
	s.engine.Prober = s.prober
	rec, err := s.record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rec.Servers[1].Reconfigured = &migration.Confirmation{By: "test"}
	if err := s.journal.Save(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	f, out := flags(t, "--verify")
	ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
	defer cancel()
	err = f.watch(ctx, s)
	var paused *pausedError
	if !errors.As(err, &paused) || !paused.timeout || len(paused.evidence) != 2 {
		t.Fatalf("got %v (%+v)\n%s", err, paused, out)
	}
	for i, want := range []string{"server 1 on host 198.51.100.1: Away: it is down", "server 3 on host 198.51.100.3: Away: it is down"} {
		if !strings.Contains(paused.evidence[i], want) {
			t.Errorf("evidence %q, want %q", paused.evidence[i], want)
		}
	}
	if !strings.HasPrefix(paused.reason, "2 servers") || strings.Count(out.String(), "it is down") != 2 {
		t.Errorf("%s\n%s", paused.reason, out)
	}
}

// TestVerifySays: a wrong verdict names the host and holds the operator; the
// same is said once.
func TestVerifySays(t *testing.T) {
	var out bytes.Buffer
	v := &verifier{f: &reconfigureFlags{deps: &deps{streams: genericiooptions.IOStreams{Out: &out, ErrOut: &out}}}}
	sr := migration.ServerRecord{HostIP: "10.0.0.2"}
	sr.ID = 2
	w := &watched{}
	for _, d := range []migration.Verdict{
		{Code: migration.VerdictWaiting, Why: "waiting"}, {Code: migration.VerdictWaiting, Why: "waiting"},
		{Code: migration.VerdictGone, Why: "for 20 s", Look: "host 10.0.0.2"}, {Code: migration.VerdictGone, Why: "for 21 s", Look: "host 10.0.0.2"},
	} {
		w.verdict = d
		v.say(sr, w)
	}
	want := "server 2: waiting\nserver 2: WRONG (Gone): for 20 s\n  look at host 10.0.0.2\n  restart no other server before that is mended\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestElectionsText(t *testing.T) {
	rec := migration.Record{Elections: migration.Elections{AtReconfigure: 4}}
	for epoch, want := range map[uint32]string{4: "written: 0 (planned: 1)", 5: "written: 1 (planned: 1)", 7: "3, MORE THAN PLANNED (1)", 0: "not counted"} {
		if got := electionsText(rec, epoch); !strings.Contains(got, want) {
			t.Errorf("epoch %d: %q does not say %q", epoch, got, want)
		}
	}
}

// TestConfirmContradicted: the operator's word is no use against what is seen.
func TestConfirmContradicted(t *testing.T) {
	s := wrapped(t, "3.4.13")
	f, _ := flags(t, "--confirmed=1")
	var refused *refusedError
	if err := f.confirm(t.Context(), s); !errors.As(err, &refused) || !strings.Contains(refused.next, "198.51.100.1") {
		t.Errorf("got %v", err)
	}
	if rec, err := s.record(t.Context()); err != nil || rec.Servers[0].Reconfigured != nil {
		t.Errorf("it was kept all the same (%v)", err)
	}
}

// TestJournalExchanged: a server that the journal no longer has when it is loaded
// again.
func TestJournalExchanged(t *testing.T) {
	s := wrapped(t, "3.4.13")
	var out bytes.Buffer
	d := &deps{streams: genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &out}}
	for name, do := range map[string]func() error{
		"replace": func() error { return (&MoveOptions{deps: d}).one(t.Context(), s, migration.Intent{ID: 7}) },
		"verify":  func() error { return (&verifier{s: s}).keep(t.Context(), 7, "seen") },
	} {
		var refused *refusedError
		if err := do(); !errors.As(err, &refused) || !strings.Contains(refused.reason, "no server 7 any more") || !strings.Contains(refused.next, "status demo -n zk") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestARefusalAloneIsNoRestart: something in between may refuse a connection; a restart
// is seen only where the others agree that the server is down.
func TestARefusalAloneIsNoRestart(t *testing.T) {
	at := time.Now()
	serving, refused := migration.Sighting{Reach: migration.ReachAnswered, Mode: ensemble.Follower}, migration.Sighting{Reach: migration.ReachRefused}
	for _, c := range []struct {
		agree []bool
		ends  int
	}{
		{[]bool{false, false}, 0},
		{[]bool{true, true}, 1},
		{[]bool{false, true}, 1}, // the leader drops it a moment later
	} {
		w := &watched{}
		w.follow(at, serving, true)
		for i, agree := range c.agree {
			w.follow(at.Add(time.Duration(i+1)*time.Second), refused, agree)
		}
		if w.sig.SeenDown != (c.ends > 0) || w.sig.Ends != c.ends {
			t.Errorf("%v: %+v", c.agree, w.sig)
		}
	}
}
