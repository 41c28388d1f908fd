package render

import (
	"regexp"
	"strings"
	"testing"
)

// TestScriptsRunOnOldBash: an image brings its own bash, and CentOS 7 has 4.2. What
// that does not know fails at run time only, and a probe that fails has the kubelet
// kill what it asks.
func TestScriptsRunOnOldBash(t *testing.T) {
	newer := map[string]string{ // construct: since which bash
		`\b(mapfile|readarray)\s+(-\w+\s+)*-\w*d`:         "4.4",
		`\$\{[\w\[\]@*]+@[A-Za-z]\}`:                      "4.4",
		`\blocal\s+-(\s|;|$)`:                             "4.4",
		`\binherit_errexit\b`:                             "4.4",
		`\bwait\s+-n\b`:                                   "4.3",
		`\b(local|declare|typeset)\s+(-\w+\s+)*-\w*n`:     "4.3",
		`\[\[[^]]*-v\s+\w+\[`:                             "4.3",
		`(^|[\s;])\w+\[-\d+\]=`:                           "4.3 (assigning to a negative subscript)",
		`%\([^)]*\)T['"]?\s*([;&|)]|$)`:                   "4.3 (%()T without an argument)",
		`\$\{\w+/[^}]*/"`:                                 "4.3 (quotes in a replacement)",
		`\$\{?(EPOCHREALTIME|EPOCHSECONDS|BASH_ARGV0)\b`:  "5.0, without a fallback",
		`\$\{?SRANDOM\b`:                                  "5.1",
		`\bwait\s+-[fp]\b`:                                "5.0",
		`\$\{[ |]`:                                        "5.3",
		`\b(localvar_inherit|assoc_expand_once|varredir)`: "5.0",
	}
	fallback := regexp.MustCompile(`\$\{EPOCH(REALTIME|SECONDS)-[^}]*\}`)
	// A construct that nobody has found yet must not be one that nobody can find.
	for text, want := range map[string]bool{
		`mapfile -d '' -t words`: true, `mapfile -t words`: false, `readarray -td '' x`: true, `echo "${x@Q}"`: true, `echo "${a[@]@Q}" "${a[@]}"`: true, `echo "${a[@]}"`: false,
		`wait -n`: true, `wait "$1"`: false, `local -n x=y`: true, `local -a homes=()`: false, `declare -gn x`: true, `[[ -v a[1] ]]`: true, `[[ -v a ]]`: false,
		`now=$EPOCHSECONDS`: true, `now=${EPOCHREALTIME}`: true, `now=${EPOCHREALTIME-}`: false, `printf '%(%s)T' -1`: false, `printf '%(%s)T'; x`: true, `${x/#"$a"/"$b"}`: true, `${x//a/b}`: false, `a[-1]=x`: true, `${a[-3]}`: false,
	} {
		if got := newerIn(newer, fallback.ReplaceAllString(text, "")); (len(got) > 0) != want {
			t.Errorf("%s: %q, want one %t", text, got, want)
		}
	}
	for name, script := range map[string]string{"gate": gateScript, "probe": probeScript, "relay": relayScript, "volume": volumeScript, "version": versionScript, "listen": listenScript} {
		for n, line := range strings.Split(script, "\n") {
			for _, since := range newerIn(newer, fallback.ReplaceAllString(line, "")) {
				t.Errorf("%s script, line %d needs bash %s: %s", name, n+1, since, line)
			}
		}
	}
}

// newerIn is what of it a line uses.
func newerIn(newer map[string]string, line string) []string {
	var out []string
	for pattern, since := range newer {
		if regexp.MustCompile(pattern).MatchString(line) {
			out = append(out, since)
		}
	}
	return out
}
