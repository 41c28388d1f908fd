//go:build linux

package zkreal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Server is one real ZooKeeper server.
type Server struct {
	ID                                 int
	Dir                                string
	ClientPort, PeerPort, ElectionPort int

	e    *Ensemble
	mu   sync.Mutex
	proc *process
}

// process is one run of the JVM.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the JVM has ended
}

// ClientAddr returns host:port of the client port.
func (s *Server) ClientAddr() string { return loopback(s.ClientPort) }

// ElectionAddr returns host:port of the election port.
func (s *Server) ElectionAddr() string { return loopback(s.ElectionPort) }

// PeerAddr returns host:port of the quorum port; only a leader listens there.
func (s *Server) PeerAddr() string { return loopback(s.PeerPort) }

// DataDir returns the folder that holds myid and version-2.
func (s *Server) DataDir() string { return filepath.Join(s.Dir, "data") }

// ConfigFile returns the path of zoo.cfg; a test may rewrite it between runs.
func (s *Server) ConfigFile() string { return filepath.Join(s.Dir, "zoo.cfg") }

// LogFile returns the path of the log of all runs.
func (s *Server) LogFile() string { return filepath.Join(s.Dir, "server.log") }

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// configure writes zoo.cfg, myid and the logging set-up.
func (s *Server) configure() error {
	files := map[string]string{
		filepath.Join(s.DataDir(), "myid"): fmt.Sprintf("%d\n", s.ID),
		s.ConfigFile():                     s.e.zooCfg(s),
		filepath.Join(s.Dir, "log4j.properties"): "log4j.rootLogger=INFO, out\n" +
			"log4j.appender.out=org.apache.log4j.ConsoleAppender\nlog4j.appender.out.target=System.err\n" +
			"log4j.appender.out.layout=org.apache.log4j.PatternLayout\n" +
			"log4j.appender.out.layout.ConversionPattern=%d{ISO8601} [%t] %p %c{1} - %m%n\n",
	}
	for path, text := range files {
		if err := writeFile(path, text); err != nil {
			return fmt.Errorf("configure real server %d: %w", s.ID, err)
		}
	}
	return nil
}

// Start starts the JVM and returns at once; see WaitServing.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc != nil {
		return fmt.Errorf("start real server %d: it runs already", s.ID)
	}
	log, err := os.OpenFile(s.LogFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("start real server %d: %w", s.ID, err)
	}
	defer log.Close()
	args := []string{
		"-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.net.preferIPv4Stack=true",
		"-Dlog4j.configuration=file:" + filepath.Join(s.Dir, "log4j.properties"),
		"-Dorg.slf4j.simpleLogger.showDateTime=true", "-Dzookeeper.jmx.log4j.disable=true",
	}
	args = append(args, s.e.opts.JVM...)
	args = append(args, "-cp", filepath.Join(s.e.jars, "*"), "org.apache.zookeeper.server.quorum.QuorumPeerMain", s.ConfigFile())
	cmd := exec.Command("java", args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.Dir, log, log
	// A test that is killed must not leave servers behind.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start real server %d: %w (is a Java runtime installed?)", s.ID, err)
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // the exit status of a killed server says nothing
		close(p.done)
	}()
	s.proc = p
	return nil
}

// Stop asks the JVM to end (SIGTERM) and waits until it has.
func (s *Server) Stop() { s.end(syscall.SIGTERM) }

// Kill ends the JVM at once (SIGKILL) and waits until it is gone.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

// Pause freezes the JVM (SIGSTOP), as a host that hangs; Resume lets it go on.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume ends Pause.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc != nil {
		_ = s.proc.cmd.Process.Signal(sig) // gone already is as good
	}
}

func (s *Server) end(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil {
		return
	}
	_ = s.proc.cmd.Process.Signal(sig) // gone already is as good
	<-s.proc.done
	s.proc = nil
}

// Running reports whether the JVM lives.
func (s *Server) Running() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil {
		return false
	}
	select {
	case <-s.proc.done:
		return false
	default:
		return true
	}
}

// PID is the JVM's, 0 when it was not started.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil {
		return 0
	}
	return s.proc.cmd.Process.Pid
}

// Wipe removes all data of a stopped server except its myid.
func (s *Server) Wipe() error {
	if s.Running() {
		return fmt.Errorf("wipe real server %d: stop it first", s.ID)
	}
	if err := os.RemoveAll(filepath.Join(s.DataDir(), "version-2")); err != nil {
		return fmt.Errorf("wipe real server %d: %w", s.ID, err)
	}
	return nil
}

// Mode asks srvr and returns what follows "Mode: "; "" when the server does
// not serve. It is deliberately no use of pkg/zkprobe, which is tested with it.
func (s *Server) Mode(ctx context.Context) string {
	text, err := s.Ask(ctx, "srvr")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(text) {
		if mode, ok := strings.CutPrefix(line, "Mode: "); ok {
			return strings.TrimSpace(mode)
		}
	}
	return ""
}

// Ask sends a four-letter word and returns the raw answer.
func (s *Server) Ask(ctx context.Context, word string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", s.ClientAddr())
	if err != nil {
		return "", err
	}
	defer c.Close()
	if t, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(t); err != nil {
			return "", err
		}
	}
	if _, err := io.WriteString(c, word); err != nil {
		return "", err
	}
	b, err := io.ReadAll(c)
	return string(b), err
}

// WaitServing waits until the server serves in a quorum and returns its mode.
func (s *Server) WaitServing(ctx context.Context) (string, error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if mode := s.Mode(ctx); mode != "" {
			return mode, nil
		}
		if !s.Running() {
			return "", errors.New(s.explain("has ended instead of serving"))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return "", fmt.Errorf("%s: %w", s.explain("does not serve yet"), ctx.Err())
		}
	}
}

// explain adds the end of the log to a complaint.
func (s *Server) explain(what string) string {
	tail := ""
	if b, err := os.ReadFile(s.LogFile()); err == nil {
		lines := strings.Split(strings.TrimSpace(string(b)), "\n")
		tail = strings.Join(lines[max(0, len(lines)-15):], "\n")
	}
	return fmt.Sprintf("real server %d (ZooKeeper %s) %s; its log ends:\n%s", s.ID, s.e.opts.Version, what, tail)
}
