// Package manager knows the programs that write the files of ZooKeeper's hosts, or start its
// servers, by themselves: configuration managers and containers' entrypoints. It recognizes them
// by what they leave behind, and says how to hold each. It is pure.
package manager

import (
	"regexp"
	"slices"
	"strings"
)

// Manager is one such program.
type Manager struct {
	// Code names it in findings; it never changes.
	Code string
	Name string
	// Does says what its next run does to a patched zoo.cfg and to a stopped server.
	Does string
	// Hold are the lines that keep it from running, Release those that end that: commands for
	// root on the host, and remarks. Words in capitals are to be put in.
	Hold, Release []string
	// Lasting says where the new lines go, so that it writes them itself.
	Lasting string
	// words are how its name stands in a comment, paths what is in the paths of its files and
	// units; nil where nothing is.
	words, paths *regexp.Regexp
	// settings are what its own template has in zoo.cfg, all of them.
	settings map[string]string
}

// HoldLine says in one line what it does and how it is held.
func (m Manager) HoldLine() string {
	lines := make([]string, len(m.Hold))
	for i, line := range m.Hold {
		lines[i] = strings.Join(strings.Fields(strings.TrimPrefix(line, "# ")), " ")
	}
	return m.Name + ": " + m.Does + ". Until the end: " + strings.Join(lines, "; ")
}

// Sign is what a manager was recognized by.
type Sign struct {
	// Code is the manager's.
	Code string
	// File and Line are where; Line counts from 1 and is 0 where it is not known, or where the
	// path itself is the sign.
	File string
	Line int
	// Text is the line as it stands there; empty where the path is the sign.
	Text string
}

// Find returns the manager with a code.
func Find(code string) (Manager, bool) {
	all := All()
	if i := slices.IndexFunc(all, func(m Manager) bool { return m.Code == code }); i >= 0 {
		return all[i], true
	}
	return Manager{}, false
}

// Codes are those of all managers.
func Codes() (out []string) {
	for _, m := range All() {
		out = append(out, m.Code)
	}
	return out
}

// InFile finds managers by a file's comments and settings, one sign for each; get returns a
// setting's value and its line.
func InFile(name string, data []byte, get func(key string) (value string, line int)) []Sign {
	var comments []comment
	for i, line := range strings.Split(string(data), "\n") {
		comments = append(comments, comment{i + 1, line})
	}
	return append(inComments(name, comments), inSettings(name, get)...)
}

// InComments finds them by comments whose lines are not known.
func InComments(name string, lines []string) []Sign {
	var comments []comment
	for _, line := range lines {
		comments = append(comments, comment{0, line})
	}
	return inComments(name, comments)
}

// InPath finds them by the path of a file.
func InPath(path string) (out []Sign) {
	for _, m := range All() {
		if m.paths != nil && m.paths.MatchString(path) {
			out = append(out, Sign{Code: m.Code, File: path})
		}
	}
	return out
}

type comment struct {
	line int
	text string
}

// inComments: a comment that warns and names nobody counts only where no other names one.
func inComments(name string, comments []comment) (out []Sign) {
	for _, m := range All() {
		if m.words == nil || m.Code == Unnamed && len(out) > 0 {
			continue
		}
		for _, c := range comments {
			if t := strings.TrimSpace(c.text); t != "" && (t[0] == '#' || t[0] == '!') && m.words.MatchString(t) {
				out = append(out, Sign{Code: m.Code, File: name, Line: c.line, Text: t})
				break
			}
		}
	}
	return out
}

func inSettings(name string, get func(key string) (string, int)) (out []Sign) {
	for _, m := range All() {
		sign := Sign{Code: m.Code, File: name}
		fits := len(m.settings) > 0
		for key, want := range m.settings {
			value, line := get(key)
			if strings.TrimSpace(value) != want {
				fits = false
			} else if sign.Line == 0 || line < sign.Line {
				sign.Line, sign.Text = line, key+"="+want
			}
		}
		if fits {
			out = append(out, sign)
		}
	}
	return out
}
