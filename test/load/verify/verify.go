package verify

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/zkmigrate/kubectl-zkmigrate/test/load/client"
)

// Result is what reading everything back showed, from every server by itself.
type Result struct {
	Root         string `json:"root"`
	Acknowledged int    `json:"acknowledged"`
	Tree         int    `json:"tree"`
	// Missing and Different are those of the worst server.
	Missing   int      `json:"missing"`
	Different int      `json:"different"`
	Conflicts []string `json:"conflicts,omitempty"`
	Servers   []Server `json:"servers"`
}

// Server is one server's part.
type Server struct {
	Address   string `json:"address"`
	Checked   int    `json:"checked"`
	Missing   int    `json:"missing"`
	Different int    `json:"different"`
	// Findings lists the first of them.
	Findings []Finding `json:"findings,omitempty"`
}

// Good reports whether nothing is missing, different or contradictory.
func (r Result) Good() bool {
	return r.Missing == 0 && r.Different == 0 && len(r.Conflicts) == 0
}

const (
	maxFindings = 20
	parallel    = 16
)

// Run reads everything back from each server.
func Run(ctx context.Context, servers []string, root, historyFile string, logf func(string, ...any)) (Result, error) {
	expected, err := Expect(historyFile)
	if err != nil {
		return Result{}, err
	}
	result := Result{Root: root, Acknowledged: expected.Acknowledged, Conflicts: expected.Conflicts}
	for _, address := range servers {
		s, tree, err := one(ctx, address, expected, logf)
		if err != nil {
			return result, fmt.Errorf("verify %s: %w", address, err)
		}
		result.Tree = max(result.Tree, tree)
		result.Missing = max(result.Missing, s.Missing)
		result.Different = max(result.Different, s.Different)
		result.Servers = append(result.Servers, s)
	}
	return result, nil
}

// check is one znode to read and how to judge it.
type check struct {
	path  string
	judge func(znode) *Finding
}

func one(ctx context.Context, address string, e *Expected, logf func(string, ...any)) (Server, int, error) {
	s := Server{Address: address}
	c, err := client.Open("verify "+address, []string{address}, 10*time.Second, logf)
	if err != nil {
		return s, 0, err
	}
	defer c.Close()
	if err := c.WaitSession(ctx); err != nil {
		return s, 0, err
	}
	// What was acknowledged anywhere must be here after a sync.
	if _, err := c.Sync("/"); err != nil {
		return s, 0, fmt.Errorf("sync: %w", err)
	}
	tree, err := ReadTree(c.Conn)
	if err != nil {
		return s, 0, err
	}
	checks := make(chan check)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for range parallel {
		wg.Go(func() {
			for ch := range checks {
				got, err := read(ctx, c.Conn, ch.path)
				mu.Lock()
				if err != nil {
					failed = errors.Join(failed, err)
				} else {
					s.take(ch.judge(got))
				}
				mu.Unlock()
			}
		})
	}
	feed(ctx, checks, e, tree)
	close(checks)
	wg.Wait()
	return s, tree.Znodes, errors.Join(failed, ctx.Err())
}

func feed(ctx context.Context, checks chan<- check, e *Expected, tree Tree) {
	send := func(path string, judge func(znode) *Finding) {
		select {
		case checks <- check{path, judge}:
		case <-ctx.Done():
		}
	}
	for i := range tree.Znodes {
		path := tree.path(i)
		send(path, func(z znode) *Finding { return judgeContent(path, tree.data(i), z) })
	}
	for path, want := range e.Created {
		send(path, func(z znode) *Finding { return judgeContent(path, want, z) })
	}
	for path, r := range e.Registers {
		send(path, func(z znode) *Finding { return r.judge(path, z) })
	}
}

func (s *Server) take(f *Finding) {
	s.Checked++
	if f == nil {
		return
	}
	s.Missing += f.Missing
	if f.Missing == 0 {
		s.Different++
	}
	if len(s.Findings) < maxFindings {
		s.Findings = append(s.Findings, *f)
	}
}

// read tries again when a connection broke: reading twice harms nothing.
func read(ctx context.Context, conn *zk.Conn, path string) (znode, error) {
	for {
		data, stat, err := conn.Get(path)
		switch {
		case err == nil:
			return znode{exists: true, data: string(data), version: stat.Version}, nil
		case errors.Is(err, zk.ErrNoNode):
			return znode{}, nil
		case ctx.Err() != nil:
			return znode{}, fmt.Errorf("read %s: %w", path, err)
		}
		pause(ctx)
	}
}

// pause waits before a second try.
func pause(ctx context.Context) {
	retry := time.NewTimer(100 * time.Millisecond)
	defer retry.Stop()
	select {
	case <-retry.C:
	case <-ctx.Done():
	}
}
