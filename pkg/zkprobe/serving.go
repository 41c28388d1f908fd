package zkprobe

import (
	"context"
	"errors"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// Serving tells since when a server serves without a break.
type Serving struct {
	Origin SessionOrigin `json:"origin"`
	// Since is by the server's own wall clock and exact to some milliseconds;
	// zero when it cannot be told: cons not whitelisted, or hidden among more
	// answers than MaxReply.
	Since time.Time `json:"since,omitzero"`
	// Ahead is how far the server's wall clock is ahead of ours, exact to the
	// time a connection takes; meaningless unless AheadKnown.
	Ahead      time.Duration `json:"ahead"`
	AheadKnown bool          `json:"aheadKnown"`
}

// ServingSince asks a server since when it serves: the later of its start and
// of the last time it found or lost a leader. On 3.4, which shows neither its
// uptime nor its server list, this is how to see from outside that a server was
// restarted after its files were changed; 3.6+ also tell the age of the process
// (Answers.Uptime).
//
// It opens a session, looks for its line in cons and closes it again, which
// costs the ensemble two writes. It needs a server that serves and commits; the
// error is a *CanaryError.
func (p Prober) ServingSince(caller context.Context, addr string) (Serving, error) {
	limit := orDefault(p.CommitTimeout, DefaultCommitTimeout)
	ctx, cancel := context.WithTimeout(caller, limit)
	defer cancel()
	start := time.Now()
	c, s, done, err := p.openSession(ctx, caller, addr, limit)
	if err != nil {
		return Serving{}, err
	}
	defer done()
	serving := Serving{Origin: SplitSession(s.id)}
	serving.Since, _ = serving.Origin.WallClock(time.Now())
	if cons := p.Ask(ctx, addr, Cons); cons.Reach == vantage.Answered {
		clients, _ := ParseCons(cons.Text)
		for _, client := range clients {
			if client.SessionID == s.id {
				serving.take(client, start)
			}
		}
	}
	// A close that fails loses nothing: the session then expires by itself.
	_, _ = c.closeSession()
	return serving, nil
}

// take reads our own line of cons; start is when we began to connect.
func (s *Serving) take(own Client, start time.Time) {
	if since, ok := s.Origin.ServingSince(own); ok && s.Since.IsZero() {
		s.Since = since
	}
	if !own.Established.IsZero() {
		s.Ahead, s.AheadKnown = own.Established.Sub(start), true
	}
}

// openSession connects to one server, opens a session there and authenticates it;
// done closes the connection, not the session.
func (p Prober) openSession(ctx, caller context.Context, addr string, limit time.Duration) (*juteConn, session, func(), error) {
	// Connecting must not use up the time meant for the commit: a port that
	// does not answer is one thing, a quorum that does not commit another.
	dialCtx, dialCancel := context.WithTimeout(ctx, orDefault(p.Timeout, DefaultTimeout))
	conn, err := p.dialer().DialContext(dialCtx, "tcp", addr)
	dialCancel()
	if err != nil {
		return nil, session{}, nil, canaryError(ctx, caller, addr, CanaryDial, limit, err)
	}
	done := closeWith(ctx, conn)
	c := &juteConn{conn: conn}
	failed := func(stage CanaryStage, err error) (*juteConn, session, func(), error) {
		err = canaryError(ctx, caller, addr, stage, limit, err)
		done()
		return nil, session{}, nil, err
	}
	// A ticket is fetched first: a KDC that has none must not cost the ensemble a session.
	prove := func(exchange) error { return nil }
	if p.SASL != nil {
		if prove, err = p.SASL.proof(ctx, addr); err != nil {
			return failed(CanaryTicket, err)
		}
	}
	// If we die here the session must not stay for long; servers raise it to
	// their minimum of two ticks.
	s, err := c.connect(2 * limit)
	if err == nil && s.readOnly {
		err = errors.New("the server is read-only: it has no quorum")
	}
	if err != nil {
		return failed(CanarySession, err)
	}
	// Nothing else may be asked before: a server that demands authentication closes a
	// session that does.
	if err := prove(c.saslToken); err != nil {
		return failed(CanaryAuth, err)
	}
	return c, s, done, nil
}
