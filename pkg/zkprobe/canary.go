package zkprobe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
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
	// CanaryTicket: connected, and nothing asked of the server: the KDC gave no ticket
	// for it.
	CanaryTicket CanaryStage = "ticket"
	// CanarySession: connected, and no session was granted. Granting one is a
	// write itself, so this is where an ensemble that does not commit shows.
	CanarySession CanaryStage = "session"
	// CanaryAuth: a session, and the server did not take the credentials.
	CanaryAuth CanaryStage = "authentication"
	// CanaryCommit: a session, and the check transaction did not come back.
	CanaryCommit CanaryStage = "commit"
)

// CanaryError says why one address took no canary.
type CanaryError struct {
	Addr  string
	Stage CanaryStage
	Reach vantage.Reach
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
	case e.Stage == CanaryTicket && e.Reach == vantage.Timeout:
		return fmt.Sprintf("canary write via %s: no Kerberos ticket within %s: no KDC of krb5.conf answers this machine, which asks it directly", e.Addr, e.Limit)
	case e.Stage == CanaryAuth && e.Reach == vantage.Timeout:
		return fmt.Sprintf("canary write via %s: the server granted a session and did not answer its authentication within %s: look at its log", e.Addr, e.Limit)
	case e.asked() && e.Reach == vantage.ClosedEmpty:
		return fmt.Sprintf("canary write via %s: the server closed the connection: it serves nobody at present, "+
			"or takes no more connections from here (maxClientCnxns)", e.Addr)
	}
	return fmt.Sprintf("canary write via %s (%s): %v", e.Addr, e.Stage, e.Err)
}

// asked reports whether the server was asked for a write when it failed.
func (e *CanaryError) asked() bool { return e.Stage == CanarySession || e.Stage == CanaryCommit }

// AuthDemanded reports whether the server closes sessions of clients that have
// not authenticated (enforce.auth.enabled, sessionRequireClientSASLAuth).
func (e *CanaryError) AuthDemanded() bool {
	var refused *refusedWriteError
	return errors.As(e.Err, &refused) && refused.code == codeAuthDemanded
}

// codeAuthDemanded is KeeperException's SESSIONCLOSEDREQUIRESASLAUTH.
const codeAuthDemanded = -124

// refusedWriteError is a server's refusal of a write by its code, and whether the session had
// authenticated by SASL.
type refusedWriteError struct {
	code int32
	sasl bool
}

func (e *refusedWriteError) Error() string {
	switch {
	case e.code == codeAuthDemanded && e.sasl:
		return fmt.Sprintf("the server demands that clients authenticate (code %d, SESSIONCLOSEDREQUIRESASLAUTH), and not by SASL, "+
			"as this client did: add sasl to enforce.auth.schemes there", e.code)
	case e.code == codeAuthDemanded:
		return fmt.Sprintf("the server demands that clients authenticate (code %d, SESSIONCLOSEDREQUIRESASLAUTH): "+
			"enforce.auth.enabled or sessionRequireClientSASLAuth is set there: provide a client's credentials, "+
			"a user and password of its JAAS file (%s) or a Kerberos principal with its key (%s)", e.code, DigestMD5, GSSAPI)
	}
	return fmt.Sprintf("the server refused the write with code %d", e.code)
}

// Unwrap returns the cause.
func (e *CanaryError) Unwrap() error { return e.Err }

// Canary commits a write that leaves no znode and returns its proof: it opens
// a session (and authenticates it, with SASL), has the quorum commit a transaction that only checks that "/"
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
	c, granted, done, err := p.openSession(ctx, caller, addr, limit)
	if err != nil {
		return CanaryResult{}, err
	}
	defer done()
	commit, err := c.checkRoot()
	if err == nil && commit.zxid <= 0 {
		// A refusal before the request got to the quorum carries no zxid.
		err = &refusedWriteError{code: commit.code, sasl: p.SASL != nil}
	}
	if err != nil {
		return CanaryResult{}, canaryError(ctx, caller, addr, CanaryCommit, limit, err)
	}
	zxid := commit.zxid
	// The proof is complete. A close that fails changes nothing about it: the
	// session then expires by itself.
	if closed, err := c.closeSession(); err == nil {
		zxid = max(zxid, closed.zxid)
	}
	return CanaryResult{
		Zxid: ensemble.Zxid(zxid), SessionID: granted.id, Origin: SplitSession(granted.id),
		Via: addr, Started: started, Took: time.Since(started),
	}, nil
}

// canaryError judges a failure. ctx has our own limit, caller only the caller's.
func canaryError(ctx, caller context.Context, addr string, stage CanaryStage, limit time.Duration, err error) *CanaryError {
	err = ended(ctx, err)
	reach := classifyError(caller, err)
	if stage != CanaryDial && reach == vantage.Unreachable {
		reach = vantage.Answered // not with what was asked for
	}
	e := &CanaryError{Addr: addr, Stage: stage, Reach: reach, Limit: limit, Err: err}
	e.NoCommit = e.asked() && reach == vantage.Timeout && !streamBroke(err)
	return e
}
