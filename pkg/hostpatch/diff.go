package hostpatch

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// contextLines is how many unchanged lines stand around a change, as in
// diff -u.
const contextLines = 3

// edit is one line of a comparison: ' ' in both, '-' in the old, '+' in the
// new. Lines keep their terminator, CRLF included.
type edit struct {
	op   byte
	line []byte
	// secret: nobody may see it.
	secret bool
}

// UnifiedDiff compares two texts line by line and returns what patch -p0 and
// git apply -p0 take; empty where they are the same. The file's name must be
// the same in both headers: patch then needs no guess. A last line without a
// terminator is marked, so that applying and undoing give every byte back.
func UnifiedDiff(name string, before, after []byte) []byte {
	if bytes.Equal(before, after) {
		return nil
	}
	edits := compareLines(splitLines(before), splitLines(after))
	markSecrets(edits)
	var out bytes.Buffer
	header := name
	if strings.ContainsAny(name, " \t") {
		header += "\t" // ends a name with blanks for patch and for git
	}
	fmt.Fprintf(&out, "--- %s\n+++ %s\n", header, header)
	for _, h := range hunks(edits) {
		writeHunk(&out, edits, h)
	}
	return out.Bytes()
}

// splitLines keeps the newline with each line.
func splitLines(text []byte) [][]byte {
	lines := bytes.SplitAfter(text, []byte("\n"))
	if n := len(lines); n > 0 && len(lines[n-1]) == 0 {
		lines = lines[:n-1]
	}
	return lines
}

// compareLines finds a shortest list of edits. Configuration files are short,
// so the plain table of longest common subsequences will do.
func compareLines(before, after [][]byte) []edit {
	var out []edit
	for len(before) > 0 && len(after) > 0 && bytes.Equal(before[0], after[0]) {
		out = append(out, edit{op: ' ', line: before[0]})
		before, after = before[1:], after[1:]
	}
	var tail []edit
	for len(before) > 0 && len(after) > 0 && bytes.Equal(before[len(before)-1], after[len(after)-1]) {
		tail = append(tail, edit{op: ' ', line: before[len(before)-1]})
		before, after = before[:len(before)-1], after[:len(after)-1]
	}
	common := make([][]int, len(before)+1)
	for i := range common {
		common[i] = make([]int, len(after)+1)
	}
	for i := len(before) - 1; i >= 0; i-- {
		for j := len(after) - 1; j >= 0; j-- {
			if bytes.Equal(before[i], after[j]) {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(before) || j < len(after) {
		switch {
		case i < len(before) && j < len(after) && bytes.Equal(before[i], after[j]):
			out = append(out, edit{op: ' ', line: before[i]})
			i, j = i+1, j+1
		case j >= len(after) || i < len(before) && common[i+1][j] >= common[i][j+1]:
			out = append(out, edit{op: '-', line: before[i]})
			i++
		default:
			out = append(out, edit{op: '+', line: after[j]})
			j++
		}
	}
	for k := len(tail) - 1; k >= 0; k-- {
		out = append(out, tail[k])
	}
	return out
}

// span is a range of edits that one hunk shows.
type span struct{ from, to int }

// hunks joins changes whose context would touch. A line with a secret is in no context: of
// what stands around a change, as many lines are shown on both sides as there are without
// one (patch takes a hunk with less context in front for one of the file's beginning).
func hunks(edits []edit) []span {
	var out []span
	for from := 0; from < len(edits); from++ {
		if edits[from].op == ' ' {
			continue
		}
		to := from
		for to < len(edits) && edits[to].op != ' ' {
			to++
		}
		change := span{from, to}
		shown := around(edits, change)
		for n := len(out); n > 0 && shown.from <= out[n-1].to; n = len(out) {
			change.from = inner(edits, out[n-1]).from
			out, shown = out[:n-1], around(edits, change)
		}
		out, from = append(out, shown), to
	}
	return out
}

// around is a change with its context.
func around(edits []edit, change span) span {
	for n := contextLines; n > 0; n-- {
		s := span{max(0, change.from-n), min(len(edits), change.to+n)}
		if !slices.ContainsFunc(edits[s.from:s.to], secretContext) {
			return s
		}
	}
	return change
}

// inner is a hunk without its context.
func inner(edits []edit, s span) span {
	for edits[s.from].op == ' ' {
		s.from++
	}
	for edits[s.to-1].op == ' ' {
		s.to--
	}
	return s
}

func secretContext(e edit) bool { return e.op == ' ' && e.secret }

// markSecrets marks the lines with a secret, and those that continue them.
func markSecrets(edits []edit) {
	text, from := "", 0
	for i, e := range edits {
		text += string(e.line)
		if open := strings.TrimRight(text, "\r\n"); (len(open)-len(strings.TrimRight(open, "\\")))%2 == 1 && i < len(edits)-1 {
			continue
		}
		for ; from <= i; from++ {
			edits[from].secret = ensemble.HideSecretKeys(text) != text
		}
		text = ""
	}
}

func writeHunk(out *bytes.Buffer, edits []edit, h span) {
	oldStart, newStart := 1, 1
	for _, e := range edits[:h.from] {
		if e.op != '+' {
			oldStart++
		}
		if e.op != '-' {
			newStart++
		}
	}
	oldCount, newCount := 0, 0
	for _, e := range edits[h.from:h.to] {
		if e.op != '+' {
			oldCount++
		}
		if e.op != '-' {
			newCount++
		}
	}
	fmt.Fprintf(out, "@@ -%s +%s @@\n", hunkRange(oldStart, oldCount), hunkRange(newStart, newCount))
	for _, e := range edits[h.from:h.to] {
		out.WriteByte(e.op)
		out.Write(e.line)
		if !bytes.HasSuffix(e.line, []byte("\n")) {
			out.WriteString("\n\\ No newline at end of file\n")
		}
	}
}

func hunkRange(start, count int) string {
	switch count {
	case 0:
		return fmt.Sprintf("%d,0", start-1)
	case 1:
		return fmt.Sprint(start)
	}
	return fmt.Sprintf("%d,%d", start, count)
}
