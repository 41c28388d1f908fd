package check

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/zkmigrate/kubectl-zkmigrate/test/load/history"
)

const ms = int64(time.Millisecond)

// script builds a history by hand; times are milliseconds.
type script struct {
	ops  []history.Op
	zxid int64
}

func (s *script) add(call, ret int64, op history.Op) *history.Op {
	op.Call, op.Return = call*ms, ret*ms
	if op.Process == "" {
		op.Process = "client"
	}
	if op.Result == "" {
		op.Result = history.OK
	}
	s.ops = append(s.ops, op)
	return &s.ops[len(s.ops)-1]
}

// set is an acknowledged write; each has the next zxid.
func (s *script) set(call, ret int64, session, value string, version int32) *history.Op {
	s.zxid++
	return s.add(call, ret, history.Op{Process: session, Session: session, Op: history.Set, Key: "/r", Value: value, Version: version, Zxid: s.zxid})
}

func (s *script) read(kind string, call, ret int64, session, value string, version int32, zxid int64) *history.Op {
	return s.add(call, ret, history.Op{Process: session, Session: session, Op: kind, Key: "/r", Value: value, Version: version, Zxid: zxid})
}

func (s *script) cas(call, ret int64, expected, version int32, result history.Result, err string) *history.Op {
	op := history.Op{Process: "c", Session: "c", Op: history.CAS, Key: "/r", Value: "cas", Expected: &expected, Result: result, Error: err}
	if result == history.OK {
		s.zxid++
		op.Version, op.Zxid = version, s.zxid
	}
	return s.add(call, ret, op)
}

func (s *script) create(call, ret int64, path string, result history.Result) {
	s.add(call, ret, history.Op{Op: history.Create, Key: "/c/n-", Value: path, Path: path, Result: result})
}

func (s *script) session(at int64, what string) {
	s.add(at, at, history.Op{Process: "h", Session: "h", Op: history.Session, Value: what, TimeoutMillis: 10_000})
}

func (s *script) watch(call, ret int64, value string, version int32) {
	s.add(call, ret, history.Op{Process: "h", Session: "h", Op: history.Watch, Key: "/r", Value: value, Version: version, Zxid: int64(version)})
}

func (s *script) fire(at int64) {
	s.add(at, at, history.Op{Process: "h", Session: "h", Op: history.Fire, Key: "/r"})
}

func (s *script) ephemeral(call, ret int64) *history.Op {
	return s.add(call, ret, history.Op{Process: "h", Session: "h", Op: history.Ephemeral, Key: "/e"})
}

func (s *script) look(call, ret int64, owner string) {
	s.add(call, ret, history.Op{Process: "looker", Session: "l", Op: history.Look, Key: "/e", Owner: owner})
}

func (s *script) end(call, ret int64) {
	s.add(call, ret, history.Op{Process: "h", Session: "h", Op: history.End, Key: "/e", TimeoutMillis: 1000, Result: history.Unknown})
}

func (s *script) check(t *testing.T, opts Options) Result {
	t.Helper()
	path := filepath.Join(t.TempDir(), "h.jsonl")
	rec, err := history.NewRecorder(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range s.ops {
		rec.Record(op)
	}
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	if opts.Timeout == 0 {
		opts.Timeout = time.Minute
	}
	r, err := Files([]string{path}, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRules(t *testing.T) {
	tests := []struct {
		name string
		make func(*script)
		// rules are those broken, in order of report; none: linearizable.
		rules []string
		// says is in the report.
		says string
	}{
		{name: "one after the other", make: func(s *script) {
			s.set(0, 1, "a", "x", 1)
			s.read(history.Read, 2, 3, "b", "x", 1, 1)
			s.cas(4, 5, 1, 2, history.OK, "")
			s.cas(6, 7, 1, 0, history.Fail, zk.ErrBadVersion.Error())
			s.read(history.Get, 8, 9, "b", "x", 1, 1) // stale, and allowed
			s.read(history.Read, 8, 9, "d", "cas", 2, 2)
		}},
		{name: "lost update", make: func(s *script) {
			s.set(0, 1, "a", "x", 1)
			s.set(2, 3, "b", "y", 1)
		}, rules: []string{RuleContent, RuleContent, RuleLinearizable}, says: "acknowledged twice"},
		{name: "lost update, seen by readers only", make: func(s *script) {
			s.set(0, 1, "a", "x", 1)
			s.set(2, 3, "a", "y", 2)
			s.read(history.Read, 4, 5, "b", "x", 1, 1)
		}, rules: []string{RuleLinearizable}, says: `no order of the operations explains the read of b`},
		{name: "stale current read, in parallel with the write", make: func(s *script) {
			s.set(0, 1, "a", "x", 1)
			s.set(2, 10, "a", "y", 2)
			s.read(history.Read, 4, 5, "b", "y", 2, 2)
			s.read(history.Read, 6, 7, "c", "x", 1, 1)
		}, rules: []string{RuleLinearizable}, says: `the read of c`},
		{name: "a write without an answer may happen later", make: func(s *script) {
			s.set(0, 1, "a", "x", 1)
			s.add(2, 3, history.Op{Process: "w", Op: history.Set, Key: "/r", Value: "late", Result: history.Unknown})
			s.read(history.Read, 4, 5, "b", "x", 1, 1)
			s.read(history.Read, 6, 7, "b", "late", 2, 3)
		}},
		{name: "a write without an answer may never happen", make: func(s *script) {
			s.add(2, 3, history.Op{Process: "w", Op: history.Set, Key: "/r", Value: "never", Result: history.Unknown})
			s.set(4, 5, "a", "x", 1)
			s.set(6, 7, "a", "y", 2)
		}},
		{name: "a write without an answer cannot happen and be undone", make: func(s *script) {
			s.add(2, 3, history.Op{Process: "w", Op: history.Set, Key: "/r", Value: "gone", Result: history.Unknown})
			s.read(history.Read, 4, 5, "b", "gone", 1, 1)
			s.read(history.Read, 6, 7, "c", "", 0, 0)
		}, rules: []string{RuleLinearizable}},
		{name: "a refused condition that held", make: func(s *script) {
			s.set(0, 1, "a", "x", 1)
			s.cas(2, 3, 1, 0, history.Fail, zk.ErrBadVersion.Error())
		}, rules: []string{RuleLinearizable}, says: "the cas of c"},
		{name: "an accepted condition that did not hold", make: func(s *script) {
			s.set(0, 1, "a", "x", 1)
			s.set(2, 3, "a", "y", 2)
			s.cas(4, 5, 1, 3, history.OK, "")
		}, rules: []string{RuleLinearizable}},
		{name: "the znode is gone", make: func(s *script) {
			s.set(0, 1, "a", "x", 1)
			s.read(history.Get, 2, 3, "b", "", 0, 0).Result = history.Fail
		}, rules: []string{RuleContent}, says: "not there"},
		{name: "nobody wrote it", make: func(s *script) {
			s.set(0, 1, "a", "x", 1)
			s.read(history.Get, 2, 3, "b", "z", 2, 7)
		}, rules: []string{RuleContent}, says: "nothing that anybody wrote"},
		{name: "read before it was written", make: func(s *script) {
			s.read(history.Get, 0, 1, "b", "x", 1, 1)
			s.set(2, 3, "a", "x", 1)
		}, rules: []string{RuleContent}, says: "afterwards"},
		{name: "one version, two values", make: func(s *script) {
			s.set(0, 1, "a", "x", 1)
			s.set(0, 1, "a", "y", 2)
			s.read(history.Get, 2, 3, "b", "y", 1, 1)
		}, rules: []string{RuleContent}},
		{name: "zxids go back", make: func(s *script) {
			s.set(0, 1, "a", "x", 1).Zxid = 9
			s.set(2, 3, "a", "y", 2).Zxid = 4
		}, rules: []string{RuleCommitOrder}},
		{name: "a session goes back on one key", make: func(s *script) {
			s.set(0, 1, "a", "x", 1)
			s.set(2, 3, "a", "y", 2)
			s.read(history.Get, 4, 5, "b", "y", 2, 2)
			s.read(history.Get, 6, 7, "b", "x", 1, 1)
		}, rules: []string{RuleSession}, says: "from version 2 to 1"},
		{name: "a session does not see its own write", make: func(s *script) {
			s.set(0, 1, "a", "x", 1)
			s.read(history.Get, 2, 3, "a", "", 0, 0)
		}, rules: []string{RuleSession}},
		{name: "a session goes back from one key to another", make: func(s *script) {
			s.set(0, 1, "a", "x", 1)
			s.set(2, 3, "a", "y", 2)
			s.set(4, 5, "a", "z", 1).Key = "/other"
			s.read(history.Get, 6, 7, "b", "z", 1, 3).Key = "/other"
			s.read(history.Get, 8, 9, "b", "x", 1, 1)
		}, rules: []string{RuleSession}, says: "0x3"},
		{name: "overlapping reads of a session have no order", make: func(s *script) {
			s.set(0, 1, "a", "x", 1)
			s.set(2, 3, "a", "y", 2)
			s.read(history.Get, 4, 7, "b", "y", 2, 2)
			s.read(history.Get, 6, 9, "b", "x", 1, 1)
		}},
		{name: "sequential names", make: func(s *script) {
			s.create(0, 4, "/c/n-0000000001", history.OK)
			s.create(1, 5, "/c/n-0000000000", history.OK)
			s.create(6, 7, "", history.Unknown)
			s.create(8, 9, "/c/n-0000000007", history.OK)
		}},
		{name: "a duplicate sequential name", make: func(s *script) {
			s.create(0, 1, "/c/n-0000000001", history.OK)
			s.create(2, 3, "/c/n-0000000001", history.OK)
		}, rules: []string{RuleNames}, says: "given twice"},
		{name: "sequential names go down", make: func(s *script) {
			s.create(0, 1, "/c/n-0000000002", history.OK)
			s.create(2, 3, "/c/n-0000000001", history.OK)
		}, rules: []string{RuleNames}, says: "is lower"},
		{name: "no number", make: func(s *script) {
			s.create(0, 1, "/c/n", history.OK)
			s.create(2, 3, "/c/n-000000000x", history.OK)
		}, rules: []string{RuleNames, RuleNames}},
		{name: "watches", make: func(s *script) {
			s.watch(0, 1, "", 0)
			s.set(2, 4, "a", "x", 1)
			s.fire(3)
			s.watch(5, 6, "x", 1)
			s.set(6, 9, "a", "y", 2) // it fires over a reconnect, late
			s.session(10, history.Opened)
			s.session(11, history.Disconnected)
			s.session(13, history.Connected)
			s.fire(14)
			s.watch(15, 16, "y", 2) // nothing changes any more
		}},
		{name: "an event before the registration's answer", make: func(s *script) {
			s.watch(0, 4, "", 0)
			s.set(1, 2, "a", "x", 1)
			s.fire(3)
		}},
		{name: "a watch fires twice", make: func(s *script) {
			s.watch(0, 1, "", 0)
			s.set(2, 4, "a", "x", 1)
			s.fire(3)
			s.fire(5)
		}, rules: []string{RuleWatchTwice}},
		{name: "a watch never fires", make: func(s *script) {
			s.watch(0, 1, "", 0)
			s.set(2, 4, "a", "x", 1)
		}, rules: []string{RuleWatchMissed}, says: "never fired"},
		{name: "a watch goes with its session", make: func(s *script) {
			s.session(0, history.Opened)
			s.watch(0, 1, "", 0)
			s.session(2, history.Disconnected)
			s.set(2, 4, "a", "x", 1)
			s.session(12_002, history.Expired)
		}, says: "session h of h expired; its client had been away for 12.0 s"},
		{name: "a watch fires and nothing changed", make: func(s *script) {
			s.set(0, 1, "a", "x", 1)
			s.watch(2, 3, "x", 1)
			s.fire(4)
		}, rules: []string{RuleWatchEarly}},
		{name: "ephemerals", make: func(s *script) {
			s.create(0, 1, "/c/n-0000000001", history.OK)
			s.look(0, 1, "")
			s.ephemeral(2, 4)
			s.look(3, 5, "h")
			s.look(6, 7, "h")
			s.end(8, 9)
			s.look(10, 11, "h")
			s.look(12, 13, "")
		}},
		{name: "an ephemeral znode goes while its session lives", make: func(s *script) {
			s.create(0, 1, "/c/n-0000000001", history.OK)
			s.ephemeral(2, 4)
			s.look(6, 7, "")
		}, rules: []string{RuleLinearizable}, says: "the look of looker"},
		{name: "an ephemeral znode has another owner", make: func(s *script) {
			s.create(0, 1, "/c/n-0000000001", history.OK)
			s.ephemeral(2, 4)
			s.look(6, 7, "x")
		}, rules: []string{RuleLinearizable}},
		{name: "an ephemeral znode comes back", make: func(s *script) {
			s.create(0, 1, "/c/n-0000000001", history.OK)
			s.ephemeral(2, 4)
			s.end(5, 6)
			s.look(7, 8, "")
			s.look(9, 10, "h")
		}, rules: []string{RuleLinearizable}},
		{name: "an ephemeral znode stays after its session", make: func(s *script) {
			s.create(0, 1, "/c/n-0000000001", history.OK)
			s.ephemeral(2, 4)
			s.end(5, 6)
			s.look(300_000, 300_001, "h")
		}, rules: []string{RuleEphemeral}, says: "still there"},
		{name: "an ephemeral znode goes when its session expires", make: func(s *script) {
			s.create(0, 1, "/c/n-0000000001", history.OK)
			s.session(0, history.Opened)
			s.ephemeral(2, 4)
			s.session(10, history.Disconnected)
			s.look(10_009, 10_010, "h")
			s.look(11_000, 11_001, "")
			s.session(12_000, history.Expired)
		}},
		{name: "an ephemeral create without an answer", make: func(s *script) {
			s.create(0, 1, "/c/n-0000000001", history.OK)
			s.ephemeral(2, 4).Result = history.Unknown
			s.look(5, 6, "")
			s.look(7, 8, "h")
		}},
		{name: "an ephemeral create in an unknown session", make: func(s *script) {
			s.create(0, 1, "/c/n-0000000001", history.OK)
			s.ephemeral(2, 4).Session = ""
			s.look(5, 6, "h1")
			s.look(7, 8, "")
		}},
		{name: "a session expires while it is connected", make: func(s *script) {
			s.create(0, 1, "/c/n-0000000001", history.OK)
			s.session(0, history.Opened)
			s.session(5000, history.Disconnected)
			s.session(6000, history.Expired)
		}, rules: []string{RuleExpiry}, says: "before its time"},
		{name: "nothing was written", make: func(s *script) { s.session(0, history.Opened) }, rules: []string{Unknown}, says: "no proof"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s script
			tt.make(&s)
			r := s.check(t, Options{})
			var got []string
			for _, v := range r.Violations {
				got = append(got, v.Rule)
				if len(v.Operations) == 0 {
					t.Errorf("%s: no evidence", v.Rule)
				}
			}
			want, verdict := tt.rules, Violated
			switch {
			case len(want) == 0:
				verdict = Linearizable
			case want[0] == Unknown:
				want, verdict = nil, Unknown
			}
			var text bytes.Buffer
			r.Print(&text)
			if strings.Join(got, " ") != strings.Join(want, " ") || r.Verdict != verdict || !strings.Contains(text.String(), tt.says) {
				t.Errorf("got %s %q, want %s %q and %q in:\n%s", r.Verdict, got, verdict, want, tt.says, text.String())
			}
		})
	}
}

// TestTheFirstViolationIsNamed: of a long history the report shows the
// operation that cannot be explained last, with its times.
func TestTheFirstViolationIsNamed(t *testing.T) {
	var s script
	for i := range int64(50) {
		s.set(20*i, 20*i+1, "a", "x", int32(i)+1)
		if i == 30 {
			s.read(history.Read, 20*i+2, 20*i+3, "stale", "x", int32(i), i)
		}
	}
	var page bytes.Buffer
	r := s.check(t, Options{Visualize: &page})
	if len(r.Violations) != 1 {
		t.Fatalf("got %+v", r.Violations)
	}
	ops := r.Violations[0].Operations
	last := ops[len(ops)-1]
	if last.Process != "stale" || last.Call != 602*ms || len(ops) != shown+1 || ops[len(ops)-2].Version != 31 {
		t.Errorf("got %+v", ops)
	}
	if want := "00:00:00.602000 .. 00:00:00.603000  stale (stale)  read"; !strings.Contains(Line(last), want) {
		t.Errorf("got %q, want %q", Line(last), want)
	}
	if !strings.Contains(page.String(), "<html") {
		t.Error("no picture")
	}
}

// TestNoTimeIsNoProof: what could not be decided is not good.
func TestNoTimeIsNoProof(t *testing.T) {
	var s script
	s.set(0, 1, "a", "x", 1)
	r := s.check(t, Options{Timeout: time.Nanosecond})
	if r.Verdict != Unknown || len(r.Undecided) != 1 || r.Undecided[0] != "/r" {
		t.Errorf("got %+v", r)
	}
}

func TestAnEmptyHistoryProvesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h.jsonl")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Files([]string{path}, Options{Timeout: time.Minute}); err == nil {
		t.Error("no error")
	}
	if _, err := Files([]string{path + "x"}, Options{Timeout: time.Minute}); err == nil {
		t.Error("no error for a file that is not there")
	}
}
