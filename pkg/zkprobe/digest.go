package zkprobe

import (
	"crypto/md5" // RFC 2831 asks for it
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	// digestURI is the same for all servers: SecurityUtils has protocol and server name in its code.
	digestURI = "zookeeper/zk-sasl-md5"
	// maxChallenge is RFC 2831's bound of a challenge (2.1.1).
	maxChallenge = 2048
)

// digest authenticates by DIGEST-MD5 (RFC 2831), quality of protection auth. It tells the server
// nothing that would do for a second session, and checks that the server knows the password, too.
func (s *SASL) digest(ask exchange) error {
	failed := func(format string, a ...any) error {
		return &SASLError{Mechanism: DigestMD5, Client: s.Username, Reason: fmt.Sprintf(format, a...)}
	}
	compare := fmt.Sprintf("compare user and password with the line user_%s in the section Server of this server's JAAS file", s.Username)
	refused := func(err error) error {
		var no *refusedTokenError
		if !errors.As(err, &no) {
			return err
		}
		return &SASLError{Mechanism: DigestMD5, Client: s.Username, Code: no.code, Err: no.closed,
			Reason: fmt.Sprintf("%v: %s; a section that logs in to Kerberos wants %s", no, compare, GSSAPI)}
	}
	token, err := ask(nil)
	if err != nil {
		return refused(err)
	}
	if token == nil {
		return failed(noSASL)
	}
	challenge, err := parseChallenge(token)
	if err != nil {
		return failed("the server's challenge is not one of %s (RFC 2831): %v", DigestMD5, err)
	}
	cnonce := rand.Text()
	answer, err := challenge.answer(digestURI, s.Username, s.Password, cnonce)
	if err != nil {
		return failed("%v", err)
	}
	last, err := ask(answer.token)
	if err != nil {
		return refused(err)
	}
	if err := answer.check(last); err != nil {
		return failed("%v: %s, and check what listens there", err, compare)
	}
	return nil
}

// digestChallenge is what counts of a server's digest-challenge.
type digestChallenge struct {
	realm, nonce string
	utf8         bool
}

func parseChallenge(token []byte) (digestChallenge, error) {
	d, err := parseDirectives(token)
	if err != nil {
		return digestChallenge{}, err
	}
	if len(d["nonce"]) != 1 || d["nonce"][0] == "" {
		return digestChallenge{}, errors.New("it has to have one nonce")
	}
	if len(d["algorithm"]) != 1 || d["algorithm"][0] != "md5-sess" {
		return digestChallenge{}, errors.New("its algorithm has to be md5-sess")
	}
	if qop := d["qop"]; len(qop) > 0 && !offersAuth(qop[0]) {
		return digestChallenge{}, errors.New("it asks for integrity or privacy of all that follows, which ZooKeeper does not have")
	}
	c := digestChallenge{nonce: d["nonce"][0], utf8: len(d["charset"]) == 1 && d["charset"][0] == "utf-8"}
	if len(d["realm"]) > 0 {
		c.realm = d["realm"][0]
	}
	return c, nil
}

func offersAuth(qop string) bool {
	for q := range strings.SplitSeq(qop, ",") {
		if strings.TrimSpace(q) == "auth" {
			return true
		}
	}
	return false
}

// parseDirectives reads RFC 2831's lists: key=token or key="quoted \" string", with commas.
// Keys are in lower case; errors hold nothing of the text.
func parseDirectives(text []byte) (map[string][]string, error) {
	if len(text) >= maxChallenge {
		return nil, fmt.Errorf("it has %d bytes, and %d are too many", len(text), maxChallenge)
	}
	for i, c := range text {
		if c < ' ' || c == 0x7f {
			return nil, fmt.Errorf("byte %d of it is a control character", i+1)
		}
	}
	found := map[string][]string{}
	for s := strings.TrimLeft(string(text), " ,"); s != ""; s = strings.TrimLeft(s, " ,") {
		key, rest, ok := strings.Cut(s, "=")
		if key = strings.ToLower(strings.TrimSpace(key)); !ok || key == "" || strings.ContainsAny(key, `", `) {
			return nil, errors.New("it is not a list of key=value")
		}
		value, rest, ok := directiveValue(strings.TrimLeft(rest, " "))
		if rest = strings.TrimLeft(rest, " "); !ok || rest != "" && rest[0] != ',' {
			return nil, errors.New("a value in it does not end where the next key begins")
		}
		found[key], s = append(found[key], value), rest
	}
	return found, nil
}

// directiveValue takes one value off the front; false where its quotes do not close.
func directiveValue(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, ", ")
		if end < 0 {
			end = len(s)
		}
		return s[:end], s[end:], !strings.Contains(s[:end], `"`)
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:], true
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}

// digestAnswer is a digest-response, and the rspauth of a server that knows the password.
type digestAnswer struct {
	token   []byte
	rspauth string
}

// answer computes the response (2.1.2.1).
func (c digestChallenge) answer(uri, user, password, cnonce string) (digestAnswer, error) {
	const nc, qop = "00000001", "auth"
	sent := user
	if !c.utf8 {
		for _, s := range []string{user, password} {
			if latin1(s) == s && !ascii(s) {
				return digestAnswer{}, errors.New("the server reads ISO 8859-1 alone, which does not have all characters of user and password")
			}
		}
		sent = latin1(user)
	}
	sum := func(parts ...string) string {
		h := md5.Sum([]byte(strings.Join(parts, ":")))
		return string(h[:])
	}
	hexed := func(parts ...string) string { return hex.EncodeToString([]byte(sum(parts...))) }
	a1 := hexed(sum(latin1(user), latin1(c.realm), latin1(password)), c.nonce, cnonce)
	response := func(a2 string) string { return hexed(a1, c.nonce, nc, cnonce, qop, a2) }

	var b strings.Builder
	if c.utf8 {
		b.WriteString("charset=utf-8,")
	}
	fmt.Fprintf(&b, "username=%s,", quoted(sent))
	if c.realm != "" {
		fmt.Fprintf(&b, "realm=%s,", quoted(c.realm))
	}
	fmt.Fprintf(&b, "nonce=%s,nc=%s,cnonce=%s,digest-uri=%s,response=%s,qop=%s",
		quoted(c.nonce), nc, quoted(cnonce), quoted(uri), response(hexed("AUTHENTICATE", uri)), qop)
	return digestAnswer{token: []byte(b.String()), rspauth: response(hexed("", uri))}, nil
}

// check judges the server's last token (2.1.3). A server with allowSaslFailedClients sends none
// to a client with a wrong password.
func (a digestAnswer) check(token []byte) error {
	d, err := parseDirectives(token)
	if err != nil || len(d["rspauth"]) != 1 || d["rspauth"][0] != a.rspauth {
		return errors.New("the server did not prove that it knows the same password")
	}
	return nil
}

func quoted(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` }

// latin1 is the text in ISO 8859-1 where that has all its characters, as the hash wants it, and
// as it is where not.
func latin1(s string) string {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return s
		}
		b = append(b, byte(r))
	}
	return string(b)
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}
