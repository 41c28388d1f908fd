package sys

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
)

// Forward carries every connection to the listener on to an address. The
// listener's socket may be of another network than this process.
func Forward(ctx context.Context, file *os.File, address string) error {
	listener, err := net.FileListener(file)
	if err != nil {
		return fmt.Errorf("forward to %s: %w", address, err)
	}
	stop := context.AfterFunc(ctx, func() { listener.Close() })
	defer stop()
	for {
		conn, err := listener.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("forward to %s: %w", address, err)
		}
		go carry(ctx, conn, address)
	}
}

func carry(ctx context.Context, from net.Conn, address string) {
	defer from.Close()
	var d net.Dialer
	to, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return // The caller sees its connection closed, as if nothing listened.
	}
	defer to.Close()
	var both sync.WaitGroup
	copyOne := func(dst, src net.Conn) {
		_, _ = io.Copy(dst, src)
		if half, ok := dst.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
	}
	both.Go(func() { copyOne(to, from) })
	both.Go(func() { copyOne(from, to) })
	both.Wait()
}
