package zkprobe

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/test/tcpfake"
)

// fakeKDC answers every question over TCP with the same bytes, and returns the krb5.conf that names it.
func fakeKDC(t *testing.T, answer []byte) string {
	t.Helper()
	return krb5Conf(tcpfake.Listen(t, func(c net.Conn) {
		var head [4]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return
		}
		if _, err := io.CopyN(io.Discard, c, int64(binary.BigEndian.Uint32(head[:]))); err != nil {
			return
		}
		_, _ = c.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(answer))), answer...))
	}))
}

func krb5Conf(kdc string) string {
	return fmt.Sprintf("includedir /etc/krb5.conf.d/\n[libdefaults]\n  default_realm = ZK.TEST\n[realms]\n  ZK.TEST = {\n    kdc = %s\n    v4_realm = ZK.TEST\n  }\n", kdc)
}

// krbError is a KDC's refusal; with an empty list of encryption types.
func krbError(t *testing.T, code int32) []byte {
	t.Helper()
	e := messages.NewKRBError(types.NewPrincipalName(2, "krbtgt/ZK.TEST"), "ZK.TEST", code, "")
	// PA-DATA of type 19, ETYPE-INFO2, whose value is an empty sequence.
	e.EData, _ = hex.DecodeString("300d300ba103020113a20404023000")
	b, err := e.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestKDCFailures(t *testing.T) {
	server := fakeSASL(t, func(int, []byte) ([]byte, int32) { t.Error("the server was asked without a ticket"); return nil, 0 })
	for name, c := range map[string]struct {
		conf  string
		reach vantage.Reach
		says  string
	}{
		"refused":                {krb5Conf(closedPort(t)), vantage.Answered, "no KDC of krb5.conf answers"},
		"clocks":                 {fakeKDC(t, krbError(t, errorcode.KRB_AP_ERR_SKEW)), vantage.Answered, "the clocks of this machine and the KDC"},
		"no encryption type":     {fakeKDC(t, krbError(t, errorcode.KDC_ERR_ETYPE_NOSUPP)), vantage.Answered, "AES keys"},
		"a policy":               {fakeKDC(t, krbError(t, errorcode.KDC_ERR_POLICY)), vantage.Answered, "the KDC gives no ticket: (12) KDC_ERR_POLICY"},
		"nothing to choose":      {fakeKDC(t, krbError(t, errorcode.KDC_ERR_PREAUTH_REQUIRED)), vantage.Answered, "makes no sense"},
		"garbage":                {fakeKDC(t, []byte("\x1b[2J\x00\x6b\x03")), vantage.Answered, "no ticket: "},
		"no KDC in krb5.conf":    {"[libdefaults]\n default_realm = ZK.TEST\n[realms]\n ZK.TEST = {\n }\n", vantage.Answered, "names no kdc"},
		"no realm":               {"", vantage.Answered, "has no realm"},
		"a krb5.conf with noise": {"[realms]\n}\n", vantage.Answered, "krb5.conf cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := Prober{CommitTimeout: time.Second, SASL: &SASL{Mechanism: GSSAPI, Principal: "canary", Password: "right-or-wrong", Krb5Conf: c.conf}}
			_, err := p.Canary(t.Context(), []string{server})
			var canary *CanaryError
			if !errors.As(err, &canary) || canary.Stage != CanaryTicket || canary.Reach != c.reach || canary.NoCommit || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %+v: %v, want %s and %q", canary, err, c.reach, c.says)
			}
			if strings.Contains(err.Error(), "right-or-wrong") || strings.ContainsAny(err.Error(), "\x1b\x00\n") {
				t.Errorf("error %q shows the password, or what the KDC wrote", err)
			}
		})
	}
}

// TestSilentKDC: our own limit ends the wait, and not the library's, which comes later.
func TestSilentKDC(t *testing.T) {
	gaveUp := make(chan struct{})
	silent := tcpfake.Listen(t, func(c net.Conn) {
		tcpfake.Silent(c)
		close(gaveUp)
	})
	server := fakeSASL(t, func(int, []byte) ([]byte, int32) { t.Error("the server was asked without a ticket"); return nil, 0 })
	p := Prober{CommitTimeout: 200 * time.Millisecond, SASL: &SASL{Mechanism: GSSAPI, Principal: "canary", Password: "p", Krb5Conf: krb5Conf(silent)}}
	_, err := p.Canary(t.Context(), []string{server})
	select {
	case <-gaveUp:
		t.Error("the wait for a ticket was the library's")
	default:
	}
	var canary *CanaryError
	if !errors.As(err, &canary) || canary.Stage != CanaryTicket || canary.Reach != vantage.Timeout || canary.NoCommit || !strings.Contains(err.Error(), "no Kerberos ticket within 200ms") {
		t.Errorf("got %+v: %v", canary, err)
	}
}

func TestCheckSASL(t *testing.T) {
	conf := krb5Conf("127.0.0.1:88")
	// A keytab with one key of other@ZK.TEST, of type 18; the key is 32 times 'k'.
	entry := "\x00\x01\x00\x07ZK.TEST\x00\x05other\x00\x00\x00\x01\x00\x00\x00\x01\x01\x00\x12\x00\x20" + strings.Repeat("k", 32)
	keytab := []byte("\x05\x02" + string(binary.BigEndian.AppendUint32(nil, uint32(len(entry)))) + entry)
	for name, c := range map[string]struct {
		sasl SASL
		says string // "" where nothing is missing
	}{
		"digest":                {SASL{Mechanism: DigestMD5, Username: "u", Password: "p"}, ""},
		"digest without":        {SASL{Mechanism: DigestMD5, Username: "u"}, "needs a user and a password"},
		"a password":            {SASL{Mechanism: GSSAPI, Principal: "u", Password: "p", Krb5Conf: conf}, ""},
		"a keytab":              {SASL{Mechanism: GSSAPI, Principal: "other@ZK.TEST", Keytab: keytab, Krb5Conf: conf}, ""},
		"a keytab of another":   {SASL{Mechanism: GSSAPI, Principal: "canary", Keytab: keytab, Krb5Conf: conf}, "no key of canary@ZK.TEST; it has those of: other@ZK.TEST"},
		"a keytab that is not":  {SASL{Mechanism: GSSAPI, Principal: "canary", Keytab: []byte("Server {"), Krb5Conf: conf}, "the keytab is not one"},
		"a keytab cut off":      {SASL{Mechanism: GSSAPI, Principal: "other", Keytab: keytab[:len(keytab)-4], Krb5Conf: conf}, "cut off"},
		"no principal":          {SASL{Mechanism: GSSAPI, Password: "p", Krb5Conf: conf}, "no principal"},
		"neither":               {SASL{Mechanism: GSSAPI, Principal: "u", Krb5Conf: conf}, "neither keytab nor password of u@ZK.TEST"},
		"a block in one line":   {SASL{Mechanism: GSSAPI, Principal: "u", Password: "p", Krb5Conf: "[realms]\n ZK.TEST = { kdc = 127.0.0.1 }\n"}, "krb5.conf cannot be read"},
		"a keytab of nothing":   {SASL{Mechanism: GSSAPI, Principal: "u", Keytab: []byte{5}, Krb5Conf: conf}, "the keytab is not one"},
		"no mechanism":          {SASL{Username: "u", Password: "p"}, "DIGEST-MD5 and GSSAPI"},
		"a mechanism of others": {SASL{Mechanism: "PLAIN", Username: "u", Password: "p"}, `"PLAIN"`},
	} {
		err := c.sasl.Check()
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: got %v, want %q", name, err, c.says)
		}
		if err != nil && strings.Contains(err.Error(), "kkk") {
			t.Errorf("%s: error %q shows a key", name, err)
		}
	}
}

func FuzzKeytab(f *testing.F) {
	f.Add([]byte("\x05\x02\x00\x00\x00\x05\x00\x01\x00\x07Z"))
	f.Add([]byte("\x05\x01\xff\xff\xff\x00"))
	f.Fuzz(func(t *testing.T, keytab []byte) {
		s := SASL{Mechanism: GSSAPI, Principal: "u", Password: "p", Keytab: keytab, Krb5Conf: krb5Conf("127.0.0.1:88")}
		if err := s.Check(); err != nil && strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' }) {
			t.Errorf("error %q", err)
		}
	})
}
