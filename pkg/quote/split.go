package quote

import (
	"errors"
	"strings"
)

// Split divides a text into words as a POSIX shell does: at blanks that are neither quoted nor
// escaped. Nothing is expanded. A quote without its end is an error. It is the inverse of
// Words.String.
func Split(text string) (Words, error) {
	var out Words
	var word strings.Builder
	quoted, escaped, begun := rune(0), false, false
	for _, r := range text {
		switch {
		case escaped:
			if quoted == '"' && !strings.ContainsRune("\"\\$`", r) {
				word.WriteByte('\\')
			}
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quoted != '\'':
			escaped, begun = true, true
		case r == quoted:
			quoted = 0
		case quoted != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quoted, begun = r, true
		case !strings.ContainsRune(" \t\n", r):
			word.WriteRune(r)
			begun = true
		case begun:
			out, begun = append(out, word.String()), false
			word.Reset()
		}
	}
	switch {
	case quoted != 0:
		return nil, errors.New("a quote is not closed")
	case escaped:
		return nil, errors.New(`nothing comes after the last \`)
	case begun:
		out = append(out, word.String())
	}
	return out, nil
}
