package ensemble

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// Properties is a java.util.Properties file (zoo.cfg, a dynamic file) that
// can be edited without disturbing what is not edited: Bytes returns byte for
// byte what was read until Set or Delete changes one line.
//
// Keys and values are what ZooKeeper sees: bytes above 0x7f are ISO-8859-1,
// escapes are resolved, continuation lines joined. Values are not trimmed;
// QuorumPeerConfig trims some of them, see Config.
type Properties struct {
	name    string
	data    []byte
	entries []property
	last    map[string]int // the entry that counts for each key
}

type property struct {
	key, value string
	logicalLine
	valueAt int  // offset in the file where the value begins
	sep     bool // "=" or ":" stands between key and value
	apart   bool // that, or a blank
}

// ParseProperties reads a file; name is used in errors only. The one thing
// java.util.Properties refuses is a malformed \uXXXX escape.
func ParseProperties(name string, data []byte) (*Properties, error) {
	p := &Properties{name: name, data: bytes.Clone(data), last: map[string]int{}}
	for _, l := range readLines(p.data) {
		keyEnd, valueStart, sep := l.split()
		key, okKey := unescape(l.chars[:keyEnd])
		value, okValue := unescape(l.chars[valueStart:])
		if !okKey || !okValue {
			return nil, &InputError{
				File: name, Line: l.line, Text: p.text(key, l),
				Problem: `malformed \u escape`, Want: `\u and four hexadecimal digits, or \\u for a plain backslash`,
			}
		}
		e := property{key: key, value: value, logicalLine: l, sep: sep, apart: valueStart > keyEnd}
		switch {
		case valueStart < len(l.at):
			e.valueAt = l.at[valueStart]
		case len(l.at) > 0:
			e.valueAt = l.at[len(l.at)-1] + 1
		default:
			e.valueAt = l.start
		}
		p.last[key] = len(p.entries)
		p.entries = append(p.entries, e)
	}
	return p, nil
}

// Name returns the name given to ParseProperties.
func (p *Properties) Name() string { return p.name }

// Bytes returns the file.
func (p *Properties) Bytes() []byte { return bytes.Clone(p.data) }

// Clone returns a copy that can be edited on its own.
func (p *Properties) Clone() *Properties {
	c := *p // an edit replaces all parts of a Properties, so they can be shared
	return &c
}

// find returns the index of the entry that counts for a key (the last one),
// or -1.
func (p *Properties) find(key string) int {
	if i, ok := p.last[key]; ok {
		return i
	}
	return -1
}

// Get returns the value of a key; of duplicates the last one counts.
func (p *Properties) Get(key string) (string, bool) {
	if i := p.find(key); i >= 0 {
		return p.entries[i].value, true
	}
	return "", false
}

// Line returns the number of the line Get reads, from 1; 0 when there is none.
func (p *Properties) Line(key string) int {
	if i := p.find(key); i >= 0 {
		return p.entries[i].line
	}
	return 0
}

// Lines returns the numbers of all lines with that key, in file order.
func (p *Properties) Lines(key string) []int {
	var out []int
	for _, e := range p.entries {
		if e.key == key {
			out = append(out, e.line)
		}
	}
	return out
}

// Text returns the line Get reads as it stands in the file, without its
// terminator; UTF-8 stays UTF-8, other bytes are taken as ISO-8859-1. It is for people: of
// a secret key's line the value is hidden.
func (p *Properties) Text(key string) string {
	if i := p.find(key); i >= 0 {
		return p.text(key, p.entries[i].logicalLine)
	}
	return ""
}

func (p *Properties) text(key string, l logicalLine) string {
	keyEnd, valueStart, _ := l.split()
	value, okValue := unescape(l.chars[valueStart:])
	hide := func(text string) string { return hideIn(key, text) }
	raw := printable(bytes.TrimRight(p.data[l.start:l.next], "\r\n"))
	switch _, okKey := unescape(l.chars[:keyEnd]); {
	case Secret(key):
		return key + "=" + Hidden
	case !okKey: // nobody knows what it is
		return printable(l.chars[:keyEnd]) + "=" + Hidden
	case !okValue:
		return hide(raw)
	case hide(value) == value:
		return raw
	case hide(raw) != raw && hide(strings.ReplaceAll(raw, "\\", "")) == hide(raw):
		return hide(raw)
	}
	return key + "=" + hide(value)
}

// printable turns a file's bytes into UTF-8: as they are where they are that,
// else as ISO-8859-1.
func printable(raw []byte) string {
	if utf8.Valid(raw) {
		return string(raw)
	}
	runes := make([]rune, len(raw))
	for i, c := range raw {
		runes[i] = rune(c)
	}
	return string(runes)
}

// Keys returns each key once, in the order of its first line.
func (p *Properties) Keys() []string {
	seen := make(map[string]bool, len(p.entries))
	var keys []string
	for _, e := range p.entries {
		if !seen[e.key] {
			seen[e.key] = true
			keys = append(keys, e.key)
		}
	}
	return keys
}

// Set gives a key a value. The line that counts keeps its spelling,
// separator, blanks and terminator; a key that is missing is added as a line
// of its own at the end, with the file's own line terminator. Nothing changes
// where the value is already what it should be.
func (p *Properties) Set(key, value string) {
	i := p.find(key)
	if i < 0 {
		p.append(key, value)
		return
	}
	e := p.entries[i]
	if e.value == value {
		return
	}
	end := e.next
	for end > e.valueAt && (p.data[end-1] == '\n' || p.data[end-1] == '\r') {
		end--
	}
	head := string(p.data[:e.valueAt])
	afterBlank := !e.sep
	if !e.apart {
		head, afterBlank = head+"=", false
	}
	p.replace(head + escapeValue(value, afterBlank) + string(p.data[end:]))
}

// append adds a line at the end; before a secret's line without a terminator, for with one
// it would be another line, which every patch would have to show.
func (p *Properties) append(key, value string) {
	if k := len(p.entries); k > 0 && SecretSetting(p.entries[k-1].key, p.entries[k-1].value) && !bytes.HasSuffix(p.data, []byte("\n")) && !bytes.HasSuffix(p.data, []byte("\r")) {
		at := p.entries[k-1].start
		for at > 0 && isBlank(p.data[at-1]) {
			at--
		}
		if p.entries[k-1].next == len(p.data) {
			p.replace(string(p.data[:at]) + escapeKey(key) + "=" + escapeValue(value, false) + p.eol() + string(p.data[at:]))
			return
		}
	}
	var b strings.Builder
	b.Write(p.data)
	eol := p.eol()
	if n := len(p.data); n > 0 {
		terminated := p.data[n-1] == '\n' || p.data[n-1] == '\r'
		open := false // the last line would swallow what follows
		if k := len(p.entries); k > 0 {
			last := p.entries[k-1]
			open = last.next == n && !last.ended
		}
		if !terminated {
			b.WriteString(eol)
		}
		if open && (terminated || p.data[n-1] == '\\') {
			if p.data[n-1] == '\r' {
				b.WriteByte('\r') // a newline would only complete a CRLF
			} else {
				b.WriteString(eol)
			}
		}
	}
	b.WriteString(escapeKey(key) + "=" + escapeValue(value, false) + eol)
	p.replace(b.String())
}

// Delete removes all lines of some keys: were only the last one removed, an
// earlier duplicate would count.
func (p *Properties) Delete(keys ...string) {
	gone := map[string]bool{}
	for _, key := range keys {
		if p.find(key) >= 0 {
			gone[key] = true
		}
	}
	if len(gone) == 0 {
		return
	}
	var b strings.Builder
	done := 0
	for _, e := range p.entries {
		if !gone[e.key] {
			continue
		}
		from := e.start
		for from > done && isBlank(p.data[from-1]) {
			from--
		}
		b.Write(p.data[done:from])
		done = e.next
	}
	b.Write(p.data[done:])
	p.replace(b.String())
}

// replace reads the edited text again, so that offsets never go stale.
func (p *Properties) replace(text string) {
	fresh, err := ParseProperties(p.name, []byte(text))
	if err != nil {
		// What is written here is escaped, and what stays was read before.
		return
	}
	*p = *fresh
}

// eol is the terminator most lines of the file have.
func (p *Properties) eol() string {
	crlf := bytes.Count(p.data, []byte("\r\n"))
	lf := bytes.Count(p.data, []byte("\n"))
	switch {
	case crlf > 0 && crlf*2 > lf:
		return "\r\n"
	case lf == 0 && bytes.IndexByte(p.data, '\r') >= 0:
		return "\r"
	}
	return "\n"
}
