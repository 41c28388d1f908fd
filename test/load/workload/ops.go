package workload

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/zkmigrate/kubectl-zkmigrate/test/load/client"
	"github.com/zkmigrate/kubectl-zkmigrate/test/load/history"
)

// within carries out an operation through a client and notes its times, its
// result and the session it ran in.
func (r *Run) within(c *client.Client, op *history.Op, f func() error) {
	before := c.SessionID()
	op.Call = r.rec.Now()
	err := f()
	op.Return, op.Result = r.rec.Now(), history.Classify(err)
	if err != nil {
		op.Error = err.Error()
	}
	// An id never comes back, so that equal ends mean one session all along.
	if after := c.SessionID(); after == before {
		op.Session = history.SessionName(after)
	}
}

// write is one writer: registers, set blindly or by version, now and then read
// what the writer's own server has, and sequential znodes.
func (r *Run) write(ctx context.Context, n int) {
	process := fmt.Sprintf("writer-%d", n)
	for seq := 0; ctx.Err() == nil; seq++ {
		op := history.Op{Process: process, Value: fmt.Sprintf("%s:%d", process, seq)}
		reg := rand.IntN(r.opts.Registers)
		switch seq % 5 {
		case 0:
			op.Op, op.Key = history.Create, fmt.Sprintf("%s/created/n-", r.root)
		case 1:
			op.Op, op.Key = history.CAS, r.register(reg)
			version := r.versions[reg].Load()
			op.Expected = &version
		case 2:
			r.get(r.writer, process, r.register(reg))
			pauseFor(ctx, r.opts.Pace)
			continue
		default:
			op.Op, op.Key = history.Set, r.register(reg)
		}
		r.do(&op)
		if op.Result == history.OK && op.Op != history.Create {
			r.versions[reg].Store(op.Version)
		}
		pauseFor(ctx, r.opts.Pace)
	}
}

// do carries out a write, records and counts it.
func (r *Run) do(op *history.Op) {
	r.within(r.writer, op, func() error {
		if op.Op == history.Create {
			path, err := r.writer.Create(op.Key, []byte(op.Value), zk.FlagSequence, zk.WorldACL(zk.PermAll))
			op.Path = path
			return err
		}
		expected := int32(-1)
		if op.Expected != nil {
			expected = *op.Expected
		}
		stat, err := r.writer.Set(op.Key, []byte(op.Value), expected)
		if err == nil {
			op.Version, op.Zxid = stat.Version, stat.Mzxid
		}
		return err
	})
	switch op.Result {
	case history.OK:
		r.acked.Add(1)
		r.writes.Acked(time.Unix(0, op.Return), time.Duration(op.Return-op.Call))
	case history.Fail:
		r.failed.Add(1)
	default:
		r.unknown.Add(1)
	}
	r.rec.Record(*op)
}

// read is one reader. Every other time it commits a write first, so that what
// it reads is no older than what was acknowledged before the call.
func (r *Run) read(ctx context.Context, n int) {
	process := fmt.Sprintf("reader-%d", n)
	for seq := 0; ctx.Err() == nil; seq++ {
		reg := rand.IntN(r.opts.Registers)
		if seq%2 == 1 {
			r.get(r.reader, process, r.register(reg))
		} else if op := r.currentGet(process, r.register(reg)); op.Result == history.OK {
			// A CAS with a version just read has a chance.
			r.versions[reg].Store(op.Version)
		}
		pauseFor(ctx, r.opts.Pace)
	}
}

func (r *Run) currentGet(process, key string) history.Op {
	op := history.Op{Process: process, Op: history.Read, Key: key}
	r.within(r.reader, &op, func() error {
		if err := r.barrier(); err != nil {
			return err
		}
		return fetch(r.reader, &op)
	})
	if op.Session == "" {
		// The write may have been another session's, with another server.
		op.Op = history.Get
	}
	r.countRead(op)
	return op
}

// barrier is a write of the reader's session, that changes nothing: what it
// reads next is no older than what was acknowledged before. A sync is no such
// thing at the leader, which answers its own clients' at once while a follower
// has already acknowledged what the leader has not applied (seen on 3.8.0).
func (r *Run) barrier() error {
	_, err := r.reader.Multi(&zk.CheckVersionRequest{Path: r.root, Version: -1})
	return err
}

// get reads whatever its server has.
func (r *Run) get(c *client.Client, process, key string) {
	op := history.Op{Process: process, Op: history.Get, Key: key}
	r.within(c, &op, func() error { return fetch(c, &op) })
	r.countRead(op)
}

func (r *Run) countRead(op history.Op) {
	if op.Result == history.OK {
		r.reads.Add(1)
	}
	r.rec.Record(op)
}

func fetch(c *client.Client, op *history.Op) error {
	value, stat, err := c.Get(op.Key)
	if err == nil {
		op.Value, op.Version, op.Zxid = string(value), stat.Version, stat.Mzxid
	}
	return err
}

// tell records what happens to a client's session and watches.
func (r *Run) tell(process string) func(client.Event) {
	return func(e client.Event) {
		now := r.rec.Now()
		op := history.Op{Process: process, Op: history.Session, Session: history.SessionName(e.Session), Call: now, Return: now, Result: history.OK}
		switch e.What {
		case client.Opened:
			op.Value, op.TimeoutMillis = history.Opened, r.opts.Session.Milliseconds()
		case client.Connected:
			op.Value = history.Connected
		case client.Disconnected:
			op.Value = history.Disconnected
		case client.Expired:
			op.Value = history.Expired
		case client.Fired:
			op.Op, op.Key = history.Fire, e.Path
		}
		r.rec.Record(op)
	}
}

// close ends a client and records it, once.
func (r *Run) close(c *client.Client) {
	op := history.Op{
		Process: c.Name, Op: history.Session, Value: history.Closed, Session: history.SessionName(c.SessionID()),
		Call: r.rec.Now(), Result: history.Unknown,
	}
	if first := c.Close(); !first {
		return
	}
	op.Return = r.rec.Now()
	r.rec.Record(op)
}
