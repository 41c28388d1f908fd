//go:build linux && zk && record

package zkprobe

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/zkreal"
)

// TestRecord writes what real servers say into testdata, with
//
//	go test -tags zk,record -run TestRecord ./pkg/zkprobe
//
// envi is left out: it tells about the machine rather than about ZooKeeper.
func TestRecord(t *testing.T) {
	for _, version := range zkreal.Versions() {
		t.Run(version, func(t *testing.T) { record(t, version) })
	}
}

func record(t *testing.T, version string) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	dir := t.TempDir()
	e := startReal(ctx, t, zkreal.Options{Version: version, IDs: []int{1, 2, 3, 4}, Observers: []int{4}, Dir: dir})

	// A client with a session, so that cons has more than our own questions.
	held := holdSession(ctx, t, e.Server(1).ClientAddr())
	defer held()
	save := func(role string, s *zkreal.Server, words ...Word) {
		for _, w := range words {
			text, err := s.Ask(ctx, string(w))
			if err != nil {
				t.Fatal(err)
			}
			text = strings.ReplaceAll(text, dir, "/var/lib/zookeeper")
			path := filepath.Join("testdata", version, role, string(w)+".txt")
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	all := []Word{Srvr, Stat, Mntr, Conf, Cons, Ruok, Wchs, Isro}
	for _, id := range e.IDs() {
		role := e.Server(id).Mode(ctx)
		if id == 2 && role == "follower" {
			continue // 1 stands for followers, and has the client
		}
		save(role, e.Server(id), all...)
	}
	for _, id := range []int{1, 2} {
		e.Server(id).Stop()
	}
	waitFor(ctx, t, "the rest to notice that the quorum is gone", func() bool {
		return e.Server(3).Mode(ctx) == "" && e.Server(4).Mode(ctx) == ""
	})
	save("not-serving", e.Server(3), all...)

	strict := startReal(ctx, t, zkreal.Options{
		Version: version, Dir: filepath.Join(dir, "strict"),
		Config: map[string]string{"4lw.commands.whitelist": "ruok"}, // srvr answers in spite of it
	})
	save("not-whitelisted", strict.Server(1), all...)
	fmt.Fprintln(os.Stderr, "recorded", version)
}
