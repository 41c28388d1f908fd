//go:build linux && zk

package zkdata_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkdata"
	"github.com/zkmigrate/kubectl-zkmigrate/test/zkreal"
)

// TestRealCopies: what real servers leave behind when they are stopped or
// killed is taken, and a server that starts from the result has the data; what
// is no such copy is refused by name.
func TestRealCopies(t *testing.T) {
	for _, version := range zkreal.Versions() {
		for _, logs := range []string{"", "logs"} {
			t.Run(version+"/"+logs, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
				defer cancel()
				realCopies(ctx, t, version, logs)
			})
		}
	}
}

func realCopies(ctx context.Context, t *testing.T, version, logs string) {
	config := map[string]string{}
	if logs != "" {
		config["dataLogDir"] = logs // against the server's own folder
	}
	e, err := zkreal.New(ctx, zkreal.Options{
		Version: version, Dir: t.TempDir(), Config: config,
		JVM: []string{"-Dzookeeper.snapCount=100", "-Dzookeeper.preAllocSize=64"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	if err := e.Start(ctx); err != nil {
		t.Fatal(err)
	}
	c := connect(t, e.ClientAddrs()...)
	create := func(name string, n int) {
		t.Helper()
		for i := range n {
			path := fmt.Sprintf("/%s-%d", name, i)
			_, err := c.Create(path, []byte("x"), 0, zk.WorldACL(zk.PermAll))
			for errors.Is(err, zk.ErrConnectionClosed) && ctx.Err() == nil {
				_, err = c.Create(path, []byte("x"), 0, zk.WorldACL(zk.PermAll))
			}
			if err != nil && !errors.Is(err, zk.ErrNodeExists) {
				t.Fatal(err)
			}
		}
	}
	// Three epochs; one follower syncs from nothing, one misses a stretch.
	create("first", 330)
	restart(ctx, t, e.Server(e.Leader(ctx)))
	c.Close()
	c = connect(t, e.ClientAddrs()...)
	create("second", 150)
	order := e.LeaderLast(ctx)
	e.Server(order[0]).Stop()
	if err := e.Server(order[0]).Wipe(); err != nil {
		t.Fatal(err)
	}
	if logs != "" {
		if err := os.RemoveAll(filepath.Join(e.Server(order[0]).Dir, logs, "version-2")); err != nil {
			t.Fatal(err)
		}
	}
	create("third", 60)
	start(ctx, t, e.Server(order[0]))
	e.Server(order[1]).Kill()
	create("fourth", 40)
	start(ctx, t, e.Server(order[1]))
	restart(ctx, t, e.Server(e.Leader(ctx)))
	c.Close()
	c = connect(t, e.ClientAddrs()...)
	create("last", 130)
	_, stat, err := c.Children("/")
	if err != nil {
		t.Fatal(err)
	}
	proof := ensemble.Zxid(stat.Pzxid)
	names := map[int][]string{}
	for _, id := range e.IDs() {
		holds(ctx, t, e.Server(id), proof)
		names[id] = children(t, e.Server(id))
		// 3.9.3 loses transactions of a DIFF by itself (ZOOKEEPER-4925).
		if n := len(names[id]); version != "3.9.3" && n != 330+150+60+40+130 {
			t.Errorf("server %d holds %d of 710 znodes before its stop", id, n)
		}
	}

	order = e.LeaderLast(ctx)
	victim := e.Server(order[0])
	t.Run("hot", func(t *testing.T) { hotCopy(t, c, victim, logs, proof) })
	victim.Kill()
	t.Run("refused", func(t *testing.T) { refusedCopies(t, victim, logs, proof) })
	c.Close()
	e.Server(order[1]).Stop()
	e.Server(order[2]).Stop()
	for _, id := range order {
		s := e.Server(id)
		var clean bytes.Buffer
		rep, err := zkdata.Copy(&clean, bytes.NewReader(pocket(t, s, logs)), realWant(s, logs, proof))
		if err != nil {
			t.Errorf("server %d: %v\n%s", id, err, listing(s, logs))
			continue
		}
		t.Logf("server %d: %+v", id, rep)
		startsFrom(ctx, t, s, logs, clean.Bytes(), names[id])
	}
}

func realWant(s *zkreal.Server, logs string, proof ensemble.Zxid) zkdata.Want {
	return zkdata.Want{ID: ensemble.ID(s.ID), Token: "tok1", Zxid: proof, DataLogDir: logs != ""}
}

// pocket runs on the host what the printed command runs there.
func pocket(t *testing.T, s *zkreal.Server, logs string) []byte {
	t.Helper()
	script := "cd " + s.DataDir() + " && echo tok1 > zkmigrate-seed && tar -chSPf - myid version-2"
	if logs != "" {
		script += " " + filepath.Join(s.Dir, logs) + "/version-2"
	}
	script += " && tar -cf - zkmigrate-seed"
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
	out, err := cmd.Output()
	if err != nil {
		t.Logf("%s: %v", script, err)
	}
	return out
}

func hotCopy(t *testing.T, c *zk.Conn, s *zkreal.Server, logs string, proof ensemble.Zxid) {
	first := pocket(t, s, logs)
	// File times come in seconds in a tar; a server that runs goes on writing.
	deadline := time.Now().Add(1200 * time.Millisecond)
	for i := 0; time.Now().Before(deadline); i++ {
		if _, err := c.Create(fmt.Sprintf("/zookeeper/hot-%d", i), nil, 0, zk.WorldACL(zk.PermAll)); err != nil {
			t.Fatal(err)
		}
	}
	// A new copy with the token of the first one's time.
	if _, err := zkdata.Copy(io.Discard, bytes.NewReader(swapToken(t, pocket(t, s, logs), first)), realWant(s, logs, proof)); !refusedFor(err, zkdata.HotCopy) {
		t.Errorf("a copy of a server that runs: %v", err)
	}
}

// swapToken takes the token's time from another copy.
func swapToken(t *testing.T, data, from []byte) []byte {
	t.Helper()
	at := map[string]time.Time{}
	for _, e := range entries(t, from) {
		at[e.h.Name] = e.h.ModTime
	}
	return edited(t, data, func(h *tar.Header, b []byte) []byte {
		if h.Name == zkdata.TokenFile {
			h.ModTime = at[h.Name]
		}
		return b
	})
}

// edited rewrites a tar; entries of nil content are dropped.
func edited(t *testing.T, data []byte, edit func(*tar.Header, []byte) []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries(t, data) {
		b := edit(e.h, e.data)
		if b == nil {
			continue
		}
		if e.h.Name == zkdata.TokenFile {
			// In a tar of its own.
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			w = tar.NewWriter(&out)
		}
		h := &tar.Header{Typeflag: e.h.Typeflag, Name: e.h.Name, Mode: e.h.Mode, ModTime: e.h.ModTime, Size: int64(len(b))}
		if h.Typeflag == tar.TypeGNUSparse {
			h.Typeflag = tar.TypeReg
		}
		if err := errors.Join(w.WriteHeader(h), write(w, b)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

type entry struct {
	h    *tar.Header
	data []byte
}

// entries reads one tar after the other.
func entries(t *testing.T, data []byte) []entry {
	t.Helper()
	var out []entry
	for rest := bytes.NewBuffer(data); rest.Len() > 0; {
		r := tar.NewReader(rest)
		for {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, entry{h, b})
		}
		for rest.Len() > 0 && rest.Bytes()[0] == 0 {
			rest.Next(512)
		}
	}
	return out
}

func write(w io.Writer, b []byte) error {
	_, err := w.Write(b)
	return err
}

func refusedFor(err error, reason zkdata.Reason) bool {
	var r *zkdata.RefusedError
	return errors.As(err, &r) && r.Reason == reason
}

func refusedCopies(t *testing.T, s *zkreal.Server, logs string, proof ensemble.Zxid) {
	data := pocket(t, s, logs)
	want := realWant(s, logs, proof)
	newest := func(prefix string) string {
		var found []string
		for _, e := range entries(t, data) {
			h := e.h
			if h.Size > 0 && strings.HasPrefix(filepath.Base(h.Name), prefix) {
				found = append(found, h.Name)
			}
		}
		sort.Slice(found, func(i, j int) bool {
			a, b := filepath.Base(found[i]), filepath.Base(found[j])
			return len(a) < len(b) || len(a) == len(b) && a < b
		})
		return found[len(found)-1]
	}
	newestLog := newest("log.")
	// A snapshot may be as young as the log's first transaction.
	begin, err := ensemble.ParseZxid(strings.TrimPrefix(filepath.Base(newestLog), "log."))
	if err != nil {
		t.Fatal(err)
	}
	rep, err := zkdata.Copy(io.Discard, bytes.NewReader(data), want)
	if err != nil {
		t.Fatal(err)
	}
	want.Zxid = rep.Last
	inNewest := func(n string) bool {
		z, err := ensemble.ParseZxid(strings.TrimPrefix(filepath.Base(n), "snapshot."))
		return n == newestLog || err == nil && strings.HasPrefix(filepath.Base(n), "snapshot.") && z >= begin
	}
	drop := func(match func(string) bool) []byte {
		return edited(t, data, func(h *tar.Header, b []byte) []byte {
			if match(h.Name) {
				return nil
			}
			return b
		})
	}
	for _, tc := range []struct {
		name   string
		data   []byte
		reason zkdata.Reason
	}{
		{"no token", drop(func(n string) bool { return n == zkdata.TokenFile }), zkdata.NoToken},
		{"a log is missing", drop(inNewest), zkdata.MissingLog},
		{"no epoch", drop(func(n string) bool { return filepath.Base(n) == "acceptedEpoch" }), zkdata.NoEpochs},
		{"snapshots cut", edited(t, data, func(h *tar.Header, b []byte) []byte {
			if strings.HasPrefix(filepath.Base(h.Name), "snapshot.") {
				return b[:len(b)/2]
			}
			return b
		}), zkdata.NoSnapshot},
		{"a bit of the newest log", edited(t, data, func(h *tar.Header, b []byte) []byte {
			if h.Name == newestLog {
				b[40] ^= 1
			}
			return b
		}), zkdata.DamagedLog},
		{"cut", data[:len(data)*2/3], zkdata.CutShort},
	} {
		if _, err := zkdata.Copy(io.Discard, bytes.NewReader(tc.data), want); !refusedFor(err, tc.reason) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	want.ID++
	if _, err := zkdata.Copy(io.Discard, bytes.NewReader(data), want); !refusedFor(err, zkdata.WrongID) {
		t.Errorf("another id: %v", err)
	}
}

// startsFrom runs the server from the clean tar, alone, and wants the znodes it had.
func startsFrom(ctx context.Context, t *testing.T, s *zkreal.Server, logs string, clean []byte, names []string) {
	t.Helper()
	dir := filepath.Join(s.Dir, "pod")
	_, files := unpack(t, clean)
	for name, b := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, b, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	cfg := fmt.Sprintf("tickTime=1000\ndataDir=%s/data\nclientPort=%d\nclientPortAddress=127.0.0.1\n4lw.commands.whitelist=*\nadmin.enableServer=false\n", dir, s.ClientPort)
	if logs != "" {
		cfg += "dataLogDir=" + dir + "/datalog\n"
	}
	if err := os.WriteFile(s.ConfigFile(), []byte(cfg), 0o600); err != nil {
		t.Fatal(err)
	}
	start(ctx, t, s)
	if diff := cmp.Diff(names, children(t, s)); diff != "" {
		t.Errorf("server %d, started from the copy, differs from what it was (-before +now):\n%s", s.ID, diff)
	}
	s.Kill()
}

// children asks one server for the test's znodes.
func children(t *testing.T, s *zkreal.Server) []string {
	t.Helper()
	c := connect(t, s.ClientAddr())
	defer c.Close()
	names, _, err := c.Children("/")
	if err != nil {
		t.Fatal(err)
	}
	sort.Strings(names)
	return slices.DeleteFunc(names, func(n string) bool { return n == "zookeeper" })
}

// holds waits until the server shows the transaction.
func holds(ctx context.Context, t *testing.T, s *zkreal.Server, z ensemble.Zxid) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		text, err := s.Ask(ctx, "srvr")
		for line := range strings.Lines(text) {
			if hex, ok := strings.CutPrefix(line, "Zxid: "); ok && err == nil {
				if got, err := ensemble.ParseZxid(hex); err == nil && got >= z {
					return
				}
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("server %d does not hold %s: %q, %v", s.ID, z, text, err)
		}
	}
}

func listing(s *zkreal.Server, logs string) string {
	out, err := exec.Command("ls", "-lR", s.DataDir(), filepath.Join(s.Dir, logs)).CombinedOutput()
	return fmt.Sprintf("%s %v", out, err)
}

func connect(t *testing.T, addrs ...string) *zk.Conn {
	t.Helper()
	c, _, err := zk.Connect(addrs, 20*time.Second, zk.WithLogInfo(false), zk.WithLogger(quiet{}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}

func start(ctx context.Context, t *testing.T, s *zkreal.Server) {
	t.Helper()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.WaitServing(ctx); err != nil {
		t.Fatal(err)
	}
}

func restart(ctx context.Context, t *testing.T, s *zkreal.Server) {
	t.Helper()
	s.Stop()
	start(ctx, t, s)
}

// TestRealCopyOfAYoungServer: on 3.4 a follower that was never restarted has
// logs and maybe no snapshot.
func TestRealCopyOfAYoungServer(t *testing.T) {
	for _, version := range zkreal.Versions() {
		t.Run(version, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			e, err := zkreal.New(ctx, zkreal.Options{Version: version, Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(e.Close)
			if err := e.Start(ctx); err != nil {
				t.Fatal(err)
			}
			c := connect(t, e.ClientAddrs()...)
			if _, err := c.Create("/young", nil, 0, zk.WorldACL(zk.PermAll)); err != nil {
				t.Fatal(err)
			}
			_, stat, err := c.Children("/")
			if err != nil {
				t.Fatal(err)
			}
			s := e.Server(e.LeaderLast(ctx)[0])
			holds(ctx, t, s, ensemble.Zxid(stat.Pzxid))
			names := children(t, s)
			s.Stop()
			var clean bytes.Buffer
			rep, err := zkdata.Copy(&clean, bytes.NewReader(pocket(t, s, "")), realWant(s, "", ensemble.Zxid(stat.Pzxid)))
			if err != nil {
				t.Fatalf("%v\n%s", err, listing(s, ""))
			}
			t.Logf("%+v", rep)
			startsFrom(ctx, t, s, "", clean.Bytes(), names)
		})
	}
}
