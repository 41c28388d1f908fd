package zkdata

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// kind is what an entry of the copy is.
type kind int

const (
	other kind = iota
	token
	myid
	currentEpoch
	acceptedEpoch
	snapshotFile
	logFile
	// leftover is a file that an interrupted write left behind. ZooKeeper
	// takes some of them for good at a start: updatingEpoch (3.4 to 3.6),
	// currentEpoch.tmp (ZOOKEEPER-4269), snapshot.N.tmp (Util.getZxidFromName
	// stops reading at the second dot).
	leftover
)

// kindOf tells by the last two parts of the name.
func kindOf(name string) (kind, string) {
	name = path.Clean("/" + name)
	base, parent := path.Base(name), path.Base(path.Dir(name))
	switch {
	case base == TokenFile:
		return token, base
	case base == "myid":
		return myid, base
	case parent != version2:
		return other, base
	case base == "currentEpoch":
		return currentEpoch, base
	case base == "acceptedEpoch":
		return acceptedEpoch, base
	case base == "updatingEpoch", strings.HasSuffix(base, ".tmp"):
		return leftover, base
	}
	if _, _, ok := snapshotName(base); ok {
		return snapshotFile, base
	}
	if _, ok := zxidAfter(base, "log."); ok {
		return logFile, base
	}
	return other, base
}

// zxidAfter reads names as Util.makeLogName writes them.
func zxidAfter(base, prefix string) (ensemble.Zxid, bool) {
	hex, ok := strings.CutPrefix(base, prefix)
	if !ok || hex == "" || strings.Trim(hex, "0123456789abcdef") != "" {
		return 0, false
	}
	n, err := strconv.ParseUint(hex, 16, 63)
	return ensemble.Zxid(n), err == nil
}

// entry takes or drops one entry.
func (c *copier) entry(h *tar.Header) error {
	k, base := kindOf(h.Name)
	folder := h.Typeflag == tar.TypeDir
	if k == other || folder {
		if base == version2 && !folder {
			return refuse(NotAFile, h.Name, "this is a link or the like, and not the folder itself", "make the tar with -h, as the printed command does")
		}
		if !folder {
			c.report.Dropped = listed(c.report.Dropped, h.Name)
		}
		return nil
	}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse:
	default:
		return refuse(NotAFile, h.Name, "this is a link or the like, and not a file", "make the tar with -h (and --hard-dereference), as the printed command does")
	}
	if before, ok := c.seen[base]; ok {
		return refusef(Mixed, h.Name, "copy one dataDir, and one dataLogDir where there is one", "%s has this name, too: two directories are mixed", before)
	}
	c.seen[base] = h.Name
	if c.token {
		return refuse(NoToken, h.Name, "it comes behind the token, which must be last", again)
	}
	return c.take(k, base, h)
}

func (c *copier) take(k kind, base string, h *tar.Header) error {
	switch k {
	case leftover:
		return refuse(Leftover, h.Name, "an interrupted write left this behind, and ZooKeeper may take it for good when it starts",
			"move it out of the directory and run the printed command again; the rest of the copy is then judged without it")
	case token:
		return c.takeToken(h)
	case myid:
		return c.takeMyid(h)
	case currentEpoch:
		return c.takeEpoch(base, h, &c.current)
	case acceptedEpoch:
		return c.takeEpoch(base, h, &c.accepted)
	case snapshotFile:
		return c.takeSnapshot(base, h)
	default:
		return c.takeLog(base, h)
	}
}

// young keeps the youngest of the server's own files. The times come from one
// host's clock, like the token's.
func (c *copier) young(h *tar.Header) {
	if c.newestName == "" || h.ModTime.After(c.newest) {
		c.newest, c.newestName = h.ModTime, h.Name
	}
}

// small reads a file of one line.
func (c *copier) small(h *tar.Header) (string, error) {
	if h.Size > maxSmall {
		return "", nil
	}
	b, err := io.ReadAll(c.in)
	if err != nil {
		return "", broken(err)
	}
	return strings.TrimSpace(string(b)), nil
}

func (c *copier) takeToken(h *tar.Header) error {
	text, err := c.small(h)
	if err != nil {
		return err
	}
	if text != c.want.Token {
		return refusef(OtherToken, h.Name, again, "it holds %s, expected %q: this copy was made for another stop of the server", quote.Text(text), c.want.Token)
	}
	if c.archive == 0 {
		return refuse(NoToken, h.Name, "it comes in the same tar as the data, so nothing says that tar could read all of it", again)
	}
	c.token, c.tokenTime = true, h.ModTime
	return nil
}

func (c *copier) takeMyid(h *tar.Header) error {
	text, err := c.small(h)
	if err != nil {
		return err
	}
	if id, err := ensemble.ParseID(text); err != nil || id != c.want.ID {
		return refusef(WrongID, h.Name, "copy the directories of server "+c.want.ID.String(), "it says %s, expected %s: this is another server's data", quote.Text(text), c.want.ID)
	}
	c.myid = true
	return c.file(DataFolder+"/myid", []byte(c.want.ID.String()+"\n"), h.ModTime)
}

func (c *copier) takeEpoch(base string, h *tar.Header, to **uint32) error {
	text, err := c.small(h)
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return refusef(NoEpochs, h.Name, otherwise, "it holds %s and no epoch", quote.Text(text))
	}
	epoch := uint32(n)
	*to = &epoch
	c.young(h)
	return c.file(DataFolder+"/"+version2+"/"+base, []byte(strconv.FormatUint(n, 10)), h.ModTime)
}

// oneFolder makes sure that files of a kind come from one folder.
func oneFolder(dir *string, h *tar.Header, what string) error {
	now := path.Dir(path.Clean(h.Name))
	if *dir == "" {
		*dir = now
	}
	if *dir != now {
		return refusef(Mixed, h.Name, "copy one dataDir, and one dataLogDir where there is one",
			"%s lie in %s, too: two directories are mixed", what, *dir)
	}
	return nil
}

func (c *copier) takeSnapshot(base string, h *tar.Header) error {
	if err := oneFolder(&c.snapshotDir, h, "snapshots"); err != nil {
		return err
	}
	zxid, packing, _ := snapshotName(base)
	c.young(h)
	s := snapshot{name: h.Name, zxid: zxid}
	err := c.stream(h, DataFolder+"/"+version2+"/"+base, func(r io.Reader) error {
		var err error
		s.state, err = readSnapshot(r, packing)
		return err
	})
	if err != nil {
		return err
	}
	c.snapshots = append(c.snapshots, s)
	return nil
}

func (c *copier) takeLog(base string, h *tar.Header) error {
	if err := oneFolder(&c.logDir, h, "transaction logs"); err != nil {
		return err
	}
	c.young(h)
	if h.Size == 0 {
		// Made and not yet written when the server ended (ZOOKEEPER-1621): some
		// versions do not start with it.
		c.report.Dropped = listed(c.report.Dropped, h.Name+" (empty)")
		return nil
	}
	zxid, _ := zxidAfter(base, "log.")
	folder := DataFolder
	if c.want.DataLogDir {
		folder = DataLogFolder
	}
	l := txnLog{name: h.Name, zxid: zxid}
	err := c.stream(h, folder+"/"+version2+"/"+base, func(io.Reader) error { return l.read(c.buf) })
	if err != nil {
		return err
	}
	c.logs = append(c.logs, l)
	return nil
}

// stream writes a big file to the clean tar while it is examined.
func (c *copier) stream(h *tar.Header, to string, examine func(io.Reader) error) error {
	if err := c.header(to, h.Size, h.ModTime); err != nil {
		return err
	}
	t := &tee{r: c.in, w: c.out}
	c.buf.Reset(t)
	verdict := examine(c.buf)
	if t.readErr == nil && t.writeErr == nil {
		_, _ = io.Copy(io.Discard, c.buf) // t keeps the error
	}
	switch {
	case t.writeErr != nil:
		return fmt.Errorf("sending the copy: %w", t.writeErr)
	case t.readErr != nil:
		return broken(fmt.Errorf("in %s: %w", h.Name, t.readErr))
	case verdict != nil:
		return fmt.Errorf("reading %s: %w", h.Name, verdict)
	}
	return nil
}

// tee passes on what it reads and tells the two sides' errors apart.
type tee struct {
	r                 io.Reader
	w                 io.Writer
	readErr, writeErr error
}

func (t *tee) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if n > 0 {
		if _, werr := t.w.Write(p[:n]); werr != nil {
			t.writeErr = werr
			return n, werr
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		t.readErr = err
	}
	return n, err
}

// tokenAge says how much later than the token a file was written.
func tokenAge(token, file time.Time) string {
	return file.Sub(token).Truncate(time.Millisecond).String()
}
