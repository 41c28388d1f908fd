package tunnel

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// maxLine bounds a line of the program in bytes; those it writes stay below 4096.
const maxLine = 4096

// event is what a line tells.
type event struct {
	id   uint64
	kind byte // 'o', 'f', 'd', 'z', 'e', or 'p' without an id
	// words of a failure, bytes of what came; z is one byte, 0.
	words string
	bytes []byte
}

// parseLine reads a line of the program strictly: a pod can write anything.
func parseLine(line string) (event, error) {
	if line == "p" {
		return event{kind: 'p'}, nil
	}
	idText, rest, _ := strings.Cut(line, " ")
	kind, text, _ := strings.Cut(rest, " ")
	id, err := strconv.ParseUint(idText, 10, 64)
	if err != nil || len(kind) != 1 {
		return event{}, unexpected(line)
	}
	e := event{id: id, kind: kind[0]}
	switch e.kind {
	case 'o', 'e':
		if text == "" {
			return e, nil
		}
	case 'z':
		e.bytes = []byte{0}
		if text == "" {
			return e, nil
		}
	case 'f':
		e.words = quote.Line(text)
		return e, nil
	case 'd':
		if e.bytes, err = unquote(text); err == nil {
			return e, nil
		}
	}
	return event{}, unexpected(line)
}

func unexpected(line string) error {
	return fmt.Errorf("a line that the tunnel's program does not write: %q", line[:min(len(line), 60)])
}

// unquote reads bash's $'...', as printf %q writes it, without its mark.
func unquote(s string) ([]byte, error) {
	inner, ok := strings.CutPrefix(s, "$'"+quoteMark)
	if !ok || !strings.HasSuffix(inner, "'") {
		return nil, fmt.Errorf("no quoted bytes")
	}
	inner = inner[:len(inner)-1]
	out := make([]byte, 0, len(inner))
	for i := 0; i < len(inner); i++ {
		c := inner[i]
		if c == '\'' {
			return nil, fmt.Errorf("a quote in the middle")
		}
		if c != '\\' {
			out = append(out, c)
			continue
		}
		if i++; i == len(inner) {
			return nil, fmt.Errorf("a backslash at the end")
		}
		if named, ok := escapes()[inner[i]]; ok {
			out = append(out, named)
			continue
		}
		if i+3 > len(inner) {
			return nil, fmt.Errorf("half an octal number")
		}
		n, err := strconv.ParseUint(inner[i:i+3], 8, 8)
		if err != nil {
			return nil, err
		}
		out = append(out, byte(n))
		i += 2
	}
	return out, nil
}

// escapes are those of ansic_quote in bash's lib/sh/strtrans.c.
func escapes() map[byte]byte {
	return map[byte]byte{'a': 7, 'b': 8, 'E': 27, 'f': 12, 'n': 10, 'r': 13, 't': 9, 'v': 11, '\\': '\\', '\'': '\''}
}

// asEscapes renders bytes for printf.
func asEscapes(b []byte) string {
	var out strings.Builder
	for _, c := range b {
		fmt.Fprintf(&out, `\x%02x`, c)
	}
	return out.String()
}
