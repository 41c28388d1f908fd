package killproxy

import (
	"context"
	"fmt"
	"net"
	"runtime"

	"golang.org/x/sys/unix"
)

// Listen listens on a loopback port in the network namespace of that name. The
// listener stays there; what its owner dials goes out from the owner's network.
func Listen(ctx context.Context, namespace string) (net.Listener, error) {
	type result struct {
		listener net.Listener
		err      error
	}
	done := make(chan result, 1)
	go func() {
		// Never unlocked: the thread is in another namespace and ends with the
		// goroutine.
		runtime.LockOSThread()
		if err := enter("/run/netns/" + namespace); err != nil {
			done <- result{err: err}
			return
		}
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		done <- result{listener: l, err: err}
	}()
	r := <-done
	return r.listener, r.err
}

func enter(path string) error {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("killproxy: open network namespace %s: %w", path, err)
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("killproxy: enter network namespace %s: %w", path, err)
	}
	return nil
}
