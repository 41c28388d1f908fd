//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/test/killproxy"
	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// killer runs one command again and again, each time killing it somewhere else,
// until it ends by itself. Each write of each step is killed
//
//   - before: the write never reaches the API server; then, in turn, either
//   - after: it does, and its answer never reaches the command, or
//   - late: the command dies first, and the write arrives when the next command
//     has looked at everything and is about to write itself.
type killer struct {
	s     *scene.Scene
	lab   labkit.Lab
	proxy *killproxy.Proxy

	mu sync.Mutex
	// tally counts the kills by what was going on and when.
	tally map[string]map[when]int
	// waits are the kinds of waits in which this command was killed.
	waits map[string]bool
	// stopped and sent are the writes that a run was killed before, and those
	// that it was killed after, each by its step. A step begins with the same
	// write each time; it gets by, and the turn of what follows comes.
	stopped, sent map[string]bool
	// late is the write that is to arrive late; nil when there is none. lateNext
	// is whose turn it is.
	late     *lateWrite
	lateNext bool
	// takenLate are the late writes that the API server took.
	takenLate []string
}

type lateWrite struct{ land, landed chan struct{} }

// newKiller begins with a late write or not, so that of two killers each has
// late what the other one has after.
func newKiller(s *scene.Scene, lateFirst bool) *killer {
	t := s.T
	t.Helper()
	ctx := t.Context()
	listener, err := s.Lab.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	path := s.Must(s.Lab.Zklab(ctx, "kubeconfig", "--user", "operator-"+s.Name))
	upstream, err := clientcmd.BuildConfigFromFlags("", strings.TrimSpace(path.Stdout))
	if err != nil {
		t.Fatal(err)
	}
	k := &killer{s: s, lab: *s.Lab, lateNext: lateFirst, tally: map[string]map[when]int{}, waits: map[string]bool{}, stopped: map[string]bool{}, sent: map[string]bool{}}
	if k.proxy, err = killproxy.Start(listener, upstream); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		k.report()
		if err := k.proxy.Close(); err != nil {
			t.Error(err)
		}
	})
	k.lab.Kubeconfig = s.File("proxied.kubeconfig")
	if err := k.proxy.Kubeconfig(k.lab.Kubeconfig, s.Name); err != nil {
		t.Fatal(err)
	}
	return k
}

// hook is the lab's hook, which kills its caller the first time it is called
// for an action and acts all the same, as a program that outlives it would, and
// the second time when it has acted.
func (k *killer) hook() string {
	script := fmt.Sprintf(`#!/bin/sh
mark=%s/hook.$ZKMIGRATE_ACTION.$1
if mkdir $mark.began 2>/dev/null; then kill -9 $PPID; %[2]s; exit; fi
%[2]s || exit
if mkdir $mark.ended 2>/dev/null; then kill -9 $PPID; fi
`, k.lab.Dir, k.lab.HookCommand())
	path := k.s.File("hook.sh")
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		k.s.T.Fatal(err)
	}
	return path
}

// life is one run of the command: the proxy's witness for it.
type life struct {
	k *killer
	// stall holds the reads up, once the lock is held, until it is renewed: a
	// run that is killed soon never comes to that.
	stall   bool
	renewed chan struct{}

	mu             sync.Mutex
	proc           *labkit.Process
	killed, locked bool
	late           *lateWrite
	// writes counts this run's writes by step and object; writing is the one
	// under way, of which a command has one at a time.
	// after says that its answer is not to reach the command.
	writes  map[string]int
	writing string
	after   bool
}

// drive runs the command until it ends by itself, and returns how often it was
// started. Anything but exit code 0 is a finding.
func (k *killer) drive(name, verb string, id int) int {
	t := k.s.T
	t.Helper()
	clear(k.waits)
	clear(k.stopped)
	clear(k.sent)
	args := []string{"kubectl", "zkmigrate", verb, k.s.Name, fmt.Sprintf("--id=%d", id), "--yes", "--verbose",
		"--host-hook", k.hook() + " " + name, "-n", k.s.Name}
	for runs := 1; runs <= maxRuns; runs++ {
		l := &life{k: k, stall: k.wantsRenewal(), renewed: make(chan struct{}), writes: map[string]int{}}
		k.proxy.Watch(l)
		err := l.run(fmt.Sprintf("%s-%03d.log", name, runs), args)
		switch {
		case err == nil:
			k.landLate()
			return runs
		case !dead(err):
			t.Fatalf("%s, run %d, ended by itself: %v", name, runs, err)
		case !l.killed:
			k.count(before, "a call of the hook")
		}
	}
	t.Fatalf("%s: no end after %d runs", name, maxRuns)
	return 0
}

// halfway runs a command of its own until a step is done, and kills it there.
func (k *killer) halfway(verb string, id int, step migration.StepID) {
	t := k.s.T
	t.Helper()
	p, err := k.s.Lab.Start(t.Context(), "halfway.log", "kubectl", "zkmigrate", verb, k.s.Name, fmt.Sprintf("--id=%d", id), "--yes", "--verbose",
		"--host-hook", k.s.Lab.HookCommand(), "-n", k.s.Name)
	if err != nil {
		t.Fatal(err)
	}
	done := "ok    " + migration.StepByID(step).Title
	scene.Eventually(t, done, func() error { return scene.Contains(p.Log(), done) })
	p.Kill()
}

// maxRuns is far more than a command has writes and waits, maxRun far longer
// than it takes.
const (
	maxRuns = 300
	maxRun  = 3 * time.Minute
)

// dead reports whether a process ended by SIGKILL.
func dead(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

func (l *life) run(log string, args []string) error {
	l.mu.Lock() // nothing is judged before there is a process to kill
	proc, err := l.k.lab.Start(l.k.s.T.Context(), log, args...)
	l.proc = proc
	l.mu.Unlock()
	if err != nil {
		return err
	}
	return proc.Wait(maxRun)
}

// Before is killproxy's question.
func (l *life) Before(c killproxy.Call) killproxy.Verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.killed {
		return killproxy.Drop
	}
	if c.Kind == killproxy.Read {
		return l.beforeRead()
	}
	if c.Kind != killproxy.Write {
		if l.k.first(before, string(c.Kind)) {
			l.kill(before, string(c.Kind))
		}
		return killproxy.Verdict(!l.killed)
	}
	what := stepOf(l.proc) + ": " + c.String()
	l.writes[what]++
	if n := l.writes[what]; n > 1 {
		what = fmt.Sprintf("%s, number %d", what, n)
	}
	l.writing, l.after = what, false
	if !strings.HasPrefix(what, atStart) && l.k.landLate() {
		// Two writes have met: this one goes on, whatever comes of it.
		return killproxy.Pass
	}
	switch l.k.turn(what) {
	case before:
		l.kill(before, what)
	case late:
		l.kill(late, what)
		l.late = l.k.expectLate()
		l.mu.Unlock()
		<-l.late.land
		l.mu.Lock()
		return killproxy.Pass
	case after:
		l.after = true
	case never:
	}
	return killproxy.Verdict(!l.killed)
}

func (l *life) beforeRead() killproxy.Verdict {
	if wait := l.newWait(); wait != "" {
		l.kill(before, "wait: "+wait)
		return killproxy.Drop
	}
	if l.stall && l.locked {
		l.mu.Unlock()
		<-l.renewed
		l.mu.Lock()
	}
	return killproxy.Verdict(!l.killed)
}

// After is killproxy's question.
func (l *life) After(c killproxy.Call, status int) killproxy.Verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.late != nil && c.Kind == killproxy.Write:
		if status < 300 {
			l.k.taken(l.writing)
		}
		close(l.late.landed)
		l.late = nil
	case l.killed, c.Kind == killproxy.Read:
	case c.Kind == killproxy.Write:
		if l.after {
			l.kill(after, l.writing)
		}
	case l.k.first(after, string(c.Kind)):
		l.kill(after, string(c.Kind))
	case c.Kind == killproxy.Acquire:
		l.locked = true
	case c.Kind == killproxy.Renew:
		l.letRead()
	}
	return killproxy.Verdict(!l.killed)
}

// kill ends the command at once; l.mu is held.
func (l *life) kill(at when, what string) {
	l.killed = true
	l.proc.Kill()
	l.letRead()
	l.k.count(at, what)
}

// letRead ends the stall; l.mu is held.
func (l *life) letRead() {
	if l.stall {
		l.stall = false
		close(l.renewed)
	}
}

// atStart is where a command takes over what another one left in the middle.
const atStart = "take over"

// stepOf is the step that a command has printed last.
func stepOf(p *labkit.Process) string {
	all := stepLine.FindAllStringSubmatch(p.Log(), -1)
	if len(all) == 0 {
		return atStart
	}
	return all[len(all)-1][1]
}

// newWait is a kind of wait that the command has printed and that no run was
// killed in yet.
func (l *life) newWait() string {
	l.k.mu.Lock()
	defer l.k.mu.Unlock()
	for _, m := range waitLine.FindAllStringSubmatch(l.proc.Log(), -1) {
		kind := number.ReplaceAllString(m[1], "N")
		if !l.k.waits[kind] {
			l.k.waits[kind] = true
			return kind
		}
	}
	return ""
}

var (
	stepLine = regexp.MustCompile(`(?m)^ +[0-9.]+s  \.\.\.   (.*?): `)
	waitLine = regexp.MustCompile(`(?m)^ +[0-9.]+s  wait  (.*?)(?: \(for [0-9]+ s\))?$`)
	number   = regexp.MustCompile(`[0-9]+(\.[0-9]+)*`)
)

// expectLate announces a write that arrives when landLate is called.
func (k *killer) expectLate() *lateWrite {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.late = &lateWrite{land: make(chan struct{}), landed: make(chan struct{})}
	return k.late
}

// landLate lets a late write arrive, if there is one, and waits until it has.
func (k *killer) landLate() bool {
	k.mu.Lock()
	late := k.late
	k.late = nil
	k.mu.Unlock()
	if late == nil {
		return false
	}
	close(late.land)
	<-late.landed
	return true
}

// wantsRenewal reports whether the command is well on its way, and no run was
// killed yet around a renewal of its lock.
func (k *killer) wantsRenewal() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.waits) > 0 && (k.tally[string(killproxy.Renew)][before] == 0 || k.tally[string(killproxy.Renew)][after] == 0)
}
