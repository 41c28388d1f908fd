package zkprobe

import (
	"strings"
	"testing"
)

// TestDigestOfRFC2831: the examples of its section 4.
func TestDigestOfRFC2831(t *testing.T) {
	for uri, c := range map[string]struct{ nonce, cnonce, response, rspauth string }{
		"imap/elwood.innosoft.com": {"OA6MG9tEQGm2hh", "OA6MHXh6VqTrRk", "d388dad90d4bbd760a152321f2143af7", "ea40f60335c427b5527b84dbabcdfffd"},
		"acap/elwood.innosoft.com": {"OA9BSXrbuRhWay", "OA9BSuZWMSpW8m", "6084c6db3fede7352c551284490fd0fc", "2f0b3d7c3c2e486600ef710726aa2eae"},
	} {
		challenge, err := parseChallenge([]byte(`realm="elwood.innosoft.com",nonce="` + c.nonce + `",qop="auth",algorithm=md5-sess,charset=utf-8`))
		if err != nil {
			t.Fatal(err)
		}
		got, err := challenge.answer(uri, "chris", "secret", c.cnonce)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(got.token), "response="+c.response+",") || got.rspauth != c.rspauth {
			t.Errorf("%s: got %s, rspauth=%s, want response=%s, rspauth=%s", uri, got.token, got.rspauth, c.response, c.rspauth)
		}
		if err := got.check([]byte("rspauth=" + c.rspauth)); err != nil {
			t.Error(err)
		}
		for _, wrong := range []string{"", "rspauth=", "rspauth=" + c.response, "rspauth=" + c.rspauth + ",rspauth=" + c.rspauth, "\x00"} {
			if got.check([]byte(wrong)) == nil {
				t.Errorf("%s: the server's proof may be %q", uri, wrong)
			}
		}
	}
}

func TestParseChallenge(t *testing.T) {
	got, err := parseChallenge([]byte(` , Nonce="a\"b\\c,d=e" ,realm="first, with a comma",realm=second,,algorithm=md5-sess , qop="auth-int, auth",cipher="rc4",`))
	if want := (digestChallenge{realm: "first, with a comma", nonce: `a"b\c,d=e`}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for name, text := range map[string]string{
		"empty":                   "",
		"no nonce":                `realm="r",algorithm=md5-sess`,
		"an empty nonce":          `nonce="",algorithm=md5-sess`,
		"two nonces":              `nonce="a",nonce="b",algorithm=md5-sess`,
		"a huge nonce":            `algorithm=md5-sess,nonce="` + strings.Repeat("n", maxChallenge) + `"`,
		"no algorithm":            `nonce="a"`,
		"another algorithm":       `nonce="a",algorithm=md5`,
		"privacy alone":           `nonce="a",algorithm=md5-sess,qop="auth-conf"`,
		"a realm with a newline":  "nonce=\"a\",algorithm=md5-sess,realm=\"x\nresponse=y\"",
		"a realm with an escape":  "nonce=\"a\",algorithm=md5-sess,realm=\"\x1b[2J\"",
		"quotes that stay open":   `nonce="a",algorithm=md5-sess,realm="r`,
		"an escape at the end":    `nonce="a",algorithm=md5-sess,realm="r\`,
		"no comma after a value":  `nonce="a"algorithm=md5-sess`,
		"a quote within a token":  `nonce=a"b",algorithm=md5-sess`,
		"a key alone":             `nonce="a",algorithm=md5-sess,stale`,
		"a value alone":           `nonce="a",algorithm=md5-sess,="x"`,
		"another protocol's text": "HTTP/1.1 400 Bad Request",
	} {
		if got, err := parseChallenge([]byte(text)); err == nil {
			t.Errorf("%s: taken for %+v", name, got)
		}
	}
}

// TestDigestCharacters: what is sent and what is hashed have their own encodings (RFC 2831, 2.1.2
// and 2.1.2.1).
func TestDigestCharacters(t *testing.T) {
	answer := func(c digestChallenge, user, password string) string {
		t.Helper()
		got, err := c.answer(digestURI, user, password, "c")
		if err != nil {
			t.Fatal(err)
		}
		return string(got.token)
	}
	response := func(token string) string {
		_, rest, _ := strings.Cut(token, "response=")
		return rest
	}
	utf8, old := digestChallenge{nonce: "n", utf8: true}, digestChallenge{nonce: "n"}
	if got := answer(utf8, "jürgen", "größe"); !strings.HasPrefix(got, `charset=utf-8,username="jürgen",nonce="n"`) {
		t.Errorf("got %q", got)
	} else if before := answer(old, "jürgen", "größe"); !strings.HasPrefix(before, "username=\"j\xfcrgen\",nonce") || response(got) != response(before) {
		t.Errorf("without UTF-8: got %q, want the same response as of %q", before, got)
	} else if bytes := answer(utf8, "j\xfcrgen", "gr\xf6\xdfe"); response(got) != response(bytes) {
		t.Errorf("got %q, want the hash over ISO 8859-1 as of %q", got, bytes)
	}
	if got := answer(utf8, `a"b\c`, "x"); !strings.Contains(got, `username="a\"b\\c"`) {
		t.Errorf("got %q", got)
	}
	if response(answer(utf8, "u", "密码")) == response(answer(utf8, "u", "密")) {
		t.Error("a password outside of ISO 8859-1 is not hashed")
	}
	if _, err := old.answer(digestURI, "u", "密码", "c"); err == nil {
		t.Error("a password that the server cannot have was taken")
	}
}

func FuzzChallenge(f *testing.F) {
	f.Add([]byte(`realm="zk-sasl-md5",nonce="FJwoTzHYg/6Yc5Y+yNWuOOqAmxC4ZAsWEdo0UBF4",charset=utf-8,algorithm=md5-sess`))
	f.Add([]byte(`nonce="a\"b",realm=x,realm="y",qop="auth,auth-int",algorithm=md5-sess`))
	f.Add([]byte("rspauth=ea40f60335c427b5527b84dbabcdfffd"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := parseChallenge(text)
		if err != nil {
			return
		}
		answer, err := c.answer(digestURI, "user", "password", "cnonce")
		if err != nil {
			t.Fatal(err)
		}
		// Whatever a server writes into its challenge stays in its own quotes.
		d, err := parseDirectives(answer.token)
		if len(answer.token) >= maxChallenge {
			return // its quotes and escapes make it longer than what is read here
		}
		if err != nil || len(d["nonce"]) != 1 || d["nonce"][0] != c.nonce || len(d["response"]) != 1 || len(d["username"]) != 1 || d["digest-uri"][0] != digestURI {
			t.Errorf("challenge %q: answer %q reads as %q, %v", text, answer.token, d, err)
		}
	})
}
