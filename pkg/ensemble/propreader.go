package ensemble

import (
	"strings"
	"unicode/utf16"
)

// logicalLine is one key/value line of a properties file, continuation lines
// joined, with the place each of its characters came from.
type logicalLine struct {
	chars []byte
	at    []int // at[i] is the offset of chars[i] in the file
	start int   // offset of the first character
	line  int   // physical line of start, from 1
	next  int   // offset behind the line and its terminator
	// ended tells whether a line terminator ended the line; a line at the end
	// of the file without one, or with a last backslash, is still open.
	ended bool
}

// readLines splits a file into logical lines the way java.util.Properties
// does (its LineReader, as of OpenJDK 17): leading blanks are skipped, lines
// that begin with # or ! are comments, an odd number of backslashes at the
// end joins the next line less its leading blanks.
func readLines(data []byte) []logicalLine {
	var (
		out       []logicalLine
		cur       logicalLine
		skipBlank = true
		appended  bool // a continuation line has just begun
		backslash bool
	)
	reset := func() {
		cur = logicalLine{start: -1}
		skipBlank, appended, backslash = true, false, false
	}
	reset()
	line := 1
	for i := 0; i < len(data); i++ {
		c := data[i]
		at := line
		if c == '\n' || c == '\r' && (i+1 >= len(data) || data[i+1] != '\n') {
			line++
		}
		eol := c == '\n' || c == '\r'
		if skipBlank {
			if c == ' ' || c == '\t' || c == '\f' || eol && !appended {
				continue
			}
			skipBlank, appended = false, false
		}
		if len(cur.chars) == 0 && (c == '#' || c == '!') {
			for i+1 < len(data) && data[i+1] != '\n' && data[i+1] != '\r' {
				i++
			}
			reset()
			continue
		}
		if !eol {
			if cur.start < 0 {
				cur.start, cur.line = i, at
			}
			cur.chars = append(cur.chars, c)
			cur.at = append(cur.at, i)
			backslash = c == '\\' && !backslash
			continue
		}
		if len(cur.chars) == 0 {
			reset()
			continue
		}
		if backslash && i+1 < len(data) {
			cur.chars = cur.chars[:len(cur.chars)-1]
			cur.at = cur.at[:len(cur.at)-1]
			skipBlank, appended, backslash = true, true, false
			if c == '\r' && data[i+1] == '\n' {
				i++
				line++
			}
			continue
		}
		if c == '\r' && i+1 < len(data) && data[i+1] == '\n' {
			i++
			line++
		}
		cur.next, cur.ended = i+1, !backslash
		if backslash {
			cur.dropLast()
		}
		out = append(out, cur)
		reset()
	}
	if len(cur.chars) > 0 {
		if backslash {
			cur.dropLast()
		}
		cur.next = len(data)
		out = append(out, cur)
	}
	return out
}

func (l *logicalLine) dropLast() {
	l.chars = l.chars[:len(l.chars)-1]
	l.at = l.at[:len(l.at)-1]
}

// split finds the end of the key and the start of the value. sep tells
// whether "=" or ":" separates them; blanks alone separate too.
func (l *logicalLine) split() (keyEnd, valueStart int, sep bool) {
	keyEnd, valueStart = len(l.chars), len(l.chars)
	backslash := false
	for i, c := range l.chars {
		if !backslash && (c == '=' || c == ':' || isBlank(c)) {
			keyEnd, valueStart = i, i+1
			sep = !isBlank(c)
			break
		}
		backslash = c == '\\' && !backslash
	}
	for valueStart < len(l.chars) {
		c := l.chars[valueStart]
		if !isBlank(c) {
			if sep || c != '=' && c != ':' {
				break
			}
			sep = true
		}
		valueStart++
	}
	return keyEnd, valueStart, sep
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\f' }

// unescape decodes a key or a value: bytes are ISO-8859-1, \uXXXX is a UTF-16
// unit, \t \r \n \f are controls, any other escaped character is itself. ok
// is false where \u lacks its four digits, which java.util.Properties refuses.
func unescape(raw []byte) (s string, ok bool) {
	units := make([]uint16, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c != '\\' {
			units = append(units, uint16(c))
			continue
		}
		i++
		if i >= len(raw) {
			break
		}
		switch c = raw[i]; c {
		case 'u':
			if i+4 >= len(raw) {
				return "", false
			}
			var u uint16
			for _, h := range raw[i+1 : i+5] {
				d, isHex := hexDigit(h)
				if !isHex {
					return "", false
				}
				u = u<<4 | uint16(d)
			}
			units = append(units, u)
			i += 4
		case 't':
			units = append(units, '\t')
		case 'r':
			units = append(units, '\r')
		case 'n':
			units = append(units, '\n')
		case 'f':
			units = append(units, '\f')
		default:
			units = append(units, uint16(c))
		}
	}
	return string(utf16.Decode(units)), true
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// escapeValue writes a value so that java.util.Properties reads it back. A
// first "=" or ":" needs an escape where only blanks separate key and value.
func escapeValue(s string, afterBlank bool) string {
	var b strings.Builder
	for i, r := range s {
		if i == 0 && (r == ' ' || afterBlank && (r == '=' || r == ':')) {
			b.WriteByte('\\')
		}
		escapeRune(&b, r)
	}
	return b.String()
}

// escapeKey writes a key so that java.util.Properties reads it back.
func escapeKey(s string) string {
	var b strings.Builder
	for i, r := range s {
		if r == ' ' || r == '=' || r == ':' || i == 0 && (r == '#' || r == '!') {
			b.WriteByte('\\')
		}
		escapeRune(&b, r)
	}
	return b.String()
}

func escapeRune(b *strings.Builder, r rune) {
	const hex = "0123456789abcdef"
	switch {
	case r == '\\':
		b.WriteString(`\\`)
	case r == '\t':
		b.WriteString(`\t`)
	case r == '\r':
		b.WriteString(`\r`)
	case r == '\n':
		b.WriteString(`\n`)
	case r == '\f':
		b.WriteString(`\f`)
	case r >= 0x20 && r < 0x7f:
		b.WriteRune(r)
	default:
		for _, u := range utf16.Encode([]rune{r}) {
			b.WriteString(`\u`)
			for shift := 12; shift >= 0; shift -= 4 {
				b.WriteByte(hex[u>>shift&15])
			}
		}
	}
}
