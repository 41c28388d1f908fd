package zkprobe

import (
	"context"
	"encoding/binary"
	"fmt"
)

// ConfigZnode holds the server list that clients read and follow (3.5 and later,
// ZooDefs.CONFIG_NODE).
const ConfigZnode = "/zookeeper/config"

const opGetData = 4

// ListKept returns what the ensemble keeps in ConfigZnode; found is false where it has no such
// znode. Reading it takes a session.
func (p Prober) ListKept(caller context.Context, addr string) (text string, found bool, err error) {
	limit := orDefault(p.CommitTimeout, DefaultCommitTimeout)
	ctx, cancel := context.WithTimeout(caller, limit)
	defer cancel()
	c, _, done, err := p.openSession(ctx, caller, addr, limit)
	if err != nil {
		return "", false, err
	}
	defer done()
	text, found, err = c.read(ConfigZnode)
	// A close that fails loses nothing: the session then expires by itself.
	_, _ = c.closeSession()
	if err != nil {
		return "", false, fmt.Errorf("reading %s via %s: %w", ConfigZnode, addr, ended(ctx, err))
	}
	return text, found, nil
}

// read gets a znode's data (GetDataRequest: path, watch; GetDataResponse: data, stat).
func (c *juteConn) read(path string) (string, bool, error) {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(path)))
	b = append(b, path...)
	r, rest, err := c.ask(opGetData, append(b, 0))
	switch {
	case err != nil:
		return "", false, err
	case r.code == codeNoNode:
		return "", false, nil
	case r.code != 0:
		return "", false, fmt.Errorf("the server refused it with code %d", r.code)
	case len(rest) < 4:
		return "", false, errShortFrame
	}
	n := int32(binary.BigEndian.Uint32(rest))
	switch {
	case n == -1:
		return "", true, nil
	case n < -1 || int64(n) > int64(len(rest)-4):
		return "", false, errShortFrame
	}
	return string(rest[4 : 4+n]), true, nil
}
