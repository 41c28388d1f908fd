package sys

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
)

// Swallow accepts every connection to the listener, reads what is sent and
// never answers. The listener's socket may be of another network than this
// process.
func Swallow(ctx context.Context, file *os.File) error {
	listener, err := net.FileListener(file)
	if err != nil {
		return fmt.Errorf("swallow connections: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { listener.Close() })
	defer stop()
	for {
		conn, err := listener.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("swallow connections: %w", err)
		}
		go func() {
			defer conn.Close()
			_, _ = io.Copy(io.Discard, conn) // ends when the caller gives up
		}()
	}
}
