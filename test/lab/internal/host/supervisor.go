package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

const (
	// restartDelay is systemd's default for RestartSec.
	restartDelay = 100 * time.Millisecond
	// maxRestartDelay keeps a server that can't start from eating the machine.
	maxRestartDelay = 2 * time.Second
	stopPatience    = 20 * time.Second
)

// Supervisor keeps one program running unless it was stopped or masked.
type Supervisor struct {
	Dir string
	// Command makes a fresh command for every start.
	Command func() *exec.Cmd
	Log     io.Writer

	mu       sync.Mutex
	wanted   bool
	masked   bool
	restarts int
	delay    time.Duration
	child    *child
}

type child struct {
	pid     int
	started time.Time
	done    chan struct{}
}

// Run starts the program and obeys commands until the context ends.
func (s *Supervisor) Run(ctx context.Context) error {
	listener, err := listen(s.Dir)
	if err != nil {
		return err
	}
	if _, err := os.Stat(s.maskFile()); err == nil {
		s.masked = true
	}
	stopListening := context.AfterFunc(ctx, func() { listener.Close() })
	defer stopListening()
	if !s.masked {
		if _, err := s.Do("start"); err != nil {
			s.say("%v", err)
		}
	}
	for {
		conn, err := listener.Accept()
		if ctx.Err() != nil {
			_, err := s.Do("stop")
			return err
		}
		if err != nil {
			return fmt.Errorf("listen for commands: %w", err)
		}
		go serve(conn, s.Do)
	}
}

// Do carries one verb out and returns when its effect is there.
func (s *Supervisor) Do(verb string) (Status, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	switch verb {
	case "status":
	case "start":
		err = s.start()
	case "stop":
		err = s.stop()
	case "restart":
		if s.masked {
			err = s.refuse()
		} else if err = s.stop(); err == nil {
			err = s.start()
		}
	case "kill":
		err = s.kill()
	case "pause":
		err = s.toRunning(syscall.SIGSTOP)
	case "resume":
		err = s.toRunning(syscall.SIGCONT)
	case "mask":
		s.masked = true
		err = os.WriteFile(s.maskFile(), nil, 0o644)
	case "unmask":
		s.masked = false
		if err = os.Remove(s.maskFile()); errors.Is(err, os.ErrNotExist) {
			err = nil
		}
	default:
		err = fmt.Errorf("no action %q", verb)
	}
	if verb != "status" {
		s.say("%s: %v", verb, errorOrOK(err))
	}
	return s.status(), err
}

func (s *Supervisor) status() Status {
	st := Status{Masked: s.masked, Wanted: s.wanted, Restarts: s.restarts}
	if s.running() {
		st.Running, st.PID = true, s.child.pid
	}
	return st
}

func (s *Supervisor) running() bool {
	if s.child == nil {
		return false
	}
	select {
	case <-s.child.done:
		return false
	default:
		return true
	}
}

func (s *Supervisor) start() error {
	if s.masked {
		return s.refuse()
	}
	s.wanted, s.delay = true, restartDelay
	if s.running() {
		return nil
	}
	return s.spawn()
}

func (s *Supervisor) refuse() error {
	return fmt.Errorf("the server in %s is masked: it can't be started until it is unmasked", s.Dir)
}

func (s *Supervisor) spawn() error {
	cmd := s.Command()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the server in %s: %w", s.Dir, err)
	}
	c := &child{pid: cmd.Process.Pid, started: time.Now(), done: make(chan struct{})}
	s.child = c
	go func() {
		err := cmd.Wait()
		close(c.done)
		s.say("server with pid %d ended: %v", c.pid, errorOrOK(err))
		s.ended(c)
	}()
	return nil
}

// ended restarts the server after a short while, as an init system does.
func (s *Supervisor) ended(c *child) {
	s.mu.Lock()
	if time.Since(c.started) > 10*time.Second {
		s.delay = restartDelay
	}
	delay := s.delay
	s.delay = min(2*s.delay, maxRestartDelay)
	s.mu.Unlock()
	time.AfterFunc(delay, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.wanted || s.masked || s.child != c {
			return
		}
		s.restarts++
		if err := s.spawn(); err != nil {
			s.say("%v", err)
		}
	})
}

// stop asks the server to end, and waits until the process is gone.
func (s *Supervisor) stop() error {
	s.wanted = false
	if !s.running() {
		return nil
	}
	// As systemd does: one that is paused could not end otherwise.
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGCONT} {
		if err := s.signal(sig); err != nil {
			return err
		}
	}
	select {
	case <-s.child.done:
		return nil
	case <-time.After(stopPatience):
		return s.kill()
	}
}

// kill ends the server without warning; it is restarted if it was wanted.
func (s *Supervisor) kill() error {
	if !s.running() {
		return nil
	}
	if err := s.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-s.child.done
	return nil
}

// toRunning signals the server, which must run.
func (s *Supervisor) toRunning(sig syscall.Signal) error {
	if !s.running() {
		return fmt.Errorf("the server in %s does not run", s.Dir)
	}
	return s.signal(sig)
}

func (s *Supervisor) signal(sig syscall.Signal) error {
	err := syscall.Kill(s.child.pid, sig)
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("signal the server in %s: %w", s.Dir, err)
	}
	return nil
}

func (s *Supervisor) maskFile() string { return filepath.Join(s.Dir, "masked") }

func (s *Supervisor) say(format string, args ...any) {
	fmt.Fprintf(s.Log, "%s supervisor: %s\n", time.Now().Format("2006-01-02 15:04:05,000"), fmt.Sprintf(format, args...))
}

func errorOrOK(err error) any {
	if err == nil {
		return "ok"
	}
	return err
}
