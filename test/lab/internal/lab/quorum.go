package lab

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/sys"
)

// awaitQuorum waits until every server serves and one of them leads.
func (l *Lab) awaitQuorum(ctx context.Context, name string, servers []ensemble.Server) error {
	modes := make([]string, len(servers))
	ok := sys.Poll(ctx, waitFor, func() bool {
		leaders := 0
		for i, s := range servers {
			modes[i] = l.mode(ctx, name, s)
			if modes[i] == "leader" || modes[i] == "standalone" {
				leaders++
			}
			if modes[i] == "" {
				return false
			}
		}
		return leaders == 1
	})
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("wait for a leader: %w", err)
	}
	if !ok {
		return fmt.Errorf("wait for a leader: not in %s; the servers say %q; their logs are %s", waitFor, modes, l.Path("logs", "zookeeper-*.log"))
	}
	return nil
}

// mode asks a server what it is; empty while it does not serve.
func (l *Lab) mode(ctx context.Context, name string, s ensemble.Server) string {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	conn, err := l.dialServer(ctx, name, s)
	if err != nil {
		return ""
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return ""
	}
	if _, err := io.WriteString(conn, "srvr"); err != nil {
		return ""
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(answer)) {
		if mode, ok := strings.CutPrefix(line, "Mode: "); ok {
			return strings.TrimSpace(mode)
		}
	}
	return ""
}
