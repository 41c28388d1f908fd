// Package quote puts text that others wrote where it must not break out: into a
// shell's word, a remote shell's script, a container's environment, YAML, a line
// on a terminal. There is one function per target; nothing else in this project
// quotes. It is pure.
package quote

import "strings"

// Shell is s as one word of a POSIX shell. A word that needs no quotes has none,
// so that commands stay readable. No shell's word can hold a zero byte: one is
// replaced by U+FFFD.
func Shell(s string) string {
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// plain are the characters that mean themselves anywhere in a word.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+,"

// Words are several words of a POSIX shell.
type Words []string

// String quotes each.
func (w Words) String() string {
	out := make([]string, len(w))
	for i, s := range w {
		out[i] = Shell(s)
	}
	return strings.Join(out, " ")
}

// SSH is a command line that has the shell of another host run a script. The
// local shell takes one pair of quotes off, ssh none, the remote shell reads
// what is left: words of the script must be quoted by Shell already. The two
// dashes keep a host from being read as an option.
func SSH(host, script string) string {
	if strings.HasPrefix(host, "-") {
		host = "-- " + Shell(host)
	} else {
		host = Shell(host)
	}
	return "ssh " + host + " " + Shell(script)
}
