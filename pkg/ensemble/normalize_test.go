package ensemble

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestPlain(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"plain stays":     {"# c\na=1\n\nb=2\n", "# c\na=1\n\nb=2\n"},
		"separators":      {" a : 1 \n\tb 2\nc\n", "a=1\nb=2\nc=\n"},
		"line ends":       {"a=1\r\n# c\r\n\r\nb=2\rc=3", "a=1\n# c\n\nb=2\nc=3\n"},
		"continuations":   {"a=1,\\\n   2\n#x\nserver.1=\\\r\n  zk1:1:2\n", "a=1,2\n#x\nserver.1=zk1:1:2\n"},
		"duplicates":      {"a=1\nb=2\na=3\n", "b=2\na=3\n"},
		"latin-1":         {"! caf\xe9\na=\xe9\n", "! café\na=\\u00e9\n"},
		"utf-8 comment":   {"# café\na=1", "# café\na=1\n"},
		"backslashes":     {"dataDir=C:\\\\zk\n", "dataDir=C:\\\\zk\n"},
		"open lines":      {"a=1\\", "a=1\n"},
		"lone backslash":  {"\\\n# c\nb=1\n", "# c\nb=1\n"},
		"comment blanks":  {"   # c   \n a=1\n  \nb=2", "   # c\na=1\n\nb=2\n"},
		"nothing at all":  {"", ""},
		"comment no line": {"a=1\n# c", "a=1\n# c\n"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, string(mustProperties(t, tc.text).Plain().Bytes())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// checkPlain: the plain file says the same, cannot be made plainer, and a
// line-by-line reader that knows nothing of continuations sees every key.
func checkPlain(t *testing.T, text []byte) {
	t.Helper()
	p, err := ParseProperties("f", text)
	if err != nil {
		return
	}
	trimmed := map[string]bool{}
	for _, k := range p.Keys() {
		if trimmed[javaTrim(k)] || javaTrim(k) == "" {
			return // two keys that ZooKeeper takes for one; ParseConfig refuses them
		}
		trimmed[javaTrim(k)] = true
	}
	plain := p.Plain()
	if !utf8.Valid(plain.Bytes()) {
		t.Fatalf("%q: not UTF-8: %q", text, plain.Bytes())
	}
	if again := plain.Plain().Bytes(); string(again) != string(plain.Bytes()) {
		t.Fatalf("%q: plain is %q and then %q", text, plain.Bytes(), again)
	}
	if len(plain.Keys()) != len(p.Keys()) {
		t.Fatalf("%q: keys %q became %q", text, p.Keys(), plain.Keys())
	}
	for _, k := range p.Keys() {
		was, _ := p.Get(k)
		if is, ok := plain.Get(javaTrim(k)); !ok || is != javaTrim(was) {
			t.Fatalf("%q: %q was %q and is %q, %v", text, k, was, is, ok)
		}
		if line := escapeKey(javaTrim(k)) + "="; !strings.HasPrefix(string(plain.Bytes()), line) && !strings.Contains(string(plain.Bytes()), "\n"+line) {
			t.Fatalf("%q: no line %q in %q", text, line, plain.Bytes())
		}
	}
}

func TestPlainSaysTheSame(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 4))
	for range 20000 {
		checkPlain(t, randomProperties(rng))
	}
	for _, c := range readCorpus(t) {
		checkPlain(t, c.zooCfg)
	}
}
