package zkprobe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// CanaryResult is the proof that an ensemble committed a write.
type CanaryResult struct {
	// Zxid is that of a committed transaction, not older than the canary's own.
	Zxid ensemble.Zxid `json:"zxid"`
	// SessionID is the session that was opened for it and closed again.
	SessionID int64 `json:"sessionId"`
	// Origin says which server took it, in that server's own words.
	Origin SessionOrigin `json:"origin"`
	// Via is the address that took it.
	Via     string        `json:"via"`
	Started time.Time     `json:"started"`
	Took    time.Duration `json:"took"`
}

// CanaryStage is how far a canary came.
type CanaryStage string

const (
	// CanaryDial: no connection.
	CanaryDial CanaryStage = "dial"
	// CanarySession: connected, and no session was granted. Granting one is a
	// write itself, so this is where an ensemble that does not commit shows.
	CanarySession CanaryStage = "session"
	// CanaryCommit: a session, and the check transaction did not come back.
	CanaryCommit CanaryStage = "commit"
)

// CanaryError says why one address took no canary.
type CanaryError struct {
	Addr  string
	Stage CanaryStage
	Reach Reach
	// NoCommit is set when the server took the connection and the write and did
	// not answer in time: it may call itself leader or follower all the while
	// (ZOOKEEPER-3829).
	NoCommit bool
	Limit    time.Duration
	Err      error
}

func (e *CanaryError) Error() string {
	switch {
	case e.NoCommit:
		return fmt.Sprintf("canary write via %s: no commit within %s: the server is up and the ensemble does not commit; "+
			"an election may be under way, or the leader is stuck: check every server's log before going on", e.Addr, e.Limit)
	case e.Stage != CanaryDial && e.Reach == ClosedEmpty:
		return fmt.Sprintf("canary write via %s: the server closed the connection: it serves nobody at present, "+
			"or takes no more connections from here (maxClientCnxns)", e.Addr)
	}
	return fmt.Sprintf("canary write via %s (%s): %v", e.Addr, e.Stage, e.Err)
}

// Unwrap returns the cause.
func (e *CanaryError) Unwrap() error { return e.Err }

// Canary commits a write that leaves no znode and returns its proof: it opens
// a session, has the quorum commit a transaction that only checks that "/"
// exists, and closes the session. Opening and closing alone would do on most
// ensembles, but where localSessionsEnabled is set a session is no write.
//
// The addresses are tried one after the other, and only these: nothing a server
// says leads to another one. Every attempt ends within CommitTimeout and all end
// with ctx. When none took it, the error joins one *CanaryError an address.
func (p Prober) Canary(ctx context.Context, clientAddrs []string) (CanaryResult, error) {
	if len(clientAddrs) == 0 {
		return CanaryResult{}, errors.New("canary write: no client address given")
	}
	var errs []error
	for _, addr := range clientAddrs {
		if err := ctx.Err(); err != nil {
			errs = append(errs, fmt.Errorf("canary write via %s: not tried: %w", addr, err))
			break
		}
		result, err := p.canaryVia(ctx, addr)
		if err == nil {
			return result, nil
		}
		errs = append(errs, err)
	}
	return CanaryResult{}, errors.Join(errs...)
}

func (p Prober) canaryVia(caller context.Context, addr string) (CanaryResult, error) {
	limit := orDefault(p.CommitTimeout, DefaultCommitTimeout)
	ctx, cancel := context.WithTimeout(caller, limit)
	defer cancel()
	started := time.Now()
	fail := func(stage CanaryStage, err error) (CanaryResult, error) {
		err = ended(ctx, err)
		reach := classifyError(caller, err)
		if stage != CanaryDial && reach == Unreachable {
			reach = Answered // not with what was asked for
		}
		return CanaryResult{}, &CanaryError{
			Addr: addr, Stage: stage, Reach: reach, Limit: limit, Err: err,
			NoCommit: stage != CanaryDial && reach == Timeout,
		}
	}

	// Connecting must not use up the time meant for the commit: a port that
	// does not answer is one thing, a quorum that does not commit another.
	dialCtx, dialCancel := context.WithTimeout(ctx, orDefault(p.Timeout, DefaultTimeout))
	conn, err := p.dialer().DialContext(dialCtx, "tcp", addr)
	dialCancel()
	if err != nil {
		return fail(CanaryDial, err)
	}
	defer closeWith(ctx, conn)()
	c := &juteConn{conn: conn}
	// If we die here the session must not stay for long; servers raise it to
	// their minimum of two ticks.
	s, err := c.connect(2 * limit)
	if err != nil {
		return fail(CanarySession, err)
	}
	if s.readOnly {
		return fail(CanarySession, errors.New("the server is read-only: it has no quorum"))
	}
	commit, err := c.checkRoot()
	if err != nil {
		return fail(CanaryCommit, err)
	}
	if commit.zxid <= 0 {
		// A refusal before the request got to the quorum, as
		// SESSIONCLOSEDREQUIRESASLAUTH (-124), carries no zxid.
		return fail(CanaryCommit, fmt.Errorf("the server refused the write with code %d: it may demand authenticated clients", commit.code))
	}
	zxid := commit.zxid
	// The proof is complete. A close that fails changes nothing about it: the
	// session then expires by itself.
	if closed, err := c.closeSession(); err == nil {
		zxid = max(zxid, closed.zxid)
	}
	return CanaryResult{
		Zxid: ensemble.Zxid(zxid), SessionID: s.id, Origin: SplitSession(s.id),
		Via: addr, Started: started, Took: time.Since(started),
	}, nil
}
