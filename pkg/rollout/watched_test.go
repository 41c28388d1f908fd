package rollout

import (
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// TestNews: the same is said once, and so is what is wrong, however long it lasts.
func TestNews(t *testing.T) {
	w := &Watched{}
	for i, c := range []struct {
		verdict migration.Verdict
		news    bool
	}{
		{migration.Verdict{Code: migration.VerdictWaiting, Why: "waiting"}, true},
		{migration.Verdict{Code: migration.VerdictWaiting, Why: "waiting"}, false},
		{migration.Verdict{Code: migration.VerdictAway, Why: "it is down"}, true},
		{migration.Verdict{Code: migration.VerdictGone, Why: "for 20 s", Look: "host 10.0.0.2"}, true},
		{migration.Verdict{Code: migration.VerdictGone, Why: "for 21 s", Look: "host 10.0.0.2"}, false},
		{migration.Verdict{Code: migration.VerdictDeaf, Why: "for 22 s", Look: "host 10.0.0.2"}, true},
	} {
		w.verdict = c.verdict
		if got := w.News(); got != c.news {
			t.Errorf("%d: %+v: news %t", i, c.verdict, got)
		}
	}
	for _, news := range []bool{true, false} {
		if got := w.Hinder("no write"); got != news || w.Verdict().Why != "no write" {
			t.Errorf("hindered: news %t, %+v", got, w.Verdict())
		}
	}
}

// TestARefusalAloneIsNoRestart: something in between may refuse a connection; a restart
// is seen only where the others agree that the server is down.
func TestARefusalAloneIsNoRestart(t *testing.T) {
	at := time.Now()
	serving, refused := vantage.Sighting{Reach: vantage.Answered, Mode: ensemble.Follower}, vantage.Sighting{Reach: vantage.Refused}
	for _, c := range []struct {
		agree []bool
		ends  int
	}{
		{[]bool{false, false}, 0},
		{[]bool{true, true}, 1},
		{[]bool{false, true}, 1}, // the leader drops it a moment later
	} {
		w := &Watched{}
		w.follow(at, serving, true)
		for i, agree := range c.agree {
			w.follow(at.Add(time.Duration(i+1)*time.Second), refused, agree)
		}
		if w.sig.SeenDown != (c.ends > 0) || w.sig.Ends != c.ends {
			t.Errorf("%v: %+v", c.agree, w.sig)
		}
	}
}

// TestQuestionsHaveTheirPause: what costs the ensemble something is asked again only
// after a while, and not where the answer would add nothing.
func TestQuestionsHaveTheirPause(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	emitted := migration.ServerRecord{Emitted: &migration.Emission{At: at}}
	w := &Watched{sig: migration.RestartSignals{Live: vantage.Sighting{Reach: vantage.Answered, Mode: ensemble.Follower}}}
	if w.AskSince(migration.ServerRecord{}, at) {
		t.Error("no patch was handed out, and it asks")
	}
	for _, c := range []struct {
		after time.Duration
		asks  bool
	}{{0, true}, {sincePause, false}, {sincePause + time.Second, true}} {
		if got := w.AskSince(emitted, at.Add(c.after)); got != c.asks {
			t.Errorf("since when, after %s: asks %t", c.after, got)
		}
	}
	w.sig.SeenDown = true
	if w.AskSince(emitted, at.Add(time.Hour)) {
		t.Error("its end was seen, and it asks")
	}
	w = &Watched{sig: migration.RestartSignals{Live: vantage.Sighting{Reach: vantage.NotServing}}, verdict: migration.Verdict{Code: migration.VerdictAway}}
	for _, c := range []struct {
		after time.Duration
		asks  bool
	}{{0, true}, {portPause, false}, {portPause + time.Second, true}} {
		if got := w.AskPort(at.Add(c.after)); got != c.asks {
			t.Errorf("the port, after %s: asks %t", c.after, got)
		}
	}
	w.verdict.Code = migration.VerdictWaiting
	if w.AskPort(at.Add(time.Hour)) {
		t.Error("the verdict lacks nothing, and it asks")
	}
	w.verdict.Code, w.sig.Live.Reach = migration.VerdictAway, vantage.Refused
	if w.AskPort(at.Add(time.Hour)) {
		t.Error("its process is gone, and it asks")
	}
}

// TestWatchedRestart: a restart that nobody saw is told by since when the server
// serves, and what was asked before it went away counts no more.
func TestWatchedRestart(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	rec := three()
	rec.Servers[0].Emitted = &migration.Emission{At: at, Epoch: 4}
	sr := rec.Servers[0]
	look := func(after time.Duration, live vantage.Sighting) migration.Observation {
		return migration.Observation{At: at.Add(after), Record: rec, Servers: []migration.ServerView{{ID: 1, Live: live}}}
	}
	serving := vantage.Sighting{Reach: vantage.Answered, Mode: ensemble.Follower, ServerID: ensemble.ID(1).Known()} // 3.4: it shows no list
	w := (&Watch{}).Server(1)
	w.Look(look(0, serving), serving, 4)
	if v := w.Judge(rec, sr); v.Code != migration.VerdictWaiting {
		t.Fatalf("%+v", v)
	}
	w.Since(at.Add(time.Minute))
	if v := w.Judge(rec, sr); v.Code != migration.VerdictAway || !w.AskPort(at) {
		t.Errorf("restarted, its port not asked: %+v", v)
	}
	w.Port(vantage.PortOpen)
	if v := w.Judge(rec, sr); v.Code != migration.VerdictReconfigured {
		t.Errorf("%+v", v)
	}
	silent := vantage.Sighting{Reach: vantage.Timeout}
	w.Look(look(time.Minute, silent), silent, 4)
	w.Look(look(2*time.Minute, serving), serving, 4)
	if v := w.Judge(rec, sr); v.Code != migration.VerdictWaiting {
		t.Errorf("what was asked before still counts: %+v", v)
	}
}
