package ensemble

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Secret reports whether the value of a key, or of a system property, is one that
// nobody should see: a password or a digest of one, not the path of a file that holds it.
func Secret(name string) bool {
	words := nameWords(name)
	if len(words) == 0 {
		return false
	}
	joined := strings.Join(words, "")
	last := words[len(words)-1]
	if strings.Contains(joined, "passwordpath") || slices.Contains([]string{"path", "file", "location"}, last) {
		return false
	}
	return speaksOfSecret(joined) || slices.ContainsFunc(words, func(w string) bool {
		return slices.Contains([]string{"token", "credential", "credentials"}, w) || strings.HasSuffix(w, "pass") && w != "bypass"
	})
}

// speaksOfSecret reports whether a word is about a secret also where it is the name of nothing, as
// in a comment; pass and token are everyday words there.
func speaksOfSecret(lower string) bool {
	return slices.ContainsFunc([]string{"password", "passwd", "passphrase", "passcode", "superdigest", "secret", "pwd"}, func(part string) bool {
		return strings.Contains(lower, part)
	})
}

// nameWords are the words of a name in lower case, whatever divides them: dots, dashes,
// underscores or capital letters; keyStorePass, KEYSTORE_PASS and keystore.pass are alike.
// Digits at a word's end number it.
func nameWords(name string) []string {
	var b strings.Builder
	small := false
	for _, r := range name {
		if unicode.IsUpper(r) && small {
			b.WriteByte(' ')
		}
		small = unicode.IsLower(r)
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			r = ' '
		}
		b.WriteRune(unicode.ToLower(r))
	}
	words := strings.Fields(b.String())
	for i, w := range words {
		words[i] = strings.TrimRight(w, "0123456789")
	}
	return words
}

// SecretSetting reports whether a value is one that nobody should see: by its key, or because
// it has another setting in it, as JVM flags, a JAAS entry or a URL have, or a line that a
// backslash has joined to the one before.
func SecretSetting(key, value string) bool {
	return Secret(key) || hideIn(key, value) != value
}

// hideIn hides what nobody should see in a value. In a server line a colon ends a host.
func hideIn(key, value string) string {
	if strings.HasPrefix(key, "server.") {
		return hideBehind(value, "=")
	}
	return HideSecrets(value)
}

// Hidden stands for a value that is not shown.
const Hidden = "<hidden>"

// HideSecrets hides the values behind secret names in a text of any kind: flags, a
// log's line, a program's arguments, and the password in a URL. A value ends at a blank or a
// quote; quotes keep one with blanks together.
func HideSecrets(text string) string { return hideBehind(text, "=:") }

// hideBehind is HideSecrets where some of these characters end a name.
func hideBehind(text, ends string) string {
	if !strings.ContainsAny(text, "=:") {
		return text // as most values of a file
	}
	setting := regexp.MustCompile(`([\w.-]+)["']?\s*[` + ends + `]\s*`)
	value := regexp.MustCompile(`^("([^"\\]|\\.)*"?|'([^'\\]|\\.)*'?|[^\s"]+)`)
	text = regexp.MustCompile(`(://[^\s:/@"']*:)[^\s/@"']+@`).ReplaceAllString(text, "${1}"+Hidden+"@")
	out := ""
	for at := setting.FindStringSubmatchIndex(text); at != nil; at = setting.FindStringSubmatchIndex(text) {
		name, rest := text[at[2]:at[3]], text[at[1]:]
		if Secret(name) && !isHost(name, text[at[3]:]) {
			rest = value.ReplaceAllLiteralString(rest, Hidden)
		}
		out, text = out+text[:at[1]], rest
	}
	return out + text
}

// isHost reports whether a name and what follows are a host and a port, as
// zk1.secrets.example.com:2181 has.
func isHost(name, rest string) bool {
	words := nameWords(name)
	return len(words) > 1 && !Secret(words[len(words)-1]) && regexp.MustCompile(`^:\d{1,5}\b`).MatchString(rest)
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
	keys := p.secretKeys()
	for _, key := range keys {
		value, _ := p.Get(key)
		secrets.Set(key, value)
	}
	p.Delete(keys...)
	return []byte(p.hideInComments()), secrets.Bytes(), nil
}

// SecretKeys are the secret keys of a zoo.cfg; none of one that cannot be read.
func SecretKeys(zooCfg string) (out []string) {
	p, err := ParseProperties("zoo.cfg", []byte(zooCfg))
	if err != nil {
		return nil
	}
	return p.secretKeys()
}

// secretKeys counts a key whose earlier lines alone hold a secret, too: they are in the file.
func (p *Properties) secretKeys() (out []string) {
	seen := map[string]bool{}
	for _, e := range p.entries {
		if !seen[e.key] && SecretSetting(e.key, e.value) {
			seen[e.key] = true
			out = append(out, e.key)
		}
	}
	return out
}

// HideSecretKeys hides them in a zoo.cfg: the values of secret keys as Java reads
// them, and the rest of a comment that names one.
func HideSecretKeys(zooCfg string) string {
	p, err := ParseProperties("zoo.cfg", []byte(zooCfg))
	if err != nil {
		return Hidden
	}
	keys := p.secretKeys()
	p.Delete(keys...) // an earlier line of the same key would show the other value
	for _, key := range keys {
		p.Set(key, Hidden)
	}
	return p.hideInComments()
}

// hideInComments is the file without what follows a secret name in a comment. Comments are
// what Java takes for them: a value's second line may begin with # as well, and a carriage
// return alone ends a line.
func (p *Properties) hideInComments() string {
	var out strings.Builder
	at := 0
	for _, e := range p.entries {
		out.WriteString(hideComments(string(p.data[at:e.start])))
		out.Write(p.data[e.start:e.next])
		at = e.next
	}
	out.WriteString(hideComments(string(p.data[at:])))
	return out.String()
}

func hideComments(text string) string {
	comment := regexp.MustCompile(`[^\r\n]+`)
	return comment.ReplaceAllStringFunc(text, func(line string) string {
		line = HideSecrets(line)
		for _, word := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t\f=:#!", r) }) {
			if Secret(word) && speaksOfSecret(strings.ToLower(word)) {
				before, _, _ := strings.Cut(line, word)
				return before + word + " " + Hidden
			}
		}
		return line
	})
}
