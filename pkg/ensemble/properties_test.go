package ensemble

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func mustProperties(t *testing.T, text string) *Properties {
	t.Helper()
	p, err := ParseProperties("zoo.cfg", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

type kv struct {
	Key, Value string
	Line       int
}

func entriesOf(p *Properties) []kv {
	var out []kv
	for _, k := range p.Keys() {
		v, _ := p.Get(k)
		out = append(out, kv{k, v, p.Line(k)})
	}
	return out
}

func TestParseProperties(t *testing.T) {
	tests := map[string]struct {
		text string
		want []kv
	}{
		"equals":                         {"a=1\nb=2\n", []kv{{"a", "1", 1}, {"b", "2", 2}}},
		"colon":                          {"a:1", []kv{{"a", "1", 1}}},
		"blanks":                         {"a 1\nb\t2\nc\f3", []kv{{"a", "1", 1}, {"b", "2", 2}, {"c", "3", 3}}},
		"blanks around":                  {"  a  =  1  \n", []kv{{"a", "1  ", 1}}},
		"two separators":                 {"a = = b\nc : : d\n", []kv{{"a", "= b", 1}, {"c", ": d", 2}}},
		"no value":                       {"a\nb=\nc =\n", []kv{{"a", "", 1}, {"b", "", 2}, {"c", "", 3}}},
		"comments":                       {"#a=1\n  ! b=2\nc=3 # no comment\n", []kv{{"c", "3 # no comment", 3}}},
		"comments go on for one line":    {"# a \\\nb=2\n", []kv{{"b", "2", 2}}},
		"crlf":                           {"a=1\r\n\r\nb=2\r\n", []kv{{"a", "1", 1}, {"b", "2", 3}}},
		"cr":                             {"a=1\rb=2\r", []kv{{"a", "1", 1}, {"b", "2", 2}}},
		"continuation":                   {"a=1,\\\n   2,\\\r\n\t3\nb=4", []kv{{"a", "1,2,3", 1}, {"b", "4", 4}}},
		"continuation in the key":        {"ab\\\n  cd=1", []kv{{"abcd", "1", 1}}},
		"continuation before separator":  {"ab\\\n  =1", []kv{{"ab", "1", 1}}},
		"even backslashes":               {"a=1\\\\\nb=2", []kv{{"a", `1\`, 1}, {"b", "2", 2}}},
		"continued into a comment sign":  {"a=1\\\n#2\n", []kv{{"a", "1#2", 1}}},
		"continued into an empty line":   {"a=1\\\n\nb=2", []kv{{"a", "1", 1}, {"b", "2", 3}}},
		"backslash ends the file":        {"a=1\\", []kv{{"a", "1", 1}}},
		"backslash newline ends file":    {"a=1\\\n", []kv{{"a", "1", 1}}},
		"lone backslash line":            {"\\\na=1", []kv{{"a", "1", 1}}},
		"lone backslash, then a comment": {"\\\n#a=1\nb=2", []kv{{"b", "2", 3}}},
		"lone backslash is an empty key": {"\\", []kv{{"", "", 1}}},
		"escapes":                        {`a\ b\:c\=d=\ x\ty\qz\\`, []kv{{"a b:c=d", " x\tyqz\\", 1}}},
		"unicode escapes":                {`a=A\u00e9\uD83D\uDE00`, []kv{{"a", "Aé😀", 1}}},
		"latin-1":                        {"a=caf\xe9", []kv{{"a", "café", 1}}},
		"utf-8 is read as latin-1":       {"a=café", []kv{{"a", "cafÃ©", 1}}},
		"windows path loses backslashes": {`dataDir=C:\zk\data`, []kv{{"dataDir", "C:zkdata", 1}}},
		"last duplicate wins":            {"a=1\nb=2\na=3\n", []kv{{"a", "3", 3}, {"b", "2", 2}}},
		"nothing":                        {"", nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p := mustProperties(t, tc.text)
			if diff := cmp.Diff(tc.want, entriesOf(p)); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
			if got := p.Bytes(); !bytes.Equal(got, []byte(tc.text)) {
				t.Errorf("bytes changed: %q", got)
			}
		})
	}
}

func TestParsePropertiesRefusesBadEscapes(t *testing.T) {
	for _, text := range []string{`a=\u12`, `a=\u12g4`, `\u=1`, `a=\uü123`} {
		_, err := ParseProperties("zoo.cfg", []byte("x=1\n"+text))
		var in *InputError
		if !errors.As(err, &in) || in.Line != 2 || in.File != "zoo.cfg" {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func TestSet(t *testing.T) {
	tests := map[string]struct{ text, key, value, want string }{
		"keeps the style":              {"  server.1 \t=  old\r\nb=2", "server.1", "new", "  server.1 \t=  new\r\nb=2"},
		"keeps a colon":                {"a: 1\n", "a", "2", "a: 2\n"},
		"keeps a blank":                {"a 1\n", "a", "2", "a 2\n"},
		"escapes behind a blank":       {"a 1\n", "a", "=2", "a \\=2\n"},
		"takes a missing separator":    {"a\nb=1\n", "a", "2", "a=2\nb=1\n"},
		"a blank that is the key":      {"\\ \n", " ", "2", "\\ =2\n"},
		"fills an empty value":         {"a=\nb=1\n", "a", "2", "a=2\nb=1\n"},
		"same value changes nothing":   {"a=1\\\n  2\n", "a", "12", "a=1\\\n  2\n"},
		"replaces a continued value":   {"a=1\\\n  2\nb=3\n", "a", "x", "a=x\nb=3\n"},
		"keeps a continuation before":  {"a=\\\n  2\nb=3\n", "a", "x", "a=\\\n  x\nb=3\n"},
		"changes the last duplicate":   {"a=1\na=2\n", "a", "3", "a=1\na=3\n"},
		"appends":                      {"a=1\n", "b", "2", "a=1\nb=2\n"},
		"appends with crlf":            {"a=1\r\nc=1\r\n", "b", "2", "a=1\r\nc=1\r\nb=2\r\n"},
		"ends the last line first":     {"a=1", "b", "2", "a=1\nb=2\n"},
		"ends a comment first":         {"a=1\n# end", "b", "2", "a=1\n# end\nb=2\n"},
		"ends an open line first":      {"a=1\\", "b", "2", "a=1\\\n\nb=2\n"},
		"ends an open line, newline":   {"a=1\\\n", "b", "2", "a=1\\\n\nb=2\n"},
		"ends an open line, blanks":    {"a=1\\\n  ", "b", "2", "a=1\\\n  \nb=2\n"},
		"into an empty file":           {"", "b", "2", "b=2\n"},
		"escapes":                      {"", "a b", " x\\y\té", "a\\ b=\\ x\\\\y\\t\\u00e9\n"},
		"drops blanks behind old text": {"a=1   \nb=2", "a", "3", "a=3\nb=2"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p := mustProperties(t, tc.text)
			p.Set(tc.key, tc.value)
			if diff := cmp.Diff(tc.want, string(p.Bytes())); diff != "" {
				t.Errorf("file (-want +got):\n%s", diff)
			}
			if got, _ := p.Get(tc.key); got != tc.value {
				t.Errorf("read back %q, want %q", got, tc.value)
			}
		})
	}
}

func TestDelete(t *testing.T) {
	tests := map[string]struct{ text, key, want string }{
		"a line":                {"a=1\nb=2\nc=3\n", "b", "a=1\nc=3\n"},
		"with its blanks":       {"a=1\n  b=2\r\nc=3\n", "b", "a=1\nc=3\n"},
		"all duplicates":        {"a=1\nb=2\na=3\n", "a", "b=2\n"},
		"a continued line":      {"a=1\\\n 2\nb=2", "a", "b=2"},
		"comments stay":         {"# about a\na=1\n# end", "a", "# about a\n# end"},
		"something not there":   {"a=1\n", "b", "a=1\n"},
		"the last without line": {"a=1\nb=2", "b", "a=1\n"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p := mustProperties(t, tc.text)
			p.Delete(tc.key)
			if diff := cmp.Diff(tc.want, string(p.Bytes())); diff != "" {
				t.Errorf("file (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCloneIsIndependent(t *testing.T) {
	p := mustProperties(t, "a=1\n")
	q := p.Clone()
	q.Set("a", "2")
	if got := string(p.Bytes()); got != "a=1\n" {
		t.Errorf("the original became %q", got)
	}
}

func TestLinesAndText(t *testing.T) {
	p := mustProperties(t, "a=1\n# x\n  a = caf\xe9 \\\n  more\r\nb=é\n")
	if diff := cmp.Diff([]int{1, 3}, p.Lines("a")); diff != "" {
		t.Error(diff)
	}
	if got, want := p.Text("a"), "a = café \\\n  more"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := p.Text("b"), "b=é"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestTextsHideSecrets: lines are quoted in what people see, and a password ends where its
// line does, however it looks.
func TestTextsHideSecrets(t *testing.T) {
	const secret = "s3cr3t"
	for _, line := range []string{
		"ssl.keyStore.password=" + secret, "ssl.keyStore.password a," + secret, "ssl.keyStore.password: a b" + secret, "ssl.keyStore.password=a\\\n " + secret,
		"ssl.keyStore.pass\\u0077ord=" + secret, "zookeeper.ssl.keyStore.password=" + secret, "SSL.keystore.PASSWORD=" + secret,
		"ssl.keyStore.password=\\u" + secret, "DigestAuthenticationProvider.superDigest=super:" + secret,
	} {
		text := ""
		p, err := ParseProperties("zoo.cfg", []byte("ssl.keyStore.password=first\n"+line+"\n"))
		if err != nil {
			text = err.Error()
		} else {
			text = p.Text(p.Keys()[len(p.Keys())-1])
		}
		if strings.Contains(text, secret) || !strings.Contains(text, "<hidden>") {
			t.Errorf("%q: %s", line, text)
		}
	}
}

// checkEdit is the property Set has to keep: the key has the value, every
// other key keeps its own, every other line its bytes.
func checkEdit(t *testing.T, text []byte, key, value string) {
	t.Helper()
	p, err := ParseProperties("f", text)
	if err != nil {
		return
	}
	before := p.Clone()
	if _, odd := p.Get(""); odd {
		return // a lone backslash at the end of the file; no zoo.cfg has that
	}
	p.Set(key, value)
	if got, _ := p.Get(key); got != value {
		t.Fatalf("Set(%q, %q) in %q: read back %q from %q", key, value, text, got, p.Bytes())
	}
	for _, k := range before.Keys() {
		was, _ := before.Get(k)
		if is, ok := p.Get(k); k != key && (!ok || is != was) {
			t.Fatalf("Set(%q, %q) in %q: %q was %q and is %q in %q", key, value, text, k, was, is, p.Bytes())
		}
	}
	if n := len(before.Keys()); before.Line(key) == 0 && len(p.Keys()) != n+1 || before.Line(key) > 0 && len(p.Keys()) != n {
		t.Fatalf("Set(%q, %q) in %q: %d keys became %d", key, value, text, n, len(p.Keys()))
	}
	if before.Line(key) == 0 && !bytes.HasPrefix(p.Bytes(), text) {
		t.Fatalf("Set(%q, %q) in %q: earlier bytes changed: %q", key, value, text, p.Bytes())
	}
	p.Delete(key)
	if _, ok := p.Get(key); ok {
		t.Fatalf("Delete(%q) left it in %q", key, p.Bytes())
	}
	for _, k := range before.Keys() {
		was, _ := before.Get(k)
		if is, ok := p.Get(k); k != key && (!ok || is != was) {
			t.Fatalf("Delete(%q) in %q: %q was %q and is %q", key, text, k, was, is)
		}
	}
}

func TestEditsKeepTheRestOfGeneratedFiles(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for range 20000 {
		text := randomProperties(rng)
		keys := []string{"a", "server.1", "new", "dataDir", "k y"}
		values := []string{"", "x", "=x", " x", ":", "#", `\`, "é", "10.0.0.1:2888:3888;2181", "\n", "x "}
		checkEdit(t, text, keys[rng.IntN(len(keys))], values[rng.IntN(len(values))])
	}
}

// randomProperties strings together pieces that matter to the reader.
func randomProperties(rng *rand.Rand) []byte {
	pieces := []string{
		"a", "server.1", "dataDir", "=", ":", " ", "\t", "\f", "\n", "\r\n", "\r", "\\", "\\\n", "\\\r\n  ",
		"#", "!", "1", "zk1:2888:3888", "\\u0041", "\\ ", "\xe9", "é", "x=1\n", "\n\n", "k\\ y=2\n",
	}
	var b strings.Builder
	for range rng.IntN(14) {
		b.WriteString(pieces[rng.IntN(len(pieces))])
	}
	return []byte(b.String())
}

func FuzzProperties(f *testing.F) {
	for _, seed := range []string{
		"a=1\nserver.1 = zk1:2888:3888\r\n", "a=1\\\n  2\n# c\n", "\\", "a\\\n", "\\\n#x\nb", `a=\u0041\ud83d`,
		"k\f:\tv\r", "=\n:\n", " a = = b", "a=\\\n\n",
	} {
		f.Add([]byte(seed), "server.1", "x")
	}
	f.Fuzz(func(t *testing.T, data []byte, key, value string) {
		p, err := ParseProperties("f", data)
		if err != nil {
			return
		}
		if !bytes.Equal(p.Bytes(), data) {
			t.Fatalf("bytes changed: %q", p.Bytes())
		}
		for _, s := range []string{key, value} {
			if strings.ToValidUTF8(s, "") != s {
				return
			}
		}
		if key != "" {
			checkEdit(t, data, key, value)
		}
	})
}
