package quote

import (
	"bytes"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/quick"
)

// hostile are values that break out of a careless command.
func hostile() []string {
	return []string{
		"", " ", "'", "''", "'''", `\`, `\\'`, `"`, "a b", "$(touch pwned)", "`touch pwned`", "$HOME", "${HOME}", "; touch pwned",
		"a\n touch pwned", "\n", "x\n", "|touch pwned", "&& touch pwned", "' ; touch pwned ; '", `'"'"'`, "~", "~root", "*", "?", "[a]",
		"!!", "#", "-n", "--", "-e", "a=b", "\x1b[2J", "\x7f", "\u009b2J", "\u202eabc", "\xff\xfe", "é", "日本", "\r\n", "\t", "{a,b}", "<x", ">x",
		"/var/lib/zoo keeper/it's $(touch pwned) `touch pwned`\n; touch pwned #",
	}
}

// values are the hostile ones and arbitrary bytes.
func values(t *testing.T) []string {
	out := hostile()
	r := rand.New(rand.NewSource(1))
	for range 300 {
		b := make([]byte, r.Intn(24))
		for i := range b {
			// A shell has no zero bytes; half of the others mean something to it.
			if b[i] = byte(1 + r.Intn(255)); r.Intn(2) == 0 {
				const special = "'\"\\$`(){}[]*?!~#&|;<> \n\t=-"
				b[i] = special[r.Intn(len(special))]
			}
		}
		out = append(out, string(b))
	}
	return out
}

// TestShellWordRoundTrips: every value comes out of real shells as it went in,
// and nothing of it is run.
func TestShellWordRoundTrips(t *testing.T) {
	all := values(t)
	for _, shell := range []string{"sh", "dash", "bash"} {
		t.Run(shell, func(t *testing.T) {
			dir := t.TempDir()
			got := run(t, dir, shell, `printf '%s\0' `+Words(all).String())
			same(t, all, got)
			untouched(t, dir)
		})
	}
}

// TestSSHRoundTrips: twice evaluated, as by the local shell and the host's.
func TestSSHRoundTrips(t *testing.T) {
	all := values(t)
	for _, shell := range []string{"dash", "bash"} {
		t.Run(shell, func(t *testing.T) {
			dir := t.TempDir()
			bin := filepath.Join(dir, "ssh")
			// The far side: what ssh gets after the host is joined by blanks and
			// read by a shell.
			script := "#!/bin/sh\n[ \"$1\" = -- ] && shift\nhost=$1; shift\nprintf '%s\\0' \"$host\"\nexec " + shell + " -c \"$*\"\n"
			if err := os.WriteFile(bin, []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
			t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
			for _, host := range []string{"10.0.0.1", "fd00::1", "-oProxyCommand=touch pwned", "a b;touch pwned"} {
				got := run(t, dir, shell, SSH(host, `printf '%s\0' `+Words(all).String()))
				same(t, append([]string{host}, all...), got)
			}
			untouched(t, dir)
		})
	}
}

func TestShellWordsStayReadable(t *testing.T) {
	for in, want := range map[string]string{"zk1": "zk1", "/var/lib/zookeeper": "/var/lib/zookeeper", "a@b.service": "a@b.service", "": "''", "it's": `'it'\''s'`, "a\x00b": "'a\uFFFDb'"} {
		if got := Shell(in); got != want {
			t.Errorf("Shell(%q) = %s, want %s", in, got, want)
		}
	}
}

// TestContainer holds it against the rule of the kubelet's expansion: $$ is a
// dollar, $(NAME) the variable, any other dollar itself.
func TestContainer(t *testing.T) {
	expand := func(s string) string {
		var b strings.Builder
		for i := 0; i < len(s); i++ {
			switch {
			case s[i] != '$' || i+1 == len(s):
				b.WriteByte(s[i])
			case s[i+1] == '$':
				b.WriteByte('$')
				i++
			case s[i+1] == '(':
				if end := strings.IndexByte(s[i:], ')'); end > 0 {
					b.WriteString("EXPANDED")
					i += end
				} else {
					b.WriteByte('$')
				}
			default:
				b.WriteByte('$')
			}
		}
		return b.String()
	}
	if err := quick.Check(func(s string) bool { return expand(Container(s)) == s }, nil); err != nil {
		t.Error(err)
	}
	for _, s := range []string{"$(POD_NAME)", "$$(POD_NAME)", "a$", "$", "$$", "$(x"} {
		if got := expand(Container(s)); got != s {
			t.Errorf("%q becomes %q", s, got)
		}
	}
}

func run(t *testing.T, dir, shell, command string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), shell, "-c", command)
	cmd.Dir = dir
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s", shell, err, complaints.String())
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

func same(t *testing.T, want, got []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d values came out of %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%q came out as %q", want[i], got[i])
		}
	}
}

func untouched(t *testing.T, dir string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "pwned")); err == nil {
		t.Error("a value was run as a command")
	}
}
