//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// atHosts are sessions that were only ever seen at hosts, by address, as clients -o json has them.
func atHosts(s *scene.Scene) map[string][]string {
	s.T.Helper()
	var r struct {
		Sessions struct {
			Left []struct {
				Address string   `json:"address"`
				IDs     []string `json:"ids"`
			} `json:"left"`
		} `json:"sessions"`
	}
	if err := json.Unmarshal([]byte(s.Zkmigrate(0, "clients", s.Name, "-o", "json").Stdout), &r); err != nil {
		s.T.Fatal(err)
	}
	out := map[string][]string{}
	for _, a := range r.Sessions.Left {
		out[a.Address] = a.IDs
	}
	return out
}

// beside starts a client on another machine, and returns its address and sessions.
func beside(s *scene.Scene, machine, connect string) (address string, ids []string) {
	s.T.Helper()
	before := atHosts(s)
	lab := *s.Lab
	lab.Machine = machine
	p, err := lab.Start(context.WithoutCancel(s.T.Context()), machine+".log", "zkload", "run", "--connect", connect, "--report", s.File(machine+".json"),
		"--name", machine, "--session-timeout", "30s", "--writers", "1", "--readers", "1", "--visit-every", "0", "--pace", "100ms")
	if err != nil {
		s.T.Fatal(err)
	}
	s.T.Cleanup(p.Kill)
	scene.Eventually(s.T, "the client on "+machine+" is seen", func() error {
		for a, found := range atHosts(s) {
			// A holder, a writer and a reader have a session each.
			if before[a] == nil && len(found) == 3 {
				address, ids = a, found
				return nil
			}
		}
		return fmt.Errorf("no new address with three sessions")
	})
	return address, ids
}

// clientsLeft has the migration stop before the last host: a client that never moved from the
// hosts' addresses is named, one that has moved is not. It returns the consent, and what was said.
func clientsLeft(t *testing.T, s *scene.Scene, order []int) (consent, said string) {
	t.Helper()
	began := time.Now()
	clusterIP := ""
	for _, srv := range s.Status().Servers {
		if srv.ID == order[0] {
			clusterIP = srv.ClusterIP
		}
	}
	port := s.Host(order[0]).ClientPort
	old, oldIDs := beside(s, "node1", labkit.Connect(s.Hosts))
	_, movedIDs := beside(s, "node2", fmt.Sprintf("%s:%d", clusterIP, port))
	prepared := time.Since(began)
	r := s.Replace(3, "--all", "--accept-client-loss=")
	began = time.Now()
	if !strings.Contains(r.Stderr, "[ClientLoss]") || !strings.Contains(r.Stderr, "- "+old+": 3 sessions (") {
		t.Errorf("the client on the hosts' addresses, %s, is not named:\n%s", old, r.Stderr)
	}
	if st := s.Status(); !st.Healthy || st.Replaced != len(order)-1 {
		t.Errorf("it did not stop before the last host: %+v", st)
	}
	named := atHosts(s)
	slices.Sort(oldIDs)
	if slices.Sort(named[old]); !slices.Equal(named[old], oldIDs) {
		t.Errorf("of the client that never moved %v are named, want %v", named[old], oldIDs)
	}
	for address, ids := range named {
		for _, id := range ids {
			if slices.Contains(movedIDs, id) {
				t.Errorf("session %s has moved, and is named at %s", id, address)
			}
		}
	}
	t.Logf("client loss took %.1f s more", (prepared + time.Since(began)).Seconds())
	return "--accept-client-loss=" + old + ",100", r.Stderr
}
