// Package hostile does to a ZooKeeper server what a client can do that has not
// authenticated and means no good.
package hostile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
)

// CreateInvalid asks for a node whose path no server takes, and waits for the
// refusal: the leader writes the path, line ends included, into its log. The
// connection's own deadline bounds it.
func CreateInvalid(conn net.Conn, path string) error {
	var create bytes.Buffer
	put(&create, int32(1), int32(1), path, "", int32(1), int32(31), "world", "anyone", int32(0))
	return send(conn, create.Bytes())
}

// UnknownScheme authenticates in a way that no server knows, and waits for the
// refusal: the very server it is connected to writes the scheme into its log.
func UnknownScheme(conn net.Conn, scheme string) error {
	var auth bytes.Buffer
	put(&auth, int32(-4), int32(100), int32(0), scheme, "")
	return send(conn, auth.Bytes())
}

// send opens a session and sends one request in it.
func send(conn net.Conn, request []byte) error {
	var connect bytes.Buffer
	put(&connect, int32(0), int64(0), int32(10000), int64(0), string(make([]byte, 16)), false)
	for _, packet := range [][]byte{connect.Bytes(), request} {
		if err := exchange(conn, packet); err != nil {
			return fmt.Errorf("hostile: %s: %w", conn.RemoteAddr(), err)
		}
	}
	return nil
}

// put appends values as jute does: strings with their length before them.
func put(b *bytes.Buffer, values ...any) {
	for _, v := range values {
		if s, ok := v.(string); ok {
			_ = binary.Write(b, binary.BigEndian, int32(len(s)))
			b.WriteString(s)
			continue
		}
		_ = binary.Write(b, binary.BigEndian, v)
	}
}

// exchange sends one packet and reads one.
func exchange(conn net.Conn, packet []byte) error {
	if err := binary.Write(conn, binary.BigEndian, int32(len(packet))); err != nil {
		return err
	}
	if _, err := conn.Write(packet); err != nil {
		return err
	}
	var n int32
	if err := binary.Read(conn, binary.BigEndian, &n); err != nil {
		return err
	}
	if n < 0 || n > 1<<20 {
		return fmt.Errorf("an answer of %d bytes", n)
	}
	_, err := io.CopyN(io.Discard, conn, int64(n))
	return err
}
