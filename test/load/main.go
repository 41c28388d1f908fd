// Command zkload uses a ZooKeeper ensemble the way applications do, records
// every operation, and counts afterwards what is missing.
//
//	zkload prepare --connect a:2181,b:2181 --znodes 5000
//	zkload run     --connect a:2181,b:2181 --report FILE [--duration 1m] [--control SOCKET]
//	zkload ctl     --control SOCKET connect c:2181,d:2181 | status | stop
//	zkload verify  --connect a:2181,b:2181 --report FILE
//	zkload check   [--visualize FILE] HISTORY...
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/load/check"
	"github.com/zkmigrate/kubectl-zkmigrate/test/load/client"
	"github.com/zkmigrate/kubectl-zkmigrate/test/load/verify"
	"github.com/zkmigrate/kubectl-zkmigrate/test/load/workload"
)

const usage = "usage: zkload prepare|run|ctl|verify|check [flags]; zkload COMMAND -h shows a command's flags"

// lossError tells that something acknowledged is missing or different.
type lossError struct{ missing, different, conflicts int }

func (e lossError) Error() string {
	return fmt.Sprintf("acknowledged writes: %d missing, %d different, %d contradictory", e.missing, e.different, e.conflicts)
}

// disorderError tells that a history breaks what ZooKeeper promises, or was
// not shown to keep it.
type disorderError struct{ verdict string }

func (e disorderError) Error() string { return "histories: " + e.verdict }

// usageError asks for exit code 2.
type usageError struct{ error }

// Unwrap returns the cause.
func (e usageError) Unwrap() error { return e.error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(exit(command(ctx, os.Args[1:], os.Stdout, os.Stderr), os.Stderr))
}

func exit(err error, stderr io.Writer) int {
	var bad usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &bad):
		fmt.Fprintln(stderr, "zkload:", err)
		return 2
	}
	fmt.Fprintln(stderr, "zkload:", err)
	return 1
}

// command carries out one command; ctx ends with SIGTERM or SIGINT.
func command(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return usageError{errors.New(usage)}
	}
	f := flag.NewFlagSet("zkload "+args[0], flag.ContinueOnError)
	f.SetOutput(stderr)
	connect := f.String("connect", "", "servers' client addresses, host:port separated by commas")
	report := f.String("report", "", "the run's report, JSON")
	socket := f.String("control", "", "Unix socket that takes commands while zkload runs")
	timeout := f.Duration("timeout", time.Minute, "bound on prepare, verify, check and the start of run")
	logf := func(format string, a ...any) {
		fmt.Fprintf(stderr, "%s %s\n", time.Now().UTC().Format("15:04:05.000"), fmt.Sprintf(format, a...))
	}
	switch args[0] {
	case "prepare":
		tree := verify.Tree{}
		f.IntVar(&tree.Znodes, "znodes", 5000, "znodes to create")
		f.IntVar(&tree.Size, "size", 100, "bytes in each")
		servers, err := parse(f, args[1:], connect)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, *timeout)
		defer cancel()
		return prepare(ctx, servers, tree, stdout, logf)
	case "run":
		opts := workload.Options{Logf: logf}
		f.StringVar(&opts.Name, "name", "run", "part of the name of the run's root znode")
		f.StringVar(&opts.History, "history", "", "file for every operation, one JSON line each (default: the report's name and .history.jsonl)")
		f.DurationVar(&opts.Session, "session-timeout", 10*time.Second, "session timeout to ask for")
		f.IntVar(&opts.Writers, "writers", 4, "writers at once")
		f.IntVar(&opts.Readers, "readers", 2, "readers at once")
		f.DurationVar(&opts.Pace, "pace", 10*time.Millisecond, "pause of each writer and reader after an operation")
		f.DurationVar(&opts.VisitEvery, "visit-every", time.Second, "pause between short sessions with an ephemeral znode each; 0: none")
		f.IntVar(&opts.Registers, "registers", 8, "registers all writers share")
		f.DurationVar(&opts.StallOver, "stall-over", 200*time.Millisecond, "list gaps between acknowledged writes longer than this")
		duration := f.Duration("duration", 0, "how long to run; 0: until SIGTERM, SIGINT or the command stop")
		servers, err := parse(f, args[1:], connect)
		if err != nil {
			return err
		}
		if *report == "" || opts.Registers < 1 {
			return usageError{errors.New("run needs --report FILE, and at least one register")}
		}
		if opts.History == "" {
			opts.History = *report + ".history.jsonl"
		}
		history, err := filepath.Abs(opts.History)
		if err != nil {
			return fmt.Errorf("--history: %w", err)
		}
		opts.Connect, opts.History = servers, history
		return run(ctx, opts, *report, *socket, *duration, *timeout, stdout)
	case "ctl":
		if err := f.Parse(args[1:]); err != nil {
			return usageError{err}
		}
		if *socket == "" || f.NArg() == 0 {
			return usageError{errors.New("ctl needs --control SOCKET and a command: connect ADDRESSES, status or stop")}
		}
		return say(ctx, *socket, strings.Join(f.Args(), " "), stdout)
	case "verify":
		servers, err := parse(f, args[1:], connect)
		if err != nil {
			return err
		}
		if *report == "" {
			return usageError{errors.New("verify needs --report FILE, as written by run")}
		}
		ctx, cancel := context.WithTimeout(ctx, *timeout)
		defer cancel()
		return readBack(ctx, servers, *report, stdout, stderr, logf)
	case "check":
		page := f.String("visualize", "", "HTML file for a picture of the first key whose operations no order explains; written only then")
		if err := f.Parse(args[1:]); err != nil {
			return usageError{err}
		}
		if f.NArg() == 0 {
			return usageError{errors.New("check needs histories, as run leaves them")}
		}
		return judge(f.Args(), *page, *timeout, stdout, stderr)
	}
	return usageError{fmt.Errorf("unknown command %q: %s", args[0], usage)}
}

func parse(f *flag.FlagSet, args []string, connect *string) ([]string, error) {
	if err := f.Parse(args); err != nil {
		return nil, usageError{err}
	}
	if f.NArg() > 0 {
		return nil, usageError{fmt.Errorf("%s: unexpected %q", f.Name(), f.Arg(0))}
	}
	servers, err := addresses(*connect)
	if err != nil {
		return nil, usageError{fmt.Errorf("--connect: %w", err)}
	}
	return servers, nil
}

func addresses(list string) ([]string, error) {
	var out []string
	for a := range strings.SplitSeq(list, ",") {
		a = strings.TrimSpace(a)
		if _, _, err := net.SplitHostPort(a); err != nil {
			return nil, fmt.Errorf("%q: expected host:port", a)
		}
		out = append(out, a)
	}
	return out, nil
}

func prepare(ctx context.Context, servers []string, tree verify.Tree, stdout io.Writer, logf func(string, ...any)) error {
	c, err := client.Open("prepare", servers, 10*time.Second, logf)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.WaitSession(ctx); err != nil {
		return err
	}
	if err := verify.Prepare(ctx, c.Conn, tree); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%d znodes of %d bytes below %s\n", tree.Znodes, tree.Size, verify.TreeRoot)
	return err
}

func run(ctx context.Context, opts workload.Options, report, socket string, duration, timeout time.Duration, stdout io.Writer) error {
	start, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r, err := workload.Start(start, opts)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if duration > 0 {
		time.AfterFunc(duration, stop)
	}
	if socket != "" {
		done, err := control(ctx, socket, r, stop)
		if err != nil {
			return err
		}
		defer done()
	}
	fmt.Fprintf(stdout, "writing below %s\n", r.Root())
	result, err := r.Work(ctx)
	if err := errors.Join(err, result.Write(report)); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%d writes acknowledged, %d refused, %d unknown, %d reads; longest stall %.2f s at %s; "+
		"%d of %d sessions lost, %d reconnects; %d of %d watches fired, %d twice; ephemeral znode held: %t\n",
		result.Acknowledged, result.Failed, result.Unknown, result.Reads, result.LongestStall.Seconds,
		result.LongestStall.At.UTC().Format("15:04:05"), result.Sessions.Lost, result.Sessions.Expected, result.Reconnects,
		result.Watches.Fired, result.Watches.Set, result.Watches.Duplicate, result.EphemeralHeld)
	return nil
}

func readBack(ctx context.Context, servers []string, report string, stdout, stderr io.Writer, logf func(string, ...any)) error {
	r, err := workload.ReadReport(report)
	if err != nil {
		return err
	}
	result, err := verify.Run(ctx, servers, r.Root, r.History, logf)
	if err != nil {
		return err
	}
	if result.Acknowledged == 0 || result.Acknowledged < r.Acknowledged {
		return fmt.Errorf("%s holds %d of the %d acknowledged writes %s speaks of: nothing is proved", r.History, result.Acknowledged, r.Acknowledged, report)
	}
	if err := printJSON(stdout, result); err != nil {
		return err
	}
	fmt.Fprintf(stderr, "%d acknowledged writes and %d prepared znodes read back from %d servers: %d missing, %d different\n",
		result.Acknowledged, result.Tree, len(result.Servers), result.Missing, result.Different)
	if !result.Good() {
		return lossError{result.Missing, result.Different, len(result.Conflicts)}
	}
	return nil
}

// judge checks histories; the figures go to stdout as JSON, the words to
// stderr.
func judge(paths []string, page string, timeout time.Duration, stdout, stderr io.Writer) error {
	opts := check.Options{Timeout: timeout}
	var drawn bytes.Buffer
	if page != "" {
		opts.Visualize = &drawn
	}
	result, err := check.Files(paths, opts)
	if err != nil {
		return err
	}
	if err := printJSON(stdout, result); err != nil {
		return err
	}
	result.Print(stderr)
	if drawn.Len() > 0 {
		if err := os.WriteFile(page, drawn.Bytes(), 0o644); err != nil {
			return fmt.Errorf("--visualize: %w", err)
		}
		fmt.Fprintf(stderr, "drawn in %s\n", page)
	}
	if result.Verdict != check.Linearizable {
		return disorderError{result.Verdict}
	}
	return nil
}

func printJSON(w io.Writer, v any) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(v)
}
