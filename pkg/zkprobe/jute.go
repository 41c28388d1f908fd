package zkprobe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// The part of ZooKeeper's client protocol a canary needs (jute encoding: big
// endian, length-prefixed frames and strings; ZooDefs.OpCode for the numbers).
// go-zookeeper/zk keeps reply zxids to itself, follows other servers on its own
// and retries; here every byte and every wait must be known.
const (
	opCheck        = 13
	opMulti        = 14
	opCloseSession = -11

	maxFrame = 1 << 20
)

// juteConn is one client connection to one server, used by one goroutine.
type juteConn struct {
	conn net.Conn
	xid  int32
	// most bounds an answer, in bytes; 0 means maxFrame.
	most int64
}

// session is what the server granted.
type session struct {
	id       int64
	timeout  time.Duration
	readOnly bool
}

// reply is the header every answer begins with.
type reply struct {
	zxid int64
	code int32
}

// protocolError tells that the other side does not speak the protocol.
type protocolError string

// Error implements error.
func (e protocolError) Error() string { return string(e) }

const errShortFrame = protocolError("answer is too short for the protocol: no ZooKeeper client port")

func (c *juteConn) send(frame []byte) error {
	_, err := c.conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(frame))), frame...))
	return err
}

func (c *juteConn) receive() ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(c.conn, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if int64(n) > orDefault(c.most, maxFrame) {
		return nil, fmt.Errorf("answer of %d bytes announced: no ZooKeeper client port, or one that speaks TLS", n)
	}
	frame := make([]byte, n)
	_, err := io.ReadFull(c.conn, frame)
	return frame, err
}

// connect opens a new session (ConnectRequest, ConnectResponse). The server
// answers only after createSession is committed, unless localSessionsEnabled.
func (c *juteConn) connect(timeout time.Duration) (session, error) {
	b := binary.BigEndian.AppendUint32(nil, 0)                             // protocolVersion
	b = binary.BigEndian.AppendUint64(b, 0)                                // lastZxidSeen
	b = binary.BigEndian.AppendUint32(b, uint32(timeout/time.Millisecond)) // timeOut
	b = binary.BigEndian.AppendUint64(b, 0)                                // sessionId: a new one
	b = binary.BigEndian.AppendUint32(b, 16)                               // passwd
	b = append(b, make([]byte, 16)...)
	b = append(b, 0) // readOnly: a server without quorum must not take us
	if err := c.send(b); err != nil {
		return session{}, err
	}
	frame, err := c.receive()
	if err != nil {
		return session{}, err
	}
	if len(frame) < 16 {
		return session{}, errShortFrame
	}
	s := session{
		timeout: time.Duration(int32(binary.BigEndian.Uint32(frame[4:]))) * time.Millisecond,
		id:      int64(binary.BigEndian.Uint64(frame[8:])),
	}
	if len(frame) == 37 {
		s.readOnly = frame[36] != 0
	}
	if s.timeout <= 0 || s.id == 0 {
		return session{}, errors.New("the server did not grant a session")
	}
	return s, nil
}

// call sends one request and waits for its answer's header.
func (c *juteConn) call(op int32, body []byte) (reply, error) {
	r, _, err := c.ask(op, body)
	return r, err
}

// ask sends one request and returns its answer: the header, and what follows it.
func (c *juteConn) ask(op int32, body []byte) (reply, []byte, error) {
	c.xid++
	b := binary.BigEndian.AppendUint32(nil, uint32(c.xid))
	b = binary.BigEndian.AppendUint32(b, uint32(op))
	if err := c.send(append(b, body...)); err != nil {
		return reply{}, nil, err
	}
	frame, err := c.receive()
	if err != nil {
		return reply{}, nil, err
	}
	if len(frame) < 16 {
		return reply{}, nil, errShortFrame
	}
	if xid := int32(binary.BigEndian.Uint32(frame)); xid != c.xid {
		return reply{}, nil, fmt.Errorf("answer to request %d while waiting for %d", xid, c.xid)
	}
	return reply{zxid: int64(binary.BigEndian.Uint64(frame[4:])), code: int32(binary.BigEndian.Uint32(frame[12:]))}, frame[16:], nil
}

// checkRoot is a multi (MultiTransactionRecord) whose only operation checks
// that "/" exists in any version: a transaction the quorum must commit, which
// by its nature can change no znode. A failing multi is committed too, as an
// error transaction.
func (c *juteConn) checkRoot() (reply, error) {
	multiHeader := func(b []byte, op int32, done byte) []byte {
		b = binary.BigEndian.AppendUint32(b, uint32(op))
		b = append(b, done)
		return binary.BigEndian.AppendUint32(b, 0xffffffff) // err: none yet
	}
	b := multiHeader(nil, opCheck, 0)
	b = binary.BigEndian.AppendUint32(b, 1)
	b = append(b, '/')
	b = binary.BigEndian.AppendUint32(b, 0xffffffff) // any version
	b = multiHeader(b, -1, 1)
	return c.call(opMulti, b)
}

func (c *juteConn) closeSession() (reply, error) { return c.call(opCloseSession, nil) }
