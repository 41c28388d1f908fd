package check

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/load/history"
)

// String is one line about what was checked and what came of it.
func (r Result) String() string {
	verdict := r.Verdict
	switch r.Verdict {
	case Violated:
		verdict = fmt.Sprintf("%d violations", len(r.Violations))
	case Unknown:
		verdict = "unknown, which is no proof"
	}
	return fmt.Sprintf("history: %s writes and %s current reads on %d keys, %s plain reads, %d sequential creates, %d watches, %d ephemerals, %d sessions: %s",
		thousands(r.Writes), thousands(r.CurrentReads), r.Keys, thousands(r.Reads), r.Creates, r.Watches.Registered, r.Ephemerals.Created, r.Sessions.Opened, verdict)
}

func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// Print writes the whole report for people; the first violation comes with its
// operations.
func (r Result) Print(w io.Writer) {
	fmt.Fprintln(w, r.String())
	for _, key := range r.Undecided {
		fmt.Fprintf(w, "not decided in time: %s; give it more with --timeout\n", key)
	}
	for _, l := range r.Sessions.Lost {
		fmt.Fprintf(w, "session %s of %s expired; its client had been away for %.1f s\n", l.Session, l.Process, l.AwaySeconds)
	}
	for i, v := range r.Violations {
		fmt.Fprintf(w, "violation of %s: %s: %s\n", v.Rule, v.Key, v.What)
		if i > 0 {
			continue
		}
		for _, op := range v.Operations {
			fmt.Fprintf(w, "    %s\n", Line(op))
		}
	}
}

// Line is an operation with its times, in UTC, and who did it.
func Line(op history.Op) string {
	session := op.Session
	if session == "" {
		session = "session unknown"
	}
	return fmt.Sprintf("%s .. %s  %s (%s)  %s", clock(op.Call), clock(op.Return), op.Process, session, Text(op))
}

func clock(nanos int64) string { return time.Unix(0, nanos).UTC().Format("15:04:05.000000") }

// Text is what an operation asked for and got.
func Text(op history.Op) string {
	var b strings.Builder
	b.WriteString(op.Op)
	if op.Expected != nil {
		fmt.Fprintf(&b, " if version %d", *op.Expected)
	}
	switch op.Op {
	case history.Create:
		fmt.Fprintf(&b, " %q as %s", op.Value, op.Path)
	case history.Look:
		fmt.Fprintf(&b, ": owner %q", op.Owner)
	case history.Session:
		fmt.Fprintf(&b, " %s", op.Value)
	case history.Fire, history.End, history.Ephemeral:
	default:
		fmt.Fprintf(&b, " %q", op.Value)
		if op.Result == history.OK {
			fmt.Fprintf(&b, ": version %d, zxid 0x%x", op.Version, op.Zxid)
		}
	}
	switch op.Result {
	case history.Fail:
		fmt.Fprintf(&b, ": refused: %s", op.Error)
	case history.Unknown:
		fmt.Fprintf(&b, ": no answer")
	}
	return b.String()
}
