package tunnel

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// maxLine bounds a line of the program in bytes; those it writes stay below 1008.
const maxLine = 1024

// event is what a line tells.
type event struct {
	id   uint64
	kind byte // 'o', 'f', 'd', 'e', or 'p' without an id
	// words of a failure, bytes of what came.
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
	case 'f':
		e.words = quote.Line(text)
		return e, nil
	case 'd':
		if e.bytes, err = base64.StdEncoding.Strict().DecodeString(text); err == nil && len(e.bytes) > 0 {
			return e, nil
		}
	}
	return event{}, unexpected(line)
}

func unexpected(line string) error {
	return fmt.Errorf("a line that the tunnel's program does not write: %q", line[:min(len(line), 60)])
}

// asEscapes renders bytes for printf.
func asEscapes(b []byte) string {
	var out strings.Builder
	for _, c := range b {
		fmt.Fprintf(&out, `\x%02x`, c)
	}
	return out.String()
}
