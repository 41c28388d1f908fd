package scene

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
)

// limit bounds what the client is asked to do at once: several labs may share
// two cores, and there may be hundreds of megabytes.
const limit = "5m"

// File is the path of a file of this test.
func (s *Scene) File(name string) string { return filepath.Join(s.Lab.Dir, name) }

// StartLoad starts a client on the hosts' addresses and moves it to the
// Services', as its owner would.
func (s *Scene) StartLoad() {
	s.T.Helper()
	s.StartHostLoad()
	s.Must(s.Lab.OnClient(s.T.Context(), "zkload", "ctl", "--control", s.File("load.sock"), "connect", s.NewConnection()))
}

// StartHostLoad starts a client that stays on the hosts' addresses.
func (s *Scene) StartHostLoad() {
	s.T.Helper()
	s.startLoad(labkit.Connect(s.Hosts))
}

// StartMovedLoad starts a client that has moved to the Services already.
func (s *Scene) StartMovedLoad() {
	s.T.Helper()
	s.startLoad(s.NewConnection())
}

func (s *Scene) startLoad(connect string) {
	s.T.Helper()
	ctx := s.T.Context()
	Eventually(s.T, "there is data", func() error {
		_, err := labkit.Must(s.Lab.OnClient(ctx, "zkload", "prepare", "--connect", connect, "--znodes", fmt.Sprint(s.Znodes), "--size", fmt.Sprint(s.Size), "--timeout", limit))
		return err
	})
	var err error
	// Its end is ours to ask for, also after a failure.
	s.load, err = s.Lab.Start(context.WithoutCancel(ctx), "load.log", "zkload", "run", "--connect", connect, "--report", s.File("load.json"), "--control", s.File("load.sock"), "--session-timeout", "30s", "--writers", "2", "--pace", s.Pace.String(), "--timeout", limit)
	if err != nil {
		s.T.Fatal(err)
	}
	Eventually(s.T, "the client writes", func() error {
		r, err := labkit.Must(s.Lab.OnClient(ctx, "zkload", "ctl", "--control", s.File("load.sock"), "status"))
		if err == nil && strings.Contains(r.Stdout, "acknowledged 0,") {
			err = errors.New("not yet: " + r.Stdout)
		}
		return err
	})
}

// StopLoad ends the client, if it runs.
func (s *Scene) StopLoad() {
	if s.load == nil {
		return
	}
	if err := s.load.Stop(); err != nil {
		s.T.Errorf("the client: %v", err)
	}
	s.load = nil
}

// Acknowledged is how many writes the client has got acknowledged so far.
func (s *Scene) Acknowledged() int {
	s.T.Helper()
	r := s.Must(s.Lab.OnClient(s.T.Context(), "zkload", "ctl", "--control", s.File("load.sock"), "status"))
	_, rest, _ := strings.Cut(r.Stdout, "acknowledged ")
	number, _, _ := strings.Cut(rest, ",")
	n, err := strconv.Atoi(number)
	if err != nil {
		s.T.Fatalf("no number of acknowledged writes in %q", r.Stdout)
	}
	return n
}

// NothingLost ends the client, counts, and has its history judged.
func (s *Scene) NothingLost() {
	s.T.Helper()
	s.StopLoad()
	data, err := os.ReadFile(s.File("load.json"))
	if err != nil {
		s.T.Fatal(err)
	}
	var load struct {
		Acknowledged int `json:"acknowledged"`
		Sessions     struct {
			Lost int `json:"lost"`
		} `json:"sessions"`
		EphemeralHeld bool `json:"ephemeralHeld"`
		LongestStall  struct {
			Seconds float64 `json:"seconds"`
		} `json:"longestStall"`
	}
	if err := json.Unmarshal(data, &load); err != nil {
		s.T.Fatal(err)
	}
	if load.Acknowledged == 0 || load.Sessions.Lost != 0 || !load.EphemeralHeld {
		s.T.Errorf("the client: %+v; want writes, no session lost, the ephemeral node held", load)
	}
	r := s.Must(s.Lab.OnClient(s.T.Context(), "zkload", "verify", "--timeout", limit, "--connect", s.NewConnection(), "--report", s.File("load.json")))
	s.T.Logf("longest write stall %.2f s; %s", load.LongestStall.Seconds, strings.TrimSpace(r.Stderr))
	r = s.Must(s.Lab.OnClient(s.T.Context(), "zkload", "check", "--timeout", limit, s.File("load.json.history.jsonl")))
	s.T.Log(strings.TrimSpace(r.Stderr))
}
