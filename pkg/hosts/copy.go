package hosts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/engine"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// CopyData runs the operator's program with the action copy-data. It writes
// the token into dataDir, then a tar of the server's directories to its standard
// output and, if that went well, one of the token; further in its environment are
//
//	ZKMIGRATE_TOKEN         what goes into the file zkmigrate-seed of dataDir
//	ZKMIGRATE_DATA_DIR      dataDir and, where it is another directory, dataLogDir,
//	ZKMIGRATE_DATA_LOG_DIR  as in the host's zoo.cfg; unset when unknown
//
// There is no limit of time but the command's own. The stream ends with the
// program's failure, if it fails, and not with io.EOF.
func (h Hook) CopyData(ctx context.Context, s migration.ServerRecord, token string) (io.ReadCloser, error) {
	fail := func(err error) error {
		return &HookError{Program: h.Program, Action: engine.HostCopyData, Host: s.HostIP, Err: err}
	}
	ctx, cancel := context.WithCancel(ctx)
	cmd, err := h.command(ctx, engine.HostCopyData, s)
	if err != nil {
		cancel()
		return nil, fail(err)
	}
	cmd.Env = append(cmd.Env, "ZKMIGRATE_TOKEN="+token)
	if s.DataDir != "" {
		cmd.Env = append(cmd.Env, "ZKMIGRATE_DATA_DIR="+s.DataDir)
	}
	if s.DataLogDir != "" {
		cmd.Env = append(cmd.Env, "ZKMIGRATE_DATA_LOG_DIR="+s.DataLogDir)
	}
	c := &hookStream{cancel: cancel, cmd: cmd, fail: fail, complaints: quote.Tail{Limit: hookEnding}}
	cmd.Stderr = &c.complaints
	if c.out, err = cmd.StdoutPipe(); err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		return nil, fail(err)
	}
	return c, nil
}

// command is one call of the program.
func (h Hook) command(ctx context.Context, action engine.HostAction, s migration.ServerRecord) (*exec.Cmd, error) {
	words, err := quote.Split(h.Program)
	if err != nil {
		return nil, err
	}
	if len(words) == 0 {
		return nil, errors.New("no program is named")
	}
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Env = append(os.Environ(),
		"ZKMIGRATE_ACTION="+string(action),
		"ZKMIGRATE_ENSEMBLE="+h.Ensemble,
		"ZKMIGRATE_NAMESPACE="+h.Namespace,
		"ZKMIGRATE_ID="+s.ID.String(),
		"ZKMIGRATE_HOST="+s.HostIP,
	)
	if h.NotAfter != nil {
		cmd.Env = append(cmd.Env, fmt.Sprintf("ZKMIGRATE_NOT_AFTER=%d", h.NotAfter().Unix()))
	}
	// A hook that leaves children behind must not hang us.
	cmd.WaitDelay = 2 * time.Second
	return cmd, nil
}

// hookStream is the output of a program that runs.
type hookStream struct {
	cmd        *exec.Cmd
	out        io.Reader
	cancel     context.CancelFunc
	complaints quote.Tail
	fail       func(error) error

	once  sync.Once
	ended atomic.Bool
	err   error
}

// Read reads; the program's failure comes in place of io.EOF.
func (c *hookStream) Read(p []byte) (int, error) {
	n, err := c.out.Read(p)
	if errors.Is(err, io.EOF) {
		if failed := c.wait(); failed != nil {
			return n, failed
		}
	}
	return n, err
}

// Close ends the program, if it runs, and returns how it had failed by itself.
func (c *hookStream) Close() error {
	ended := c.ended.Load()
	c.cancel()
	err := c.wait()
	if !ended {
		return nil
	}
	return err
}

func (c *hookStream) wait() error {
	c.once.Do(func() {
		if err := c.cmd.Wait(); err != nil {
			if text := quote.LastLine(c.complaints.String()); text != "" {
				err = fmt.Errorf("%w: %s", err, text)
			}
			c.err = c.fail(err)
		}
		c.ended.Store(true)
	})
	return c.err
}

// hookEnding is how much of the end of a hook's output is kept, in bytes.
const hookEnding = 4096

// CopyData prints the command that sends the data, once a token.
func (m *Manual) CopyData(_ context.Context, s migration.ServerRecord, token string) (io.ReadCloser, error) {
	if m.told == nil {
		m.told = map[string]bool{}
	}
	if key := string(engine.HostCopyData) + token; !m.told[key] && m.Copy != nil {
		m.told[key] = true
		lines, notes := m.Copy(s, token)
		fmt.Fprintf(m.Out, "\n  In another terminal here, send the data of server %d from host %s; this command waits for it:\n", s.ID, s.HostIP)
		for _, l := range lines {
			fmt.Fprintf(m.Out, "    %s\n", l)
		}
		for _, n := range notes {
			fmt.Fprintf(m.Out, "    # %s\n", n)
		}
		fmt.Fprintln(m.Out)
	}
	return nil, nil
}
