package render

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestShake: what the gate makes of the program's words, round after round. Each text of words is
// what one round says; want what is said of it, "" where the pod parks.
func TestShake(t *testing.T) {
	const no = "refused 10.0.0.2 3888 certificate_unknown\n"
	for name, c := range map[string]struct{ words, want []string }{
		"all are fine":                  {[]string{"ok 10.0.0.2 3888 \nend\n"}, []string{""}},
		"nobody is reached":             {[]string{"unknown 10.0.0.2 3888 timed out\nend\n"}, []string{""}},
		"refused, then taken":           {[]string{no + "end\n", "ok 10.0.0.2 3888 \nend\n"}, []string{"refuses this pod's certificate (certificate_unknown)", ""}},
		"refused, then not reached":     {[]string{no + "end\n", "unknown 10.0.0.2 3888 timed out\nend\n"}, []string{"refuses", "the server at 10.0.0.2:3888 refuses"}},
		"refused, then no program":      {[]string{no + "end\n", ""}, []string{"refuses", "refuses"}},
		"refused, another not reached":  {[]string{no + "end\n", "ok 10.0.0.2 3888 \nunknown 10.0.0.22 3888 timed out\nend\n"}, []string{"refuses", ""}},
		"no leader, then one":           {[]string{"nobody\nend\n", "ok 10.0.0.3 2888 \nend\n"}, []string{"no leader could be asked", ""}},
		"denied":                        {[]string{"unknown 10.0.0.2 2888 \ndenied 10.0.0.3 2888 Authentication failed\nend\n"}, []string{"the leader at 10.0.0.3:2888 denies this pod by SASL (Authentication failed)"}},
		"a section that cannot log in":  {[]string{"unable Server - no password\nend\n"}, []string{"cannot log in by the section Server of its JAAS file: no password"}},
		"what the JVM says is no word":  {[]string{"log4j:WARN refused 10.0.0.2 3888\nok 10.0.0.2 3888 \nend\n"}, []string{""}},
		"TLS files that cannot be used": {[]string{"broken 10.0.0.2 3888 keystore password was incorrect\nend\n"}, []string{"own TLS files cannot be used: keystore password"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write := func(name, text string, mode os.FileMode) {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
					t.Fatal(err)
				}
			}
			write("zoo.cfg", "sslQuorum=true\n", 0o600)
			write("java", "#!/usr/bin/env bash\ncat "+dir+"/words\n", 0o755)
			script := `set -uf
conf=$1 id=1 private=$1/none reports=$1 jars=x java=$1/java placed=x detail= places=0
flags() { :; }
setting() { value=; [[ $1 != sslQuorum ]] || value=true; }
place() { placed=x; ((places += 1)); }
refuse() { detail=$*; return 1; }
` + handshakeScript + `
while IFS= read -r round; do
  printf '%b' "$round" >"$1/words"
  hand_at=-30 detail=
  until shake || [[ -z $hand ]]; do :; done
  printf '%s\n' "$detail"
done
((places == %d)) || printf 'files were placed %s times\n' "$places" >&2
`
			// Files may have changed from one round to the next.
			write("script", strings.Replace(script, "%d", strconv.Itoa(len(c.words)), 1), 0o600)
			cmd := exec.Command("bash", filepath.Join(dir, "script"), dir)
			var rounds strings.Builder
			for _, w := range c.words {
				rounds.WriteString(strings.ReplaceAll(w, "\n", `\n`) + "\n")
			}
			cmd.Stdin = strings.NewReader(rounds.String())
			var complaints strings.Builder
			cmd.Stderr = &complaints
			out, err := cmd.Output()
			if err != nil || complaints.Len() > 0 {
				t.Fatal(err, complaints.String())
			}
			got := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
			for i, want := range c.want {
				if i >= len(got) || (got[i] == "") != (want == "") || !strings.Contains(got[i], want) {
					t.Errorf("round %d: got %q, want %q", i+1, got, want)
				}
			}
		})
	}
}
