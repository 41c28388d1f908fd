package labkit

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// Listen listens on the clients' machine, at an address and port. Who accepts there
// goes on living in this machine's own network.
func (l *Lab) Listen(ctx context.Context, address string) (net.Listener, error) {
	var listener net.Listener
	err := l.inNetwork(ctx, func() (err error) {
		listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		return err
	})
	return listener, err
}

// Dial connects from the clients' machine, to an address and port.
func (l *Lab) Dial(ctx context.Context, address string) (net.Conn, error) {
	var conn net.Conn
	err := l.inNetwork(ctx, func() (err error) {
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", address)
		return err
	})
	return conn, err
}

// inNetwork calls f in the network of the clients' machine. Sockets that f makes
// stay in it.
func (l *Lab) inNetwork(ctx context.Context, f func() error) error {
	name, err := Must(l.OnClient(ctx, "ip", "netns", "identify"))
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		// Never unlocked: the thread is in another namespace and ends with the
		// goroutine.
		runtime.LockOSThread()
		if err := enter("/run/netns/" + strings.TrimSpace(name.Stdout)); err != nil {
			done <- err
			return
		}
		done <- f()
	}()
	return <-done
}

func enter(path string) error {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open network namespace %s: %w", path, err)
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter network namespace %s: %w", path, err)
	}
	return nil
}
