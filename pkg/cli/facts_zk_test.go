//go:build linux && zk

package cli

import (
	"context"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/test/zkreal"
)

// TestServersThatDoNotSayTheirID: 3.5 and later answer srvr alone by default;
// hosts in the wrong order must be seen all the same.
func TestServersThatDoNotSayTheirID(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	real, err := zkreal.New(ctx, zkreal.Options{Version: "3.8.0", Dir: t.TempDir(), IDs: []int{0, 300, 4294967295}, Config: map[string]string{"4lw.commands.whitelist": "srvr"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(real.Close)
	if err := real.Start(ctx); err != nil {
		t.Fatal(err)
	}
	p := newProber(nil)
	var ids []ensemble.ID
	for _, id := range real.IDs() {
		ids = append(ids, ensemble.ID(id))
	}
	for i, address := range real.ClientAddrs() {
		live := p.Sight(ctx, target(t, address))
		if !live.ServerID.IsZero() {
			t.Fatalf("%s: conf is not whitelisted, and it says %s", address, live.ServerID)
		}
		if got := p.named(ctx, ids, target(t, address), live).ServerID; !got.Is(ensemble.ID(real.IDs()[i])) {
			t.Errorf("%s: server %s, want %d", address, got, real.IDs()[i])
		}
	}
}
