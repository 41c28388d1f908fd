// Package labkit drives the lab's command and programs on the lab's machines,
// for the demo and the end-to-end tests.
package labkit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/manifest"
)

// Client is the machine on which operators and ZooKeeper clients work: it has
// kube-proxy, so that Services and hosts are reachable. Operator is another one
// like it, in labs with two: what is cut off there is not missed by the clients.
const (
	Client   = "client1"
	Operator = "client2"
	// Laptop is the machine that the lab runs on: of the lab it reaches the API server, and
	// nothing else.
	Laptop = "laptop"
)

// Lab is one lab.
type Lab struct {
	// Name is the lab's name, Bin the directory with our programs, Dir where
	// they run.
	Name, Bin, Dir string
	// Kubeconfig is the operator's; empty means the lab's administrator.
	Kubeconfig string
	// Machine is where programs run; empty means Client.
	Machine string
	// Echo, when set, gets everything that is printed.
	Echo io.Writer
}

// Host is a ZooKeeper host of the lab.
type Host struct {
	Name     string `json:"name"`
	Ensemble string `json:"ensemble"`
	ID       int    `json:"id"`
	Address  string `json:"address"`
	// ClientPort is 0 where clients must use TLS, SecurePort where they can't.
	ClientPort   int    `json:"clientPort"`
	SecurePort   int    `json:"secureClientPort"`
	ElectionPort int    `json:"electionPort"`
	ZooCfg       string `json:"zooCfg"`
	DataDir      string `json:"dataDir"`
	Log          string `json:"log"`
	// ClientFiles is the folder with what clients of a secured ensemble need.
	ClientFiles string `json:"clientFiles"`
	Running     bool   `json:"running"`
	PID         int    `json:"pid"`
	Masked      bool   `json:"masked"`
}

// Result is how a program ended.
type Result struct {
	Stdout, Stderr string
	Code           int
	// Memory is the most that it, or a program it waited for, held at once, in bytes.
	Memory int64
}

// Zklab runs the lab's own command.
func (l *Lab) Zklab(ctx context.Context, args ...string) (Result, error) {
	return l.run(ctx, filepath.Join(l.Bin, "zklab"), args...)
}

func (l *Lab) machine() string {
	if l.Machine != "" {
		return l.Machine
	}
	return Client
}

// OnClient runs a program on the clients' machine, or the one chosen. A program that exits with
// another code than 0 is no error here: the result has it.
func (l *Lab) OnClient(ctx context.Context, args ...string) (Result, error) {
	program, args := l.there(args)
	return l.run(ctx, program, args...)
}

// there is what is run here so that these words are run on the machine.
func (l *Lab) there(words []string) (program string, args []string) {
	if l.machine() == Laptop {
		return words[0], words[1:]
	}
	return filepath.Join(l.Bin, "zklab"), append([]string{"exec", l.machine(), "--"}, words...)
}

// Plugin is how the plugin is called on the machine; a laptop has no kubectl.
func (l *Lab) Plugin(args ...string) []string {
	if l.machine() == Laptop {
		return append([]string{filepath.Join(l.Bin, "kubectl-zkmigrate")}, args...)
	}
	return append([]string{"kubectl", "zkmigrate"}, args...)
}

// Zkmigrate runs the plugin through kubectl on the clients' machine.
func (l *Lab) Zkmigrate(ctx context.Context, args ...string) (Result, error) {
	return l.OnClient(ctx, l.Plugin(args...)...)
}

// Must turns a code other than 0 into an error.
func Must(r Result, err error) (Result, error) {
	if err == nil && r.Code != 0 {
		err = fmt.Errorf("exit code %d: %s%s", r.Code, r.Stdout, r.Stderr)
	}
	return r, err
}

func (l *Lab) run(ctx context.Context, program string, args ...string) (Result, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env, cmd.Dir = l.env(), l.Dir
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if l.Echo != nil {
		cmd.Stdout, cmd.Stderr = io.MultiWriter(l.Echo, &out), io.MultiWriter(l.Echo, &errOut)
	}
	err := cmd.Run()
	r := Result{Stdout: out.String(), Stderr: errOut.String()}
	if cmd.ProcessState != nil {
		if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			r.Memory = usage.Maxrss * 1024 // getrusage(2): kilobytes
		}
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() >= 0 {
		r.Code = exit.ExitCode()
		return r, nil
	}
	if err != nil {
		return r, fmt.Errorf("%s %s: %w", filepath.Base(program), strings.Join(args, " "), err)
	}
	return r, nil
}

func (l *Lab) env() []string {
	env := append(os.Environ(), "ZKLAB_NAME="+l.Name, "PATH="+l.Bin+":"+os.Getenv("PATH"))
	if l.Kubeconfig != "" {
		env = append(env, "KUBECONFIG="+l.Kubeconfig)
	}
	return env
}

// Process is a program that runs on the clients' machine in the background.
type Process struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error
	log   string
}

// Start starts one; its output goes to a file in Dir.
func (l *Lab) Start(ctx context.Context, log string, args ...string) (*Process, error) {
	path := filepath.Join(l.Dir, log)
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	program, args := l.there(args)
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = l.env(), l.Dir, f, f
	if err := cmd.Start(); err != nil {
		f.Close()
		return nil, err
	}
	p := &Process{cmd: cmd, ended: make(chan struct{}), log: path}
	go func() {
		p.err = cmd.Wait()
		f.Close()
		close(p.ended)
	}()
	return p, nil
}

// Ended reports whether the process has ended.
func (p *Process) Ended() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// Stop sends an interrupt and waits for the end.
func (p *Process) Stop() error {
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return p.Wait(time.Minute)
}

// Kill ends the process as a crash would, and waits for it.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.ended
}

// Pause holds the process where it stands, between two of its steps; Resume
// lets it go on.
func (p *Process) Pause() error { return p.cmd.Process.Signal(syscall.SIGSTOP) }

// Resume ends a Pause.
func (p *Process) Resume() error { return p.cmd.Process.Signal(syscall.SIGCONT) }

// Exit waits for the end and returns the exit code.
func (p *Process) Exit(limit time.Duration) (int, error) {
	err := p.Wait(limit)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() >= 0 {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// Wait waits for the end.
func (p *Process) Wait(limit time.Duration) error {
	select {
	case <-p.ended:
		if p.err != nil {
			return fmt.Errorf("%w: %s", p.err, p.Log())
		}
		return nil
	case <-time.After(limit):
		return fmt.Errorf("no end within %s: %s", limit, p.Log())
	}
}

// Log returns what the process has printed so far.
func (p *Process) Log() string {
	data, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// Hosts lists the hosts of an ensemble.
func (l *Lab) Hosts(ctx context.Context, ensemble string) ([]Host, error) {
	r, err := Must(l.Zklab(ctx, "status", "-o", "json"))
	if err != nil {
		return nil, err
	}
	var st struct {
		Hosts []Host `json:"hosts"`
	}
	if err := json.Unmarshal([]byte(r.Stdout), &st); err != nil {
		return nil, fmt.Errorf("zklab status: %w", err)
	}
	var out []Host
	for _, h := range st.Hosts {
		if h.Ensemble == ensemble {
			out = append(out, h)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("the lab has no host of ensemble %s", ensemble)
	}
	return out, nil
}

// Operator makes a user with just the published Role in a namespace and
// returns the path of a kubeconfig.
func (l *Lab) Operator(ctx context.Context, namespace, roleFile string) (string, error) {
	return l.User(ctx, "operator-"+namespace, namespace, roleFile)
}

// User makes a user with the rights of a manifest's Roles in a namespace, beside those that it
// has elsewhere, and returns the path of a kubeconfig.
func (l *Lab) User(ctx context.Context, name, namespace, roleFile string) (string, error) {
	r, err := Must(l.Zklab(ctx, "user", "add", name, "--namespace", namespace, "--role-file", roleFile))
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(r.Stdout), nil
}

// Connect is a connection string of hosts.
func Connect(hosts []Host) string {
	var list []string
	for _, h := range hosts {
		list = append(list, net.JoinHostPort(h.Address, strconv.Itoa(h.ClientPort)))
	}
	return strings.Join(list, ",")
}

// HookCommand is the lab's program for --host-hook.
func (l *Lab) HookCommand() string { return filepath.Join(l.Bin, "zklab") + " hook" }

// PodFlags are the plugin's flags for pods that fit the lab.
func PodFlags(version, ensemble string) []string {
	p := PodsOf(version, ensemble)
	return []string{"--image", p.Image, "--storage-class", p.StorageClass,
		"--storage-size", p.StorageSize, "--memory", p.Memory, "--cpu", p.CPU, "--jvm-flags", p.JVMFlags}
}

// PodsOf is the same for a manifest.
func PodsOf(version, ensemble string) manifest.Pods {
	return manifest.Pods{Image: "zklab.local/zookeeper:" + version, StorageClass: "zklab-" + ensemble, StorageSize: "1Gi", Memory: "512Mi", CPU: "250m", JVMFlags: "-Xmx128m"}
}
