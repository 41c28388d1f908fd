package rollout

import (
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

const (
	// sincePause is how often a server is asked since when it serves: that
	// costs the ensemble two writes.
	sincePause = 30 * time.Second
	// portPause is how often an election port is asked: each connect costs the
	// server a warning in its log.
	portPause = 3 * time.Second
)

// Watched is what is remembered of one server between two looks. One round is:
// Look, the question of AskSince, Judge, the question of AskPort, Judge again
// where it was asked.
type Watched struct {
	sig        migration.RestartSignals
	awayFrom   time.Time
	sameFrom   time.Time
	reach      vantage.Reach
	ended      bool // its end was seen in this stretch of refusals
	sinceAsked time.Time
	portAsked  time.Time
	said       string
	verdict    migration.Verdict
}

// Look brings the signals up to date with a look, of which live is what this
// server says; epoch is the leader's, 0 when unknown.
func (w *Watched) Look(o migration.Observation, live vantage.Sighting, epoch uint32) {
	w.sig.Live, w.sig.Epoch = live, epoch
	w.follow(o.At, live, migration.OthersAgree(o))
}

// follow keeps what one look alone does not show: for how long, and how often. A
// refused connection is the end of its process only where the others agree: something
// in between may refuse in its name.
func (w *Watched) follow(at time.Time, live vantage.Sighting, othersAgree bool) {
	sig := &w.sig
	if live.Serving() {
		if !w.awayFrom.IsZero() {
			// A new stretch of serving: what was asked before is no more true.
			*w = Watched{said: w.said, sig: migration.RestartSignals{Live: live, Epoch: sig.Epoch, SeenDown: sig.SeenDown}}
		}
		return
	}
	if w.awayFrom.IsZero() {
		w.awayFrom, w.reach = at, ""
	}
	if w.reach != live.Reach {
		w.reach, w.sameFrom, w.portAsked, sig.Host, w.ended = live.Reach, at, time.Time{}, migration.HostView{}, false
	}
	if live.Reach == vantage.Refused && othersAgree && !w.ended {
		w.ended, sig.SeenDown = true, true
		sig.Ends++
	}
	sig.Away, sig.Same = at.Sub(w.awayFrom), at.Sub(w.sameFrom)
}

// AskSince reports whether the server is to be asked now since when it serves; it
// counts as asked then. One whose end was seen needs no such question.
func (w *Watched) AskSince(sr migration.ServerRecord, now time.Time) bool {
	if !w.sig.Live.Serving() || w.sig.SeenDown || sr.Emitted == nil || now.Sub(w.sinceAsked) <= sincePause {
		return false
	}
	w.sinceAsked = now
	return true
}

// Since takes the answer: when it began to serve, by our clock; zero when unknown.
func (w *Watched) Since(began time.Time) { w.sig.ServingSince = began }

// Judge makes the verdict of what is known by now.
func (w *Watched) Judge(rec migration.Record, sr migration.ServerRecord) migration.Verdict {
	w.verdict = migration.WatchReconfigured(rec, sr, w.sig)
	return w.verdict
}

// AskPort reports whether the verdict lacks the election port at the host's own
// address; it counts as asked then.
func (w *Watched) AskPort(now time.Time) bool {
	switch w.verdict.Code {
	case migration.VerdictAway, migration.VerdictDeaf, migration.VerdictAlone:
	default:
		return false
	}
	if w.sig.Live.Reach == vantage.Refused || now.Sub(w.portAsked) <= portPause {
		return false
	}
	w.portAsked = now
	return true
}

// Port takes the answer.
func (w *Watched) Port(election vantage.PortState) { w.sig.Host.Election = election }

// Verdict is the last one.
func (w *Watched) Verdict() migration.Verdict { return w.verdict }

// News reports whether the verdict is another one than was said last; it counts as
// said then. How long something wrong has lasted is no news.
func (w *Watched) News() bool {
	key := string(w.verdict.Code) + w.verdict.Look
	if !w.verdict.Code.Wrong() {
		key += w.verdict.Why
	}
	if w.said == key {
		return false
	}
	w.said = key
	return true
}

// Hinder keeps why a server that runs with the new list does not count yet, and
// reports whether that is news.
func (w *Watched) Hinder(why string) bool {
	w.verdict.Why = why
	if w.said == why {
		return false
	}
	w.said = why
	return true
}
