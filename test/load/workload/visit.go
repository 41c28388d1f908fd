package workload

import (
	"context"
	"fmt"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/zkmigrate/kubectl-zkmigrate/test/load/client"
	"github.com/zkmigrate/kubectl-zkmigrate/test/load/history"
)

const (
	// visitPatience is how long a visitor waits for a session.
	visitPatience = 10 * time.Second
	visitLooks    = 2
	visitPause    = 100 * time.Millisecond
)

// visits opens one short session after the other. Each makes an ephemeral
// znode, which must be there until the session ends and be gone afterwards.
func (r *Run) visits(ctx context.Context) {
	for n := 0; ctx.Err() == nil; n++ {
		r.visit(ctx, n)
		pauseFor(ctx, r.opts.VisitEvery)
	}
}

func (r *Run) visit(ctx context.Context, n int) {
	name := fmt.Sprintf("visitor-%d", n)
	r.mu.Lock()
	servers := r.connect
	r.mu.Unlock()
	c, err := client.Open(name, servers, r.opts.Session, r.opts.Logf, r.tell(name))
	if err != nil {
		r.trouble("%s: %v", name, err)
		return
	}
	defer r.close(c)
	patience, cancel := context.WithTimeout(ctx, visitPatience)
	defer cancel()
	if c.WaitSession(patience) != nil {
		return // servers are away; nothing was made
	}
	path := fmt.Sprintf("%s/visits/%d", r.root, n)
	made := r.ephemeral(c, path)
	for range visitLooks {
		r.look(path)
		pauseFor(ctx, visitPause)
	}
	end := history.Op{
		Process: name, Op: history.End, Key: path, Session: made.Session, TimeoutMillis: r.opts.Session.Milliseconds(),
		Call: r.rec.Now(), Result: history.Unknown,
	}
	r.close(c)
	end.Return = r.rec.Now()
	r.rec.Record(end)
	// A close that no server heard leaves the znode until the session expires.
	for {
		op, _ := r.look(path)
		if gone := op.Result == history.OK && op.Owner == ""; gone {
			r.visited.Add(1)
			return
		}
		if ctx.Err() != nil {
			return
		}
		pauseFor(ctx, visitPause)
	}
}

// ephemeral makes an ephemeral znode.
func (r *Run) ephemeral(c *client.Client, path string) history.Op {
	op := history.Op{Process: c.Name, Op: history.Ephemeral, Key: path}
	r.within(c, &op, func() error {
		_, err := c.Create(path, nil, zk.FlagEphemeral, zk.WorldACL(zk.PermAll))
		return err
	})
	r.rec.Record(op)
	return op
}

// look asks, with the reader's eyes, who owns an ephemeral znode, and for the
// zxid that created it.
func (r *Run) look(path string) (history.Op, int64) {
	op := history.Op{Process: "looker", Op: history.Look, Key: path}
	var czxid int64
	r.within(r.reader, &op, func() error {
		if err := r.barrier(); err != nil {
			return err
		}
		exists, stat, err := r.reader.Exists(path)
		if err == nil && exists {
			op.Owner, czxid = history.SessionName(stat.EphemeralOwner), stat.Czxid
		}
		return err
	})
	if op.Session == "" {
		op.Result = history.Unknown // the write may have been another session's
	}
	r.rec.Record(op)
	return op, czxid
}
