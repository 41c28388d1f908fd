//go:build linux && zk

package workload

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/zkreal"
)

// TestWatchesAreSetWhileTheClientMoves: a client may be given other servers
// from the first moment on.
func TestWatchesAreSetWhileTheClientMoves(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	dir := t.TempDir()
	e, err := zkreal.New(ctx, zkreal.Options{Version: "3.8.0", Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	if err := e.Start(ctx); err != nil {
		t.Fatal(err)
	}
	r, err := Start(ctx, Options{
		Connect: e.ClientAddrs(), Name: "arm", History: filepath.Join(dir, "h.jsonl"), Session: 10 * time.Second,
		Registers: 1, Logf: t.Logf,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(r.disconnect(), r.rec.Close()); err != nil {
			t.Error(err)
		}
	})
	moved := make(chan error, 1)
	go func() {
		for range 10 {
			if _, _, err := r.holder.Switch(ctx, e.ClientAddrs()); err != nil {
				moved <- err
				return
			}
		}
		moved <- nil
	}()
	if err := r.armHeld(ctx); err != nil {
		t.Error(err)
	}
	if err := <-moved; err != nil {
		t.Error(err)
	}
}
