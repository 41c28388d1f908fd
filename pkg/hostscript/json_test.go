package hostscript

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// hostile are values that break out of a careless script, and arbitrary bytes.
func hostile() []string {
	out := []string{
		"plain", "'", "''", `\`, `\\'`, `"`, `\"`, `\u0000`, "a b", "$(touch pwned)", "`touch pwned`", "$HOME", "; touch pwned", "\n touch pwned\n", "x\n",
		"|touch pwned", "&& touch pwned", "' ; touch pwned ; '", `'"'"'`, "*", "?", "[a]", "!!", "#", "-n", "--", "-e", "%s%n", "\x1b[2J", "\x7f", "\x01",
		"\u009b2J", "\u202eabc", "\xff\xfe", "é", "日本", "\U0001f418", "\r\n", "\t", "\x1e} s - x", "}\n]\ns kind x", "\",\"kind\":\"x",
		"\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf0\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xe6\x97", "\xe6\x97x", "\u07ff\u0800\uffff\U00010000\U0010ffff",
	}
	r := rand.New(rand.NewSource(1))
	for range 60 {
		b := make([]byte, 1+r.Intn(24))
		for i := range b {
			if b[i] = byte(1 + r.Intn(255)); r.Intn(2) == 0 {
				const special = "'\"\\$`(){}[]*?!~#&|;<> \n\t=-%"
				b[i] = special[r.Intn(len(special))]
			}
		}
		out = append(out, string(b))
	}
	return out
}

// shown is what becomes of a value: one line of ASCII.
func shown(s string) string {
	out := []byte(s)
	for i, c := range out {
		if c < ' ' || c > '~' {
			out[i] = '?'
		}
	}
	return string(out)
}

// TestJSONHoldsAnyValue: whatever the bytes, those of ASCII come out of the document as
// they went in, and others as question marks.
func TestJSONHoldsAnyValue(t *testing.T) {
	all := hostile()
	script := means + "\nfor v in \"$@\"; do text \"$v\"; done | list\n"
	for _, s := range shells(t) {
		t.Run(s.name, func(t *testing.T) {
			cmd := s.command(t, script, nil, all...)
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			if i := strings.IndexFunc(string(out), func(r rune) bool { return r >= utf8.RuneSelf || r < ' ' && r != '\n' }); i >= 0 {
				t.Errorf("the document is not plain ASCII at byte %d: %q", i, out[max(0, i-20):i+1])
			}
			var got []string
			if err := json.Unmarshal(out, &got); err != nil {
				t.Fatalf("%v: %.2000s", err, out)
			}
			if len(got) != len(all) {
				t.Fatalf("%d values came out of %d", len(got), len(all))
			}
			for i := range all {
				if got[i] != shown(all[i]) {
					t.Errorf("%q came out as %q", all[i], got[i])
				}
			}
			leftBehind(t, cmd)
		})
	}
}

// TestJSONValues: numbers and truth values are themselves or null, never text that would break the
// document; what is too long is cut.
func TestJSONValues(t *testing.T) {
	long := strings.Repeat("x", 1030)
	script := means + "\nwhile [ $# -gt 0 ]; do \"$1\" \"$2\"; shift 2; done | list\n: | list\n"
	args := []string{
		"number", "0", "number", "42", "number", "007", "number", "-1", "number", "1e9", "number", "1}", "number", "", "number", "9999999999999999", "number", "1\n2",
		"truth", "yes", "truth", "no", "truth", "", "truth", "true", "text", "", "text", long, "text", " two  blanks ",
	}
	want := `[0,42,null,null,null,null,null,null,null,true,false,null,null,null,"` + long[:1024] + `"," two  blanks "]` + "\n[]\n"
	for _, s := range shells(t) {
		t.Run(s.name, func(t *testing.T) {
			out, err := s.command(t, script, nil, args...).Output()
			if err != nil || string(out) != want {
				t.Errorf("got %s, want %s (%v)", out, want, err)
			}
		})
	}
}

// TestHostileQuestions: even values that Script refuses arrive whole at the programs
// that they are meant for, and nothing of them is run.
func TestHostileQuestions(t *testing.T) {
	// The arbitrary ones say no more here, and each takes programs.
	values := hostile()[:50]
	q := Questions{Ensemble: values[4], Units: []string{"it's $(touch pwned)\n;touch pwned"}, Engine: "$(touch pwned)", Recorded: []string{"; touch pwned"}, Listen: []int{1}, Names: values}
	paths := q.pathsTo(values)
	script := string(paths.render())
	// Programs that only note what they are asked. A name service that does not know
	// keeps the script from asking the network.
	programs := map[string]string{
		"bash":   "shift 2; printf 'dial %s\\0' \"$@\" >&9; echo refused; exit 1\n",
		"getent": "shift; printf 'name %s\\0' \"$@\" >&9; exit 2\n",
	}
	for _, s := range shells(t) {
		if strings.HasPrefix(s.name, "dash with") {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			cmd := s.command(t, script, programs)
			asked := notes(t, cmd)
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			var got struct {
				Ensemble string
				Units    []struct{ Name string }
				Names    []struct{ Name, Result string }
				Paths    []struct{ Via, Host, Result string }
			}
			if err := json.Unmarshal(out, &got); err != nil {
				t.Fatalf("%v: %.2000s", err, out)
			}
			if got.Ensemble != shown(q.Ensemble) {
				t.Errorf("the ensemble is %q", got.Ensemble)
			}
			var names, hosts []string
			for _, n := range got.Names {
				names = append(names, n.Name+" "+n.Result)
			}
			for _, p := range got.Paths {
				hosts = append(hosts, p.Host+" "+p.Result)
			}
			var wantNames, wantHosts, wantAsked []string
			for _, v := range values {
				wantNames, wantHosts = append(wantNames, shown(v)+" not-found"), append(wantHosts, shown(v)+" closed")
				wantAsked = append(wantAsked, "name "+v, "dial "+v, "dial 7")
			}
			sameSet(t, "names", names, wantNames)
			sameSet(t, "paths", hosts, wantHosts)
			sameSet(t, "asked", asked(), wantAsked)
			leftBehind(t, cmd)
		})
	}
}

func sameSet(t *testing.T, what string, got, want []string) {
	t.Helper()
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		for i := range min(len(got), len(want)) {
			if got[i] != want[i] {
				t.Errorf("%s: %q, want %q", what, got[i], want[i])
				return
			}
		}
		t.Errorf("%s: %d of %d came", what, len(got), len(want))
	}
}

func (q Questions) pathsTo(hosts []string) Questions {
	for i, h := range hosts {
		q.Paths = append(q.Paths, target(i%255+1, h, 7))
	}
	return q
}

func ExampleQuestions_Digest() {
	a, b := Questions{Ensemble: "a"}, Questions{Ensemble: "b"}
	fmt.Println(a.Digest() == b.Digest(), len(a.Digest()))
	// Output: false 16
}
