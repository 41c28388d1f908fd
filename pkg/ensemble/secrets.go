package ensemble

import (
	"regexp"
	"strings"
)

// Secret reports whether the value of a key, or of a system property, is one that
// nobody should see: a password or a digest of one, not the path of a file that holds it.
func Secret(name string) bool {
	lower := strings.ToLower(name)
	if strings.Contains(lower, "passwordpath") {
		return false
	}
	for _, word := range []string{"password", "passwd", "passphrase", "superdigest", "secret"} {
		if strings.Contains(lower, word) {
			return true
		}
	}
	return false
}

// hiddenValue stands for a value that is not shown.
const hiddenValue = "<hidden>"

// HideSecrets hides the values behind secret names in a text of any kind: flags, a
// log's line, a program's arguments. A value ends at a blank or a quote; quotes keep one
// with blanks together.
func HideSecrets(text string) string {
	setting := regexp.MustCompile(`([\w.-]+)\s*[=:]\s*`)
	value := regexp.MustCompile(`^("[^"]*"?|'[^']*'?|[^\s"]+)`)
	out := ""
	for at := setting.FindStringSubmatchIndex(text); at != nil; at = setting.FindStringSubmatchIndex(text) {
		name, rest := text[at[2]:at[3]], text[at[1]:]
		if Secret(name) {
			rest = value.ReplaceAllLiteralString(rest, hiddenValue)
		}
		out, text = out+text[:at[1]], rest
	}
	return out + text
}

// SplitSecrets takes the secret keys out of a zoo.cfg: what is left, and their lines. A
// comment that names one loses what follows.
func SplitSecrets(zooCfg []byte) (public, private []byte, err error) {
	p, err := ParseProperties("zoo.cfg", zooCfg)
	if err != nil {
		return nil, nil, err
	}
	secrets, err := ParseProperties("zoo.cfg", nil)
	if err != nil {
		return nil, nil, err
	}
	for _, key := range p.Keys() {
		if value, _ := p.Get(key); Secret(key) {
			p.Delete(key)
			secrets.Set(key, value)
		}
	}
	return []byte(hideInComments(string(p.Bytes()))), secrets.Bytes(), nil
}

// SecretKeys are the secret keys of a zoo.cfg; none of one that cannot be read.
func SecretKeys(zooCfg string) (out []string) {
	p, err := ParseProperties("zoo.cfg", []byte(zooCfg))
	if err != nil {
		return nil
	}
	for _, key := range p.Keys() {
		if Secret(key) {
			out = append(out, key)
		}
	}
	return out
}

// HideSecretKeys hides them in a zoo.cfg: the values of secret keys as Java reads
// them, and the rest of a comment that names one.
func HideSecretKeys(zooCfg string) string {
	p, err := ParseProperties("zoo.cfg", []byte(zooCfg))
	if err != nil {
		return hiddenValue
	}
	for _, key := range p.Keys() {
		if Secret(key) {
			// An earlier line of the same key would show the other value.
			p.Delete(key)
			p.Set(key, hiddenValue)
		}
	}
	return hideInComments(string(p.Bytes()))
}

func hideInComments(zooCfg string) string {
	comment := regexp.MustCompile(`(?m)^[ \t]*[#!].*$`)
	return comment.ReplaceAllStringFunc(zooCfg, func(line string) string {
		for _, word := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t=:#!", r) }) {
			if Secret(word) {
				before, _, _ := strings.Cut(line, word)
				return before + word + " " + hiddenValue
			}
		}
		return line
	})
}
