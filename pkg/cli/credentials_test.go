package cli

import (
	"strings"
	"testing"
)

// TestCredentialsOfAnotherKind: a file that is none is not quoted, for it may be the
// password's; a mistyped name in one that is, is told.
func TestCredentialsOfAnotherKind(t *testing.T) {
	const secret = "s3cr3t"
	for _, text := range []string{secret, "*" + secret, secret + ":", "{" + secret + "}", "!!int " + secret, "a: 1\n" + secret + ": 2\n" + secret + ": 3\n", "tls: " + secret, ""} {
		var d deps
		err := d.useCredentials("creds", []byte(text), nil)
		if err == nil || strings.Contains(err.Error(), secret) || !strings.Contains(err.Error(), "creds") || !strings.Contains(err.Error(), "passwordFile") {
			t.Errorf("%q: %v", text, err)
		}
	}
	var d deps
	if err := d.useCredentials("creds", []byte("sasl:\n  passwordfil: x\n"), nil); err == nil || !strings.Contains(err.Error(), `unknown field "passwordfil"`) {
		t.Errorf("a mistyped name: %v", err)
	}
}

// TestNameOfASecret: one that is none is a usage error, and nobody is asked.
func TestNameOfASecret(t *testing.T) {
	for _, from := range []string{"secret/", "secret/a/b", "secret/A_b"} {
		var d deps
		var out strings.Builder
		if code := report(&out, d.loadCredentials(t.Context(), "--credentials", from)); code != exitUsage {
			t.Errorf("%s: exit code %d: %s", from, code, out.String())
		}
	}
}
