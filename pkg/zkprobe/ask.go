package zkprobe

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// Word is a four-letter word. Only words that change nothing on the server are
// named here.
type Word string

// The words this package reads.
const (
	Srvr Word = "srvr"
	Stat Word = "stat"
	Mntr Word = "mntr"
	Conf Word = "conf"
	Cons Word = "cons"
	Ruok Word = "ruok"
	Envi Word = "envi"
	Wchs Word = "wchs"
	Isro Word = "isro"
)

const (
	// DefaultTimeout bounds one question: connect, ask and read.
	DefaultTimeout = 3 * time.Second
	// DefaultCommitTimeout bounds one canary write.
	DefaultCommitTimeout = 5 * time.Second
	// DefaultMaxReply bounds an answer; srvr, conf and mntr need some KiB.
	DefaultMaxReply = 1 << 20
	// maxListing bounds an answer to cons, which needs about 250 bytes per client
	// and is asked of one server at a time.
	maxListing = 16 << 20
)

// Prober asks questions. Its zero value asks directly with the defaults.
type Prober struct {
	// Dialer opens the connections; nil means a plain net.Dialer.
	Dialer Dialer
	// TLS has the authorities and the client's certificate for secure ports; nil trusts the
	// system's authorities, and shows none.
	TLS *tls.Config
	// Timeout bounds each question; 0 means DefaultTimeout.
	Timeout time.Duration
	// CommitTimeout bounds a canary write on one server; 0 means
	// DefaultCommitTimeout. It should be longer than an election takes where
	// one may be under way.
	CommitTimeout time.Duration
	// MaxReply bounds the bytes read of an answer; 0 means DefaultMaxReply, and
	// more for cons.
	MaxReply int64
	// SASL is what sessions authenticate with; nil where they need not. Four-letter
	// words never do.
	SASL *SASL
}

// Answer is what came back to one word.
type Answer struct {
	Addr  string
	Word  Word
	Reach vantage.Reach
	// Text is what the server sent, also when it is no answer to the word.
	Text string
	// Truncated tells that the server had more to say than MaxReply.
	Truncated bool
	// Accepted: the connection came about.
	Accepted bool
	Took     time.Duration
	// Err is set unless Reach is Answered, and says what to look at.
	Err error
}

func (p Prober) dialer() Dialer {
	if p.Dialer != nil {
		return p.Dialer
	}
	return &net.Dialer{}
}

func orDefault[T int64 | time.Duration](v, def T) T {
	if v > 0 {
		return v
	}
	return def
}

// Ask sends one word to a client address (host:port) and reads the answer. It
// returns within Timeout, whatever the server does.
func (p Prober) Ask(ctx context.Context, addr string, word Word) Answer {
	start := time.Now()
	a := Answer{Addr: addr, Word: word}
	text, accepted, truncated, err := p.converse(ctx, addr, string(word))
	// Whoever listens there may answer anything; no word has control characters.
	a.Text, a.Truncated, a.Took = quote.Visible(strings.ReplaceAll(text, "\r\n", "\n")), truncated, time.Since(start)
	a.Accepted = accepted
	switch {
	case err != nil && text == "":
		a.Reach = classifyError(ctx, err)
	case err != nil && classifyError(ctx, err) == vantage.Timeout:
		a.Reach = vantage.Timeout // the rest of the answer never came
	default:
		a.Reach = classifyText(text)
	}
	if truncated && word != Cons && a.Reach == vantage.Answered {
		a.Reach, a.Text = vantage.Garbled, ""
	}
	if a.Reach != vantage.Answered {
		a.Err = askError(a, err, orDefault(p.Timeout, DefaultTimeout))
	}
	return a
}

func (p Prober) converse(ctx context.Context, addr, word string) (text string, accepted, truncated bool, err error) {
	limit := orDefault(p.MaxReply, DefaultMaxReply)
	if word == string(Cons) {
		limit = orDefault(p.MaxReply, maxListing)
	}
	ctx, cancel := context.WithTimeout(ctx, orDefault(p.Timeout, DefaultTimeout))
	defer cancel()
	conn, err := p.dialer().DialContext(ctx, "tcp", addr)
	if err != nil {
		return "", false, false, err
	}
	defer closeWith(ctx, conn)()
	if _, err := io.WriteString(conn, word); err != nil {
		return "", true, false, ended(ctx, err)
	}
	answer, err := io.ReadAll(io.LimitReader(conn, limit+1))
	if int64(len(answer)) > limit {
		return string(answer[:limit]), true, true, nil
	}
	return string(answer), true, false, ended(ctx, err)
}

// closeWith closes the connection when ctx ends, so that no read outlives it
// even on connections that know no deadlines; the returned function closes it
// in any case.
func closeWith(ctx context.Context, conn net.Conn) func() {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	return func() {
		stop()
		_ = conn.Close() // only read from; nothing to lose
	}
}

// ended replaces the "use of closed connection" that closeWith causes by the
// reason for which it closed.
func ended(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func askError(a Answer, cause error, limit time.Duration) error {
	what := fmt.Sprintf("ask %s of %s", a.Word, a.Addr)
	if streamBroke(cause) {
		return fmt.Errorf("%s: %w", what, cause)
	}
	switch a.Reach {
	case vantage.NotServing:
		return fmt.Errorf("%s: the server runs and serves nobody: it is in no quorum, or still syncing; look at its log and at the other servers", what)
	case vantage.NotWhitelisted:
		return fmt.Errorf("%s: not allowed there: add %s to 4lw.commands.whitelist in its zoo.cfg and restart it", what, a.Word)
	case vantage.Timeout:
		return &silentError{what: fmt.Sprintf("%s: no answer within %s: hung, filtered or overloaded", what, limit), cause: cause}
	case vantage.Garbled:
		return fmt.Errorf("%s: the answer does not end, as no ZooKeeper's does: look at what listens there", what)
	case vantage.TLSFailed:
		return fmt.Errorf("%s: %w", what, cause)
	case vantage.ClosedEmpty:
		return fmt.Errorf("%s: connection closed without an answer: maxClientCnxns reached, a TLS port, or a server about to end", what)
	default:
		return fmt.Errorf("%s: %w", what, cause)
	}
}

// silentError keeps the cause for those who look for it, and its words to itself.
type silentError struct {
	what  string
	cause error
}

func (e *silentError) Error() string { return e.what }
func (e *silentError) Unwrap() error { return e.cause }
