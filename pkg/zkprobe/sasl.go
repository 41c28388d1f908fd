package zkprobe

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
)

// SASL holds what a client of an ensemble authenticates with (ZooKeeper's "SASL" scheme, not
// addauth's "digest").
type SASL struct {
	Mechanism Mechanism
	// Username and Password are those of a line user_USERNAME="PASSWORD" in the section Server
	// of the servers' JAAS file (DIGEST-MD5).
	Username, Password string
	// Principal, NAME or NAME/HOST, is ours, with @REALM where the default realm of Krb5Conf is
	// another (GSSAPI). Its key comes from Keytab, a keytab file's content, or where
	// that is empty from Password.
	Principal string
	Keytab    []byte
	// Krb5Conf is a krb5.conf file's text. It names the KDCs, which are asked directly, not through
	// Prober.Dialer.
	Krb5Conf string
	// Service is the first part of the servers' principals; "" means zookeeper.
	Service string
	// ServerHost returns the second part, the host that the keytab of the server behind a
	// client address names, "" where none is known: a Service's address does not tell.
	// Nil means the address's own host.
	ServerHost func(addr string) string
}

// Mechanism is a SASL mechanism that ZooKeeper's servers speak.
type Mechanism string

// The mechanisms. A server speaks one of them: GSSAPI where the section Server of its JAAS file
// logs in to Kerberos (SecurityUtils.createSaslServer).
const (
	DigestMD5 Mechanism = "DIGEST-MD5"
	GSSAPI    Mechanism = "GSSAPI"
)

const (
	opSASL = 102
	// noSASL is what a null token in answer to the first one means: the server has no
	// ZooKeeperSaslServer.
	noSASL = "the server does not speak SASL: it was started without a JAAS file, or with one that has no section Server"
	// maxToken bounds a server's token; an AP-REP and a challenge need some hundred bytes.
	maxToken = 64 << 10
)

// SASLError says why client and server did not come to trust each other.
type SASLError struct {
	Mechanism Mechanism
	// Client is the user or principal that we are, Server the server's principal ("" with DIGEST-MD5).
	Client, Server string
	// Code is that of the server's refusal; 0 where it was not the server that refused.
	Code int32
	// Reason says what happened and what to look at.
	Reason string
	// Err is the connection's end, where the server refused by that.
	Err error
}

func (e *SASLError) Error() string {
	who := fmt.Sprintf("%s as %s", e.Mechanism, e.Client)
	if e.Server != "" {
		who += " to " + e.Server
	}
	return who + ": " + e.Reason
}

// Unwrap returns the cause.
func (e *SASLError) Unwrap() error { return e.Err }

// exchange sends one token and returns the answer to it, nil where the server sent none.
type exchange func(token []byte) ([]byte, error)

// proof authenticates on a connection that has a session. Each makes two exchanges, so that no
// server can keep one busy.
type proof func(exchange) error

// Check says what is missing or cannot be read in what was given. It asks nobody.
func (s *SASL) Check() error {
	switch s.Mechanism {
	case DigestMD5:
		if s.Username == "" || s.Password == "" {
			return fmt.Errorf("%s needs a user and a password", s.Mechanism)
		}
		return nil
	case GSSAPI:
		if _, err := s.kerberos(); err != nil {
			return fmt.Errorf("%s: %w", s.Mechanism, err)
		}
		return nil
	}
	return s.unknown()
}

func (s *SASL) unknown() error {
	return fmt.Errorf("SASL mechanism %q: ZooKeeper's servers speak %s and %s", s.Mechanism, DigestMD5, GSSAPI)
}

// proof prepares what is needed before a session is opened with the server at addr.
func (s *SASL) proof(ctx context.Context, addr string) (proof, error) {
	switch s.Mechanism {
	case DigestMD5:
		return s.digest, nil
	case GSSAPI:
		t, err := s.ticket(ctx, addr)
		return s.gssapi(t), err
	}
	return nil, s.unknown()
}

// refusedTokenError is a server's answer to a token by its code, or by closing the connection.
type refusedTokenError struct {
	code   int32
	closed error
}

func (e *refusedTokenError) Error() string {
	switch {
	case e.closed != nil:
		return "the server closed the connection, which is how it refuses credentials before 3.5.9 and 3.6.0 (ZOOKEEPER-1634)"
	case e.code == codeAuthFailed:
		return fmt.Sprintf("the server refused the credentials (code %d, AUTHFAILED)", e.code)
	case e.code == codeAuthDemanded:
		return fmt.Sprintf("the server refused the credentials (code %d, SESSIONCLOSEDREQUIRESASLAUTH)", e.code)
	}
	return fmt.Sprintf("the server refused the credentials (code %d)", e.code)
}

func (e *refusedTokenError) Unwrap() error { return e.closed }

// codeAuthFailed is KeeperException's AUTHFAILED. Servers that demand SASL answer
// codeAuthDemanded instead (ZooKeeperServer.processSasl).
const codeAuthFailed = -115

// saslToken is GetSASLRequest and SetSASLResponse.
func (c *juteConn) saslToken(token []byte) ([]byte, error) {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(token)))
	r, body, err := c.ask(opSASL, append(b, token...))
	switch {
	case err != nil && hungUp(err):
		return nil, &refusedTokenError{closed: err}
	case err != nil:
		return nil, err
	case r.code != 0:
		return nil, &refusedTokenError{code: r.code}
	}
	if len(body) < 4 {
		return nil, errShortFrame
	}
	n, body := int32(binary.BigEndian.Uint32(body)), body[4:]
	switch {
	case n == -1: // a null buffer
		return nil, nil
	case n < 0 || n > maxToken:
		return nil, protocolError(fmt.Sprintf("a SASL token of %d bytes announced, more than the %d that any server needs", n, maxToken))
	case int(n) > len(body):
		return nil, errShortFrame
	}
	return body[:n], nil
}

func hostOf(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return host
}
