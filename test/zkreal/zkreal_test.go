//go:build linux && zk

package zkreal

import (
	"context"
	"testing"
	"time"
)

func TestRealEnsemblesServe(t *testing.T) {
	for _, version := range Versions() {
		t.Run(version, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			e, err := New(ctx, Options{Version: version, IDs: []int{2, 5, 9, 12}, Observers: []int{12}, Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(e.Close)
			if err := e.Start(ctx); err != nil {
				t.Fatal(err)
			}
			if got := e.Server(12).Mode(ctx); got != "observer" {
				t.Errorf("mode of server 12: got %q, want observer", got)
			}
			leader := e.Leader(ctx)
			if leader == 0 || leader == 12 {
				t.Fatalf("leader: got %d, want one of 2, 5, 9", leader)
			}
			e.Server(leader).Stop()
			if e.Server(leader).Running() {
				t.Error("the leader still runs after Stop")
			}
			for _, id := range e.IDs() {
				if id == leader {
					continue
				}
				if _, err := e.Server(id).WaitServing(ctx); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
