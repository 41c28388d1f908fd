package cli

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
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

// TestVerdictText: a wrong verdict names the host and holds the operator.
func TestVerdictText(t *testing.T) {
	sr := migration.ServerRecord{HostIP: "10.0.0.2"}
	sr.ID = 2
	for want, d := range map[string]migration.Verdict{
		"server 2: waiting\n": {Code: migration.VerdictWaiting, Why: "waiting"},
		"server 2: it cannot be told\n  look at host 10.0.0.2\n":                                                       {Code: migration.VerdictUnclear, Why: "it cannot be told", Look: "host 10.0.0.2"},
		"server 2: WRONG (Gone): for 20 s\n  look at host 10.0.0.2\n  restart no other server before that is mended\n": {Code: migration.VerdictGone, Why: "for 20 s", Look: "host 10.0.0.2"},
	} {
		if got := verdictText(sr, d); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}

// TestJudgeAsks: the verdict on a server that is up without a quorum rests on its
// election port, which is asked here; one whose process is gone is not asked.
func TestJudgeAsks(t *testing.T) {
	s := wrapped(t, "3.8.0")
	rec, err := s.record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v := &verifier{s: s}
	at := time.Now()
	for _, c := range []struct {
		after time.Duration
		reach vantage.Reach
		want  migration.VerdictCode
	}{
		{0, vantage.Refused, migration.VerdictAway},
		{time.Second, vantage.NotServing, migration.VerdictAway},
		{10 * time.Second, vantage.NotServing, migration.VerdictDeaf},
	} {
		live := vantage.Sighting{Reach: c.reach}
		obs := migration.Observation{At: at.Add(c.after), Record: rec, Servers: []migration.ServerView{{ID: 1, Live: live}}}
		if got := v.judge(t.Context(), obs, rec.Servers[0], live).Verdict(); got.Code != c.want {
			t.Errorf("after %s: %+v, want %s", c.after, got, c.want)
		}
	}
}

// TestVerifiedIsTakenBack: a server that was verified and shows another list by now
// was restarted with another file, or somebody ran reconfig. Its word is kept in the
// journal, where replace would rely on it, so that it is taken out there.
func TestVerifiedIsTakenBack(t *testing.T) {
	s := wrapped(t, "3.8.0")
	rec, err := s.record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var right []ensemble.Server
	for i := range rec.Servers {
		sr := &rec.Servers[i]
		sr.Reconfigured = &migration.Confirmation{At: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), By: "test", How: "seen"}
		member := sr.Server
		member.Host = sr.ClusterIP
		right = append(right, member)
	}
	if err := s.journal.Save(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	wrong := slices.Clone(right)
	wrong[2].Host = "zk3.example.com"
	// Server 3 shows no list, which says nothing against it.
	look := func(rec migration.Record, two []ensemble.Server) migration.Observation {
		o := migration.Observation{Record: rec}
		for id, members := range map[ensemble.ID][]ensemble.Server{1: right, 2: two, 3: nil} {
			o.Servers = append(o.Servers, migration.ServerView{ID: id, Live: vantage.Sighting{
				Reach: vantage.Answered, Mode: ensemble.Follower, ServerID: id.Known(), Members: members,
			}})
		}
		return o
	}
	const why = "server.3 is zk3.example.com, not 192.0.2.3"
	for _, c := range []struct {
		name          string
		obs           migration.Observation
		verified      []ensemble.ID
		lines, audits int
	}{
		{"all lists are right", look(rec, right), []ensemble.ID{1, 2, 3}, 0, 0},
		{"one is another one", look(rec, wrong), []ensemble.ID{1, 3}, 1, 1},
		{"a look that rests on the journal from before says it no second time", look(rec, wrong), []ensemble.ID{1, 3}, 0, 1},
	} {
		var out bytes.Buffer
		got, err := s.takeBack(t.Context(), c.obs, &out)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		saved, err := s.record(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for what, rec := range map[string]migration.Record{"returned": got, "saved": saved} {
			var verified []ensemble.ID
			for _, sr := range rec.Servers {
				if sr.Reconfigured != nil {
					verified = append(verified, sr.ID)
				}
			}
			if !slices.Equal(verified, c.verified) || len(rec.Audit) != c.audits {
				t.Errorf("%s: %s: %v are verified, audit %+v", c.name, what, verified, rec.Audit)
			}
			for _, a := range rec.Audit {
				if !a.ID.Is(2) || a.Step != "reconfigure" || a.By != me() || a.Detail != "no longer verified: "+why {
					t.Errorf("%s: %s: audit %+v", c.name, what, a)
				}
			}
		}
		if text := out.String(); strings.Count(text, "\n") != c.lines || c.lines > 0 && (!strings.HasPrefix(text, "server 2: it was seen with the Services' addresses at ") || !strings.HasSuffix(text, "("+why+"): to be verified again\n")) {
			t.Errorf("%s: it says %q", c.name, text)
		}
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
