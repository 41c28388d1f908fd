package quote

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Bounds of foreign text in a message, in characters: a message is read on a
// terminal, and what does not fit there explains nothing.
const (
	// MaxText is how much of a value is shown.
	MaxText = 120
	// MaxLine is how much of somebody's words is shown.
	MaxLine = 600
)

// Visible shows what a terminal might act on: control characters of either
// kind, marks that reorder or hide text, and bytes that are no UTF-8. Newlines
// and tabs pass; they are the text's own form. The escapes are those of JSON, so
// that a JSON document remains what it is.
func Visible(s string) string {
	if printable(s) {
		return s
	}
	clean := true
	for _, r := range s {
		if r == utf8.RuneError || !harmless(r) {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case harmless(r):
			b.WriteString(s[:n])
		default:
			escape(&b, r)
		}
		s = s[n:]
	}
	return b.String()
}

// harmless reports whether a terminal shows the character and does nothing else.
func harmless(r rune) bool { return r == '\n' || r == '\t' || unicode.IsGraphic(r) }

// printable reports whether it is nothing but ASCII and harmless, as most texts are.
func printable(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < ' ' || c > '~') && c != '\n' && c != '\t' {
			return false
		}
	}
	return true
}

func escape(b *strings.Builder, r rune) {
	if high, low := utf16.EncodeRune(r); high != unicode.ReplacementChar {
		fmt.Fprintf(b, `\u%04x\u%04x`, high, low)
		return
	}
	fmt.Fprintf(b, `\u%04x`, r)
}

// Line is somebody else's text as a part of one of our lines: it is bounded, and
// its newlines do not begin a line that looks like ours.
func Line(s string) string {
	s = Visible(Short(strings.TrimSpace(s), MaxLine))
	return strings.ReplaceAll(strings.ReplaceAll(s, "\n", `\n`), "\t", " ")
}

// LastLine is the end of what a program said, which tells more than its
// beginning.
func LastLine(s string) string {
	s = strings.TrimSpace(s)
	if over := len(s) - MaxLine; over > 0 {
		s = "..." + strings.ToValidUTF8(s[over:], "")
	}
	return Line(strings.ReplaceAll(s, "\n", " | "))
}

// Text is somebody else's value in double quotes, bounded.
func Text(s string) string { return strconv.Quote(Short(s, MaxText)) }

// Typed keeps what somebody typed short, for a message.
func Typed(s string) string { return Clip(s, 80) }

// Clip bounds a text, in bytes, and does not say how much is left out.
func Clip(s string, limit int) string {
	if len(s) > limit {
		return s[:limit] + "..."
	}
	return s
}

// slack keeps what Short has made from being shortened again.
const slack = 40

// Short bounds a text and says how much is left out.
func Short(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit+slack {
		return s
	}
	end := 0
	for range limit {
		_, n := utf8.DecodeRuneInString(s[end:])
		end += n
	}
	return fmt.Sprintf("%s... (%d bytes in all)", s[:end], len(s))
}
