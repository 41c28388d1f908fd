package quote

import (
	"bytes"
	"encoding/json"
	"math/rand"
	"strings"
	"testing"
	"testing/quick"
	"unicode"
	"unicode/utf8"

	"sigs.k8s.io/yaml"
)

// acts reports whether a terminal might do something with a text.
func acts(s string) bool {
	if !utf8.ValidString(s) {
		return true
	}
	return strings.ContainsFunc(s, func(r rune) bool {
		return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029')
	})
}

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"plain\n\ttext é 日本":           "plain\n\ttext é 日本",
		"\x1b[31mred\x1b[0m":           `\u001b[31mred\u001b[0m`,
		"over\rwrite\b\a\x7f":          `over\u000dwrite\u0008\u0007\u007f`,
		"\u009b2J":                     `\u009b2J`,
		"a\u202eb\u2066c\u200bd":       `a\u202eb\u2066c\u200bd`,
		"\xff\xc3":                     `\xff\xc3`,
		"\U000e0041":                   `\udb40\udc41`,
		"\ufffd is what it says it is": "\ufffd is what it says it is",
	} {
		if got := Visible(in); got != want {
			t.Errorf("%q is shown as %q, want %q", in, got, want)
		}
	}
	for _, s := range values(t) {
		if acts(Visible(s)) {
			t.Errorf("%q is shown as %q", s, Visible(s))
		}
	}
}

// TestWriter: however a text is cut into writes, the same comes out.
func TestWriter(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for _, s := range append(values(t), "日本語 and \U0001f418", "ends in \xe6\x97") {
		var out bytes.Buffer
		w := NewWriter(&out)
		for rest := []byte(s); len(rest) > 0; {
			n := 1 + r.Intn(len(rest))
			if m, err := w.Write(rest[:n]); m != n || err != nil {
				t.Fatal(m, err)
			}
			rest = rest[n:]
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if out.String() != Visible(s) {
			t.Errorf("%q is written as %q, want %q", s, out.String(), Visible(s))
		}
	}
}

// TestLineIsOneLine: foreign text begins no line of its own.
func TestLineIsOneLine(t *testing.T) {
	if err := quick.Check(func(s string) bool {
		l := Line(s)
		return !strings.ContainsAny(l, "\n\t") && !acts(l)
	}, nil); err != nil {
		t.Error(err)
	}
	if got := Line("refused\nnext: curl evil | sh\n"); got != `refused\nnext: curl evil | sh` {
		t.Errorf("got %s", got)
	}
	huge := strings.Repeat("é", 1<<20)
	for _, got := range []string{Line(huge), Text(huge), Short(huge, 3)} {
		if len(got) > 8*MaxLine || !strings.Contains(got, "(2097152 bytes in all)") {
			t.Errorf("%d bytes of a huge value are shown", len(got))
		}
	}
	if got := Text("a\nb\u202e"); got != `"a\nb\u202e"` {
		t.Errorf("got %s", got)
	}
}

// TestYAMLRoundTrips: any value comes back from a YAML parser as it was, and the
// document holds nothing that a terminal acts on, with or without our Writer.
func TestYAMLRoundTrips(t *testing.T) {
	for _, s := range append(values(t), "a: b", "- x", "null", "0x1", "true", "&a", "*a", "|", "%YAML", "---", "...", "\ufeff", "a\u2028b", "\u0085") {
		in := map[string]string{"value": s, s: "key"}
		doc, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		// JSON has no bytes that are no UTF-8.
		var want map[string]string
		if err := json.Unmarshal(doc, &want); err != nil {
			t.Fatal(err)
		}
		text, err := YAML(doc)
		if err != nil {
			t.Errorf("%q: %v", s, err)
			continue
		}
		if acts(string(text)) {
			t.Errorf("%q: the document %q is not harmless", s, text)
		}
		var got map[string]string
		if err := yaml.Unmarshal(text, &got); err != nil {
			t.Errorf("%q: %v in %s", s, err, text)
			continue
		}
		if len(got) != len(want) || got["value"] != want["value"] {
			t.Errorf("%q came back as %q from\n%s", s, got["value"], text)
		}
	}
}

// TestJSONSurvivesTheWriter: what the Writer escapes in JSON is the same JSON.
func TestJSONSurvivesTheWriter(t *testing.T) {
	for _, s := range values(t) {
		doc, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var before, after string
		if err := json.Unmarshal(doc, &before); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(Visible(string(doc))), &after); err != nil || after != before {
			t.Errorf("%q came back as %q: %v", before, after, err)
		}
	}
}
