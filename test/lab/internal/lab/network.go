package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/control"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/sys"
)

// Drop loses packets of a machine until Heal.
func (l *Lab) Drop(ctx context.Context, machine string, p sys.Packets) error {
	name, err := l.networkOf(machine)
	if err != nil {
		return err
	}
	return sys.Network{Name: l.Name}.Drop(ctx, name, p)
}

// The ports that connections are diverted to: nobody listens at the first, a
// daemon of the lab that never answers at the second.
const (
	refusePort  = 1
	swallowPort = 9
)

// Refuse resets new connections of a machine in the name of those they go to,
// until Heal.
func (l *Lab) Refuse(ctx context.Context, machine string, p sys.Packets) error {
	name, err := l.networkOf(machine)
	if err != nil {
		return err
	}
	return sys.Network{Name: l.Name}.Divert(ctx, name, p, refusePort)
}

// Swallow accepts new connections of a machine in the name of those they go to
// and never answers, until Heal.
func (l *Lab) Swallow(ctx context.Context, machine string, p sys.Packets) error {
	name, err := l.networkOf(machine)
	if err != nil {
		return err
	}
	var file *os.File
	err = sys.InNetwork(l.Name.NamespacePath(name), func() (err error) {
		file, _, err = listenOn(fmt.Sprintf("0.0.0.0:%d", swallowPort))
		return err
	})
	switch {
	case errors.Is(err, syscall.EADDRINUSE): // it runs already
	case err != nil:
		return fmt.Errorf("swallow connections of %s: %w", machine, err)
	default:
		defer file.Close()
		if _, err := l.Runner().Start(sys.Daemon{
			Name: "swallow-" + name, Place: l.Place(name), Args: []string{l.Self(), "swallow"}, Files: []*os.File{file},
		}); err != nil {
			return err
		}
	}
	return sys.Network{Name: l.Name}.Divert(ctx, name, p, swallowPort)
}

// Misname has a machine's DNS answer some names with other addresses, until Heal. What is
// in its place answers everything else as the lab's own does.
func (l *Lab) Misname(ctx context.Context, machine string, names map[string]string) error {
	name, err := l.networkOf(machine)
	if err != nil {
		return err
	}
	if err := l.start(control.WrongDNS(l.Lab, name, names)); err != nil {
		return err
	}
	return sys.Network{Name: l.Name}.DivertDNS(ctx, name, control.WrongDNSPort)
}

// Heal ends every Drop, Refuse, Swallow and Misname of a machine.
func (l *Lab) Heal(ctx context.Context, machine string) error {
	name, err := l.networkOf(machine)
	if err != nil {
		return err
	}
	return sys.Network{Name: l.Name}.Heal(ctx, name)
}

// networkOf is the name of a machine's network; hosts are ENSEMBLE/ID.
func (l *Lab) networkOf(machine string) (string, error) {
	if _, err := l.placeOf(machine); err != nil {
		return "", err
	}
	if strings.Contains(machine, "/") {
		_, server, err := l.Host(machine)
		return server.Machine, err
	}
	return machine, nil
}
