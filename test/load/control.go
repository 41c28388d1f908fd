package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/load/workload"
)

// switchPatience bounds a move to other servers.
const switchPatience = 30 * time.Second

// control answers one-line commands on a Unix socket:
//
//	connect a:2181,b:2181   moves all sessions there; says which were kept
//	status                  says how the run stands
//	stop                    ends the run, as SIGTERM does
//
// Each is answered by one line that begins with "ok" or "error".
func control(ctx context.Context, path string, run *workload.Run, stop context.CancelFunc) (func(), error) {
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				lines := bufio.NewScanner(c)
				for lines.Scan() {
					if _, err := fmt.Fprintln(c, answer(ctx, lines.Text(), run, stop)); err != nil {
						return
					}
				}
			}()
		}
	}()
	return func() { _ = l.Close() }, nil // the socket file goes with it
}

func answer(ctx context.Context, line string, run *workload.Run, stop context.CancelFunc) string {
	command, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch command {
	case "connect":
		ctx, cancel := context.WithTimeout(ctx, switchPatience)
		defer cancel()
		servers, err := addresses(rest)
		if err != nil {
			return "error " + err.Error()
		}
		out, err := run.Switch(ctx, servers)
		if err != nil {
			return "error " + err.Error()
		}
		return "ok " + out
	case "status":
		return "ok " + run.Status()
	case "stop":
		stop()
		return "ok"
	}
	return fmt.Sprintf("error unknown command %q: connect, status or stop", command)
}

// say sends one command to a running zkload and prints the answer.
func say(ctx context.Context, path, command string, out io.Writer) error {
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	defer c.Close()
	if _, err := fmt.Fprintln(c, command); err != nil {
		return fmt.Errorf("control socket %s: %w", path, err)
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		return fmt.Errorf("control socket %s: no answer: %w", path, err)
	}
	text, ok := strings.CutPrefix(line, "ok")
	if !ok {
		return fmt.Errorf("zkload says: %s", strings.TrimSpace(line))
	}
	_, err = fmt.Fprintln(out, strings.TrimSpace(text))
	return err
}
