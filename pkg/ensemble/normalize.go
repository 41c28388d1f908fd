package ensemble

import (
	"bytes"
	"strings"
)

// Plain returns the same settings in the plainest style: one key=value a
// line, no continuation lines, no blanks round either, newlines alone, the
// last of duplicates only. Comments and empty lines stay, as UTF-8. ZooKeeper
// reads the same from it (it trims keys and values itself), and so does a
// shell script. It is for files this tool makes; hosts' files keep their
// style.
func (p *Properties) Plain() *Properties {
	var b strings.Builder
	at := 0
	for i, e := range p.entries {
		plainComments(&b, p.data[at:e.start])
		at = e.next
		if p.last[e.key] == i {
			b.WriteString(escapeKey(javaTrim(e.key)) + "=" + escapeValue(javaTrim(e.value), false) + "\n")
		}
	}
	plainComments(&b, p.data[at:])
	out := *p
	out.replace(b.String())
	return &out
}

// plainComments copies the comments and empty lines among what stands between
// two entries. The last piece is the blanks before the next entry.
func plainComments(b *strings.Builder, raw []byte) {
	raw = bytes.ReplaceAll(bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	lines := strings.SplitAfter(printable(raw), "\n")
	for _, line := range lines {
		text := strings.Trim(line, " \t\f\n")
		if text == "" && !strings.HasSuffix(line, "\n") || text != "" && text[0] != '#' && text[0] != '!' {
			continue
		}
		b.WriteString(strings.TrimRight(line, " \t\f\n") + "\n")
	}
}
