// Package host runs one ZooKeeper server the way an init system does on a
// plain host, and lets others ask for it to be stopped, masked and so on.
package host

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Status is what the supervisor knows about its server.
type Status struct {
	Running bool `json:"running"`
	Masked  bool `json:"masked"`
	// Wanted is false after a stop: then nothing restarts the server.
	Wanted   bool `json:"wanted"`
	PID      int  `json:"pid"`
	Restarts int  `json:"restarts"`
}

type reply struct {
	Status
	Error string `json:"error,omitempty"`
}

// Verbs are what a supervisor understands.
func Verbs() []string {
	return []string{"start", "stop", "kill", "restart", "mask", "unmask", "pause", "resume", "status"}
}

// SocketPath is where a server's supervisor listens.
func SocketPath(dir string) string { return filepath.Join(dir, "control.sock") }

// Ask sends one verb to a server's supervisor and waits until it is done.
func Ask(ctx context.Context, dir, verb string) (Status, error) {
	if !slices.Contains(Verbs(), verb) {
		return Status{}, fmt.Errorf("no action %q; there are %s", verb, strings.Join(Verbs(), ", "))
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", SocketPath(dir))
	if err != nil {
		return Status{}, fmt.Errorf("reach the supervisor of %s: %w; bring the lab up again if it was killed", filepath.Base(dir), err)
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return Status{}, fmt.Errorf("ask the supervisor of %s: %w", filepath.Base(dir), err)
	}
	if _, err := fmt.Fprintln(conn, verb); err != nil {
		return Status{}, fmt.Errorf("ask the supervisor of %s: %w", filepath.Base(dir), err)
	}
	var r reply
	if err := json.NewDecoder(conn).Decode(&r); err != nil {
		return Status{}, fmt.Errorf("ask the supervisor of %s: %w", filepath.Base(dir), err)
	}
	if r.Error != "" {
		return r.Status, errors.New(r.Error)
	}
	return r.Status, nil
}

// serve answers one connection.
func serve(conn net.Conn, do func(verb string) (Status, error)) {
	defer conn.Close()
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return
	}
	status, err := do(strings.TrimSpace(line))
	r := reply{Status: status}
	if err != nil {
		r.Error = err.Error()
	}
	// The caller may have gone; then there is nobody to tell.
	_ = json.NewEncoder(conn).Encode(r)
}

// listen makes the socket, over one that a killed supervisor left behind.
func listen(dir string) (net.Listener, error) {
	path := SocketPath(dir)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("listen for commands: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen for commands: %w", err)
	}
	return l, nil
}
