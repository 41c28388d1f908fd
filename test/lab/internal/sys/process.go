package sys

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// Process names one process for good: a pid alone may be handed out again.
type Process struct {
	Name  string `json:"name"`
	PID   int    `json:"pid"`
	Start uint64 `json:"start"`
	Log   string `json:"log,omitempty"`
}

// Alive tells whether exactly this process still runs. A zombie does not.
func (p Process) Alive() bool {
	st, err := readStat(p.PID)
	return err == nil && st.start == p.Start && !st.dead()
}

// Identify looks a running process up.
func Identify(name string, pid int, log string) (Process, error) {
	st, err := readStat(pid)
	if err != nil {
		return Process{}, err
	}
	return Process{Name: name, PID: pid, Start: st.start, Log: log}, nil
}

type stat struct {
	start   uint64
	state   string
	threads int
}

// dead is a process that waits to be reaped. While a thread other than the
// first calls execve, the first is a zombie too, but not alone.
func (s stat) dead() bool { return (s.state == "Z" || s.state == "X") && s.threads <= 1 }

// readStat reads a process's state, threads and start time: the fields 3, 20
// and 22 of its stat file.
func readStat(pid int) (stat, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, fmt.Errorf("look up process: %w", err)
	}
	// The command's name, field 2, stands in brackets and may hold anything.
	text := string(data)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 {
		return stat{}, fmt.Errorf("look up process %d: odd line %q", pid, text)
	}
	st := stat{state: fields[0]}
	if st.threads, err = strconv.Atoi(fields[17]); err != nil {
		return stat{}, fmt.Errorf("look up process %d: %w", pid, err)
	}
	if st.start, err = strconv.ParseUint(fields[19], 10, 64); err != nil {
		return stat{}, fmt.Errorf("look up process %d: %w", pid, err)
	}
	return st, nil
}

// Runner starts daemons and remembers them in a folder.
type Runner struct {
	// Self is this program: daemons are started through its hidden "enter" command.
	Self string
	// PIDs and Logs are folders.
	PIDs, Logs string
}

// Daemon is a program that stays.
type Daemon struct {
	Name  string
	Place Place
	Args  []string
	Env   []string
	Files []*os.File
}

// Start starts a daemon, unless it already runs.
func (r Runner) Start(d Daemon) (Process, error) {
	if p, err := r.Find(d.Name); err == nil && p.Alive() {
		return p, nil
	}
	logPath := filepath.Join(r.Logs, d.Name+".log")
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return Process{}, fmt.Errorf("start %s: %w", d.Name, err)
	}
	defer log.Close()
	place, err := json.Marshal(d.Place)
	if err != nil {
		return Process{}, fmt.Errorf("start %s: %w", d.Name, err)
	}
	cmd := exec.Command(r.Self, append([]string{"enter", string(place), "--"}, d.Args...)...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), d.Env...)
	cmd.ExtraFiles = d.Files
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return Process{}, fmt.Errorf("start %s: %w", d.Name, err)
	}
	// While this process lives it must reap; later pid 1 does.
	go func() { _ = cmd.Wait() }()
	p, err := Identify(d.Name, cmd.Process.Pid, logPath)
	if err != nil {
		return Process{}, fmt.Errorf("start %s: it ended at once; see %s: %w", d.Name, logPath, err)
	}
	return p, r.save(p)
}

func (r Runner) save(p Process) error {
	data, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("remember %s: %w", p.Name, err)
	}
	if err := os.WriteFile(r.file(p.Name), data, 0o644); err != nil {
		return fmt.Errorf("remember %s: %w", p.Name, err)
	}
	return nil
}

func (r Runner) file(name string) string { return filepath.Join(r.PIDs, name+".json") }

// Find returns a daemon that was started earlier.
func (r Runner) Find(name string) (Process, error) {
	data, err := os.ReadFile(r.file(name))
	if err != nil {
		return Process{}, fmt.Errorf("find daemon %s: %w", name, err)
	}
	var p Process
	if err := json.Unmarshal(data, &p); err != nil {
		return Process{}, fmt.Errorf("find daemon %s: %w", name, err)
	}
	return p, nil
}

// All returns every daemon that was started and not forgotten.
func (r Runner) All() ([]Process, error) {
	entries, err := os.ReadDir(r.PIDs)
	if err != nil {
		return nil, fmt.Errorf("list daemons: %w", err)
	}
	var all []Process
	for _, e := range entries {
		p, err := r.Find(strings.TrimSuffix(e.Name(), ".json"))
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// Forget drops a daemon that has ended from the list.
func (r Runner) Forget(name string) error {
	if err := ignoreMissing(os.Remove(r.file(name))); err != nil {
		return fmt.Errorf("forget %s: %w", name, err)
	}
	return nil
}

// Poll asks until the answer is yes, the time is up or the context ends, and
// then once more.
func Poll(ctx context.Context, limit time.Duration, yes func() bool) bool {
	err := wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, limit, true, func(context.Context) (bool, error) { return yes(), nil })
	return err == nil || yes()
}

// KillCgroup ends every process in a group and waits until they are gone.
func KillCgroup(ctx context.Context, group string, limit time.Duration) error {
	var left []int
	empty := func() bool {
		pids, err := CgroupPIDs(group)
		if err != nil {
			return false
		}
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		left = pids
		return len(pids) == 0
	}
	if !Poll(ctx, limit, empty) {
		return fmt.Errorf("end the processes in cgroup %s: %v are left", group, left)
	}
	return nil
}
