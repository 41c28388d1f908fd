package rollout

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// TestConfirmAndTakeBack: a confirmation is kept with who gave it, and goes when the
// server shows another list; the last one ends the counting of elections.
func TestConfirmAndTakeBack(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	rec := three()
	rec.Servers[2].Replaced = &at
	if Confirm(&rec, 7, "seen", 5, "alice", at) || len(rec.Audit) > 0 {
		t.Error("a server that nobody knows was confirmed")
	}
	for i, id := range []ensemble.ID{1, 2} {
		if !Confirm(&rec, id, "seen", 5, "alice", at) || len(Left(rec)) != 1-i {
			t.Errorf("server %d: left are %v", id, Left(rec))
		}
	}
	if c := rec.Servers[1].Reconfigured; c.By != "alice" || c.How != "seen" || !c.At.Equal(at) || rec.Elections.AtReconfigured != 5 || len(rec.Audit) != 2 {
		t.Errorf("%+v, %+v, %+v", c, rec.Elections, rec.Audit)
	}
	o := led(rec, 1, 5)
	for _, s := range rec.Servers {
		member := s.Server
		member.Host = s.ClusterIP
		o.Servers[0].Live.Members = append(o.Servers[0].Live.Members, member)
	}
	if got := TakeBack(&rec, o, "bob", at); got != nil {
		t.Errorf("the list is right: %+v", got)
	}
	o.Servers[0].Live.Members[1].Host = "zk2.example.com"
	want := []TakenBack{{ID: 1, Confirmed: at, Why: "server.2 is zk2.example.com, not 192.0.2.2"}}
	if diff := cmp.Diff(want, TakeBack(&rec, o, "bob", at.Add(time.Hour))); diff != "" {
		t.Error(diff)
	}
	if left := Left(rec); len(left) != 1 || left[0].ID != 1 || rec.Audit[2].By != "bob" || rec.Audit[2].Detail != "no longer verified: "+want[0].Why {
		t.Errorf("left are %+v; audit %+v", left, rec.Audit)
	}
	if got := TakeBack(&rec, o, "bob", at); got != nil {
		t.Errorf("a look that rests on the journal from before takes it back again: %+v", got)
	}
}

// TestByWord: the operator's word counts where nothing can be seen, and is no use
// against what is seen.
func TestByWord(t *testing.T) {
	rec := three()
	serving := vantage.Sighting{Reach: vantage.Answered, Mode: ensemble.Follower, ServerID: ensemble.ID(1).Known()}
	for name, c := range map[string]struct {
		live vantage.Sighting
		port vantage.PortState
		ok   bool
	}{
		"it serves and listens":   {serving, vantage.PortOpen, true},
		"its port is not reached": {serving, vantage.PortSilent, true},
		"nothing listens":         {serving, vantage.PortClosed, false},
		"it is down":              {vantage.Sighting{Reach: vantage.Refused}, vantage.PortClosed, false},
	} {
		if v, ok := ByWord(rec, rec.Servers[0], c.live, c.port); ok != c.ok {
			t.Errorf("%s: %t, %+v", name, ok, v)
		}
	}
}
