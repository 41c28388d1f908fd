package zkprobe

import (
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/test/tcpfake"
)

// saslFake answers the n-th token of a client, from 0; no bytes is a null buffer.
type saslFake func(n int, token []byte) (answer []byte, code int32)

// fakeSASL grants a session, answers SASL tokens, and commits what else is asked.
func fakeSASL(t *testing.T, fake saslFake) string {
	t.Helper()
	return tcpfake.Listen(t, func(c net.Conn) {
		j := &juteConn{conn: c}
		if _, err := j.receive(); err != nil || j.send(granted()) != nil {
			return
		}
		for n := 0; ; n++ {
			req, err := j.receive()
			if err != nil {
				return
			}
			if binary.BigEndian.Uint32(req[4:]) != opSASL {
				if j.send(replyTo(req, 7, 0)) != nil {
					return
				}
				continue
			}
			token, code := fake(n, req[12:])
			answer := binary.BigEndian.AppendUint32(replyTo(req, 0, code), uint32(len(token)))
			if token == nil {
				answer = binary.BigEndian.AppendUint32(replyTo(req, 0, code), 0xffffffff)
			}
			if j.send(append(answer, token...)) != nil {
				return
			}
		}
	})
}

const challenge = `realm="zk-sasl-md5",nonce="FJwoTzHYg",charset=utf-8,algorithm=md5-sess`

// digestServer knows one user, as a JAAS file does.
func digestServer(user, password string) saslFake {
	return func(n int, token []byte) ([]byte, int32) {
		if n == 0 && len(token) == 0 {
			return []byte(challenge), 0
		}
		d, err := parseDirectives(token)
		if err != nil || len(d["cnonce"]) != 1 {
			return nil, codeAuthFailed
		}
		c, err := parseChallenge([]byte(challenge))
		if err != nil {
			return nil, codeAuthFailed
		}
		want, err := c.answer(digestURI, user, password, d["cnonce"][0])
		if err != nil || string(want.token) != string(token) {
			return nil, codeAuthFailed
		}
		return []byte("rspauth=" + want.rspauth), 0
	}
}

func TestDigest(t *testing.T) {
	p := Prober{CommitTimeout: 5 * time.Second, SASL: &SASL{Mechanism: DigestMD5, Username: "canary", Password: "right"}}
	addr := fakeSASL(t, digestServer("canary", "right"))
	if got, err := p.Canary(t.Context(), []string{addr}); err != nil || got.Zxid != 7 {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := p.ServingSince(t.Context(), addr); err != nil {
		t.Error(err)
	}
}

func TestSASLFailures(t *testing.T) {
	answers := func(tokens ...string) saslFake {
		return func(n int, _ []byte) ([]byte, int32) { return []byte(tokens[min(n, len(tokens)-1)]), 0 }
	}
	tests := map[string]struct {
		fake  saslFake
		reach vantage.Reach
		code  int32 // 0 where the server refused nothing
		says  []string
	}{
		"wrong password":   {digestServer("canary", "other"), vantage.Answered, codeAuthFailed, []string{"AUTHFAILED", "user_canary", "JAAS", "GSSAPI"}},
		"wrong user":       {digestServer("other", "right-or-wrong"), vantage.Answered, codeAuthFailed, []string{"user_canary"}},
		"demanded, denied": {func(int, []byte) ([]byte, int32) { return nil, codeAuthDemanded }, vantage.Answered, codeAuthDemanded, []string{"SESSIONCLOSEDREQUIRESASLAUTH", "user_canary"}},
		"no SASL":          {func(int, []byte) ([]byte, int32) { return nil, 0 }, vantage.Answered, 0, []string{"does not speak SASL", "no section Server"}},
		"no proof, as allowSaslFailedClients has it": {func(n int, _ []byte) ([]byte, int32) {
			return [][]byte{[]byte(challenge), nil}[n], 0
		}, vantage.Answered, 0, []string{"did not prove", "user_canary"}},
		"another's proof":    {answers(challenge, "rspauth=ea40f60335c427b5527b84dbabcdfffd"), vantage.Answered, 0, []string{"did not prove"}},
		"challenges forever": {answers(challenge), vantage.Answered, 0, []string{"did not prove"}},
		"garbage":            {answers("\x1b[2J\x00"), vantage.Answered, 0, []string{"control character"}},
		"a huge nonce":       {answers(`algorithm=md5-sess,nonce="` + strings.Repeat("n", maxToken-100) + `"`), vantage.Answered, 0, []string{"too many"}},
		"a huge token":       {answers(strings.Repeat("n", maxToken+1)), vantage.Answered, 0, []string{"announced"}},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			p := Prober{CommitTimeout: 5 * time.Second, SASL: &SASL{Mechanism: DigestMD5, Username: "canary", Password: "right-or-wrong"}}
			addr := fakeSASL(t, c.fake)
			_, err := p.Canary(t.Context(), []string{addr})
			var canary *CanaryError
			if !errors.As(err, &canary) || canary.Stage != CanaryAuth || canary.Reach != c.reach || canary.NoCommit || canary.AuthDemanded() {
				t.Fatalf("got %+v: %v", canary, err)
			}
			var sasl *SASLError
			if errors.As(err, &sasl) && (sasl.Code != c.code || sasl.Mechanism != DigestMD5 || sasl.Client != "canary") {
				t.Errorf("got %+v, want code %d", sasl, c.code)
			}
			if name != "a huge token" && sasl == nil {
				t.Errorf("got %v, want a SASLError", err)
			}
			for _, want := range append(c.says, addr) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q: want %q in it", err, want)
				}
			}
			if strings.Contains(err.Error(), "right-or-wrong") || strings.ContainsAny(err.Error(), "\x1b\x00") {
				t.Errorf("error %q shows the password, or what the server wrote", err)
			}
		})
	}
}

// TestSASLIsBounded: a server that falls silent, hangs up or answers too little.
func TestSASLIsBounded(t *testing.T) {
	grant := func(then func(j *juteConn, req []byte)) string {
		return tcpfake.Listen(t, func(c net.Conn) {
			j := &juteConn{conn: c}
			if _, err := j.receive(); err != nil || j.send(granted()) != nil {
				return
			}
			if req, err := j.receive(); err == nil {
				then(j, req)
			}
		})
	}
	for name, c := range map[string]struct {
		addr  string
		reach vantage.Reach
		says  string
	}{
		"silent":   {grant(func(j *juteConn, _ []byte) { tcpfake.Silent(j.conn) }), vantage.Timeout, "did not answer its authentication within 200ms"},
		"closed":   {grant(func(*juteConn, []byte) {}), vantage.ClosedEmpty, "ZOOKEEPER-1634"},
		"short":    {grant(func(j *juteConn, req []byte) { _ = j.send(replyTo(req, 0, 0)) }), vantage.Answered, "too short"},
		"shorter":  {grant(func(j *juteConn, req []byte) { _ = j.send(append(replyTo(req, 0, 0), 0, 0, 0, 9, 'x')) }), vantage.Answered, "too short"},
		"negative": {grant(func(j *juteConn, req []byte) { _ = j.send(append(replyTo(req, 0, 0), 0xff, 0, 0, 0)) }), vantage.Answered, "announced"},
	} {
		t.Run(name, func(t *testing.T) {
			p := Prober{CommitTimeout: 200 * time.Millisecond, SASL: &SASL{Mechanism: DigestMD5, Username: "u", Password: "p"}}
			_, err := p.Canary(t.Context(), []string{c.addr})
			var canary *CanaryError
			if !errors.As(err, &canary) || canary.Stage != CanaryAuth || canary.Reach != c.reach || canary.NoCommit || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %+v: %v, want %s and %q", canary, err, c.reach, c.says)
			}
		})
	}
}

// TestAuthDemandedBesideSASL: the advice to one who gave credentials is another.
func TestAuthDemandedBesideSASL(t *testing.T) {
	fake := digestServer("u", "p")
	refusing := tcpfake.Listen(t, func(c net.Conn) {
		j := &juteConn{conn: c}
		_, _ = j.receive()
		_ = j.send(granted())
		for n := range 2 {
			req, err := j.receive()
			if err != nil {
				return
			}
			token, code := fake(n, req[12:])
			_ = j.send(append(binary.BigEndian.AppendUint32(replyTo(req, 0, code), uint32(len(token))), token...))
		}
		if req, err := j.receive(); err == nil {
			_ = j.send(replyTo(req, 0, codeAuthDemanded))
		}
	})
	for addr, c := range map[string]struct {
		sasl *SASL
		says []string
	}{
		refusing:      {&SASL{Mechanism: DigestMD5, Username: "u", Password: "p"}, []string{"enforce.auth.schemes"}},
		fakeZK(t, -1): {nil, []string{"client's credentials", "DIGEST-MD5", "GSSAPI"}},
	} {
		_, err := Prober{CommitTimeout: 5 * time.Second, SASL: c.sasl}.Canary(t.Context(), []string{addr})
		var canary *CanaryError
		if !errors.As(err, &canary) || !canary.AuthDemanded() || slices.ContainsFunc(c.says, func(s string) bool { return !strings.Contains(err.Error(), s) }) {
			t.Errorf("got %v, want %q", err, c.says)
		}
	}
}

func FuzzSASLAnswers(f *testing.F) {
	f.Add([]byte(challenge), []byte("rspauth=ea40f60335c427b5527b84dbabcdfffd"))
	f.Add([]byte(nil), []byte(nil))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		s := SASL{Mechanism: DigestMD5, Username: "u", Password: "p"}
		n := 0
		err := s.digest(func([]byte) ([]byte, error) {
			n++
			return [][]byte{first, second}[n-1], nil
		})
		if err == nil {
			t.Errorf("nobody can know the answer to a random cnonce: %q, %q", first, second)
		}
	})
}
