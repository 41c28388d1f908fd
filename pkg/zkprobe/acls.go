package zkprobe

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

const (
	opGetACL      = 6
	opGetChildren = 8

	codeNoNode = -101
	codeNoAuth = -102

	// scanPace is the shortest time from one request of a scan to the next. There is never
	// more than one on its way, so a server that is slow is asked slowly.
	scanPace = time.Millisecond
	// maxChildren is how many a znode may have and be listed: the server makes the whole
	// list at once.
	maxChildren = 50_000
	// maxScanFrame bounds an answer; 50,000 names of 300 bytes fit.
	maxScanFrame = 16 << 20
	// scanPaths is how many paths are kept of each kind, scanEntries how many ids of a scheme.
	scanPaths   = 3
	scanEntries = 500
	// configNode has the server list (3.5+): who may write it can reconfigure.
	configNode = "/zookeeper/config"
)

// ScanBounds end a scan.
type ScanBounds struct {
	// Znodes is how many are asked at most, Depth how far below the root ("/a" is at 1).
	Znodes, Depth int
}

// ScanACLs walks the tree from the root, level by level, and reads every ACL in reach. It
// asks one thing at a time, a thousand a second at most, and writes nothing but its own session.
// It ends with ctx, and returns what it has; the error is why it could not begin.
func (p Prober) ScanACLs(ctx context.Context, addr string, bounds ScanBounds) (vantage.ACLScan, error) {
	limit := orDefault(p.CommitTimeout, DefaultCommitTimeout)
	work, cancel := context.WithCancel(ctx)
	defer cancel()
	watchdog := time.AfterFunc(limit, cancel)
	defer watchdog.Stop()
	c, _, done, err := p.openSession(work, ctx, addr, limit)
	if err != nil {
		if ctx.Err() == nil && work.Err() != nil {
			err = fmt.Errorf("%s grants no session within %s", addr, limit)
		}
		return vantage.ACLScan{}, err
	}
	defer done()
	c.most = maxScanFrame
	w := aclWalk{conn: c, bounds: bounds, alive: func() { watchdog.Reset(limit) }, found: map[[2]string]*vantage.ACLEntry{}, kept: map[string]int{}}
	w.scan.From = addr
	err = w.walk(ctx)
	switch {
	case ctx.Err() != nil:
		w.scan.Stopped = "because its time was over"
	case work.Err() != nil:
		w.scan.Stopped = fmt.Sprintf("because the server did not answer within %s", limit)
	case err != nil && w.scan.Read+w.scan.Hidden == 0:
		return vantage.ACLScan{}, fmt.Errorf("%s: %w", addr, err)
	case err != nil:
		w.scan.Stopped = "because " + quote.Line(err.Error())
	}
	if w.scan.Stopped == "" {
		_, _ = c.closeSession() // otherwise it expires by itself
	}
	return w.result(), nil
}

// aclWalk is a scan under way.
type aclWalk struct {
	conn   *juteConn
	bounds ScanBounds
	// alive tells that the server has answered.
	alive func()
	scan  vantage.ACLScan
	found map[[2]string]*vantage.ACLEntry
	// kept is how many ids of each scheme are in found.
	kept map[string]int
}

// level is a path and how far it is below the root.
type level struct {
	path  string
	depth int
}

func (w *aclWalk) walk(ctx context.Context) error {
	pace := time.NewTicker(scanPace)
	defer pace.Stop()
	ask := func(op int32, znode string, more ...byte) (reply, answer, error) {
		select {
		case <-pace.C:
		case <-ctx.Done():
			return reply{}, answer{}, ctx.Err()
		}
		body := append(binary.BigEndian.AppendUint32(nil, uint32(len(znode))), znode...)
		r, rest, err := w.conn.ask(op, append(body, more...))
		w.alive()
		if err == nil && r.code != 0 && r.code != codeNoNode && r.code != codeNoAuth {
			err = &refusedReadError{r.code}
		}
		return r, answer{left: rest}, err
	}
	// The one that matters most to a migration is not left to the bounds.
	queue := []level{{configNode, 2}, {"/", 0}}
	skipped, asked, configs := 0, 0, 0
	for ; asked < len(queue); asked++ {
		at := queue[asked]
		w.scan.Skipped = skipped + len(queue) - asked
		if asked >= w.bounds.Znodes {
			w.stop("at the bound of %d znodes", w.bounds.Znodes)
			return nil
		}
		r, told, err := ask(opGetACL, at.path)
		if err != nil {
			return err
		}
		if at.path == configNode && r.code != codeNoNode {
			configs = 1
		}
		if r.code != 0 {
			if r.code == codeNoAuth {
				w.scan.Hidden++
				w.scan.HiddenPaths = sample(w.scan.HiddenPaths, at.path)
			}
			continue
		}
		entries, children := told.acl()
		if told.short {
			return errShortFrame
		}
		w.note(at.path, entries)
		if at.path == path.Dir(configNode) {
			children -= configs
		}
		room := w.bounds.Znodes - len(queue)
		switch {
		case children <= 0:
			continue
		case at.depth >= w.bounds.Depth:
			w.stop("at the bound of depth %d", w.bounds.Depth)
		case children > maxChildren:
			w.stop("at a znode with more than %d children", maxChildren)
		case room <= 0:
			w.stop("at the bound of %d znodes", w.bounds.Znodes)
		default:
			if r, told, err = ask(opGetChildren, at.path, 0); err != nil {
				return err
			}
			if r.code == codeNoAuth {
				w.scan.Closed++
				w.scan.ClosedPaths = sample(w.scan.ClosedPaths, at.path)
			}
			if r.code != 0 {
				continue
			}
			children = 0
			for _, name := range told.names() {
				child := strings.TrimSuffix(at.path, "/") + "/" + name
				switch {
				case child == configNode:
				case len(queue) < w.bounds.Znodes:
					queue = append(queue, level{child, at.depth + 1})
				default:
					w.stop("at the bound of %d znodes", w.bounds.Znodes)
					children++
				}
			}
			if told.short {
				return errShortFrame
			}
		}
		skipped += children
	}
	w.scan.Skipped = skipped
	return nil
}

// stop notes once why something is left out.
func (w *aclWalk) stop(format string, bound int) {
	why := fmt.Sprintf(format, bound)
	switch {
	case w.scan.Stopped == "":
		w.scan.Stopped = why
	case !strings.Contains(w.scan.Stopped, why):
		w.scan.Stopped += ", " + why
	}
}

// aclEntry is one of an ACL as the server tells it.
type aclEntry struct {
	permissions int32
	scheme, id  string
}

// world is who has no identity.
func (e aclEntry) world() bool { return e.scheme == "world" && e.id == "anyone" }

// note counts what a znode's ACL grants to somebody beyond what anyone may.
func (w *aclWalk) note(znode string, entries []aclEntry) {
	w.scan.Read++
	var all int32
	for _, e := range entries {
		if e.world() {
			all |= e.permissions
		}
	}
	seen := map[[2]string]bool{}
	for _, e := range entries {
		key := [2]string{quote.Line(e.scheme), quote.Line(e.id)}
		if e.permissions&^all == 0 {
			continue
		}
		f := w.found[key]
		if f == nil {
			if w.kept[key[0]] == scanEntries {
				w.scan.Dropped++
				continue
			}
			f = &vantage.ACLEntry{Scheme: key[0], ID: key[1]}
			w.found[key] = f
			w.kept[key[0]]++
		}
		f.Permissions = union(f.Permissions, e.permissions&^all)
		if !seen[key] {
			seen[key] = true
			f.Znodes++
			f.Paths = sample(f.Paths, znode)
		}
	}
}

// union adds permissions (ZooDefs.Perms) to those in letters, in zkCli's order.
func union(have string, bits int32) string {
	var b strings.Builder
	for _, p := range []struct {
		letter string
		bit    int32
	}{{"c", 4}, {"d", 8}, {"r", 1}, {"w", 2}, {"a", 16}} {
		if bits&p.bit != 0 || strings.Contains(have, p.letter) {
			b.WriteString(p.letter)
		}
	}
	return b.String()
}

func sample(paths []string, znode string) []string {
	if len(paths) < scanPaths {
		paths = append(paths, quote.Line(znode))
	}
	return paths
}

func (w *aclWalk) result() vantage.ACLScan {
	w.scan.Entries = []vantage.ACLEntry{}
	for _, e := range w.found {
		w.scan.Entries = append(w.scan.Entries, *e)
	}
	slices.SortFunc(w.scan.Entries, func(a, b vantage.ACLEntry) int {
		return cmp.Or(b.Znodes-a.Znodes, strings.Compare(a.Scheme, b.Scheme), strings.Compare(a.ID, b.ID))
	})
	return w.scan
}

// refusedReadError is a server's refusal of a read by its code.
type refusedReadError struct{ code int32 }

func (e *refusedReadError) Error() string {
	if e.code == codeAuthDemanded {
		return (&refusedWriteError{code: e.code}).Error()
	}
	return fmt.Sprintf("the server refused to read with code %d", e.code)
}

// answer is what follows the header of one, read from its front. short: it was not all there.
type answer struct {
	left  []byte
	short bool
}

func (a *answer) number() int {
	if len(a.left) < 4 {
		a.short, a.left = true, nil
		return 0
	}
	n := int32(binary.BigEndian.Uint32(a.left))
	a.left = a.left[4:]
	return int(n)
}

func (a *answer) text() string {
	n := max(a.number(), 0) // -1 is null
	if n > len(a.left) {
		a.short, a.left = true, nil
		return ""
	}
	s := string(a.left[:n])
	a.left = a.left[n:]
	return s
}

// acl reads a GetACLResponse: the entries, and of the Stat behind them how many children there
// are.
func (a *answer) acl() (entries []aclEntry, children int) {
	for n := a.number(); n > 0 && !a.short; n-- {
		entries = append(entries, aclEntry{int32(a.number()), a.text(), a.text()})
	}
	const ahead = 56 // bytes of Stat before numChildren
	if len(a.left) < ahead {
		a.short = true
		return nil, 0
	}
	a.left = a.left[ahead:]
	return entries, max(a.number(), 0)
}

// names reads a GetChildrenResponse.
func (a *answer) names() (out []string) {
	for n := a.number(); n > 0 && !a.short; n-- {
		out = append(out, a.text())
	}
	return out
}
