//go:build linux && zk

package cli

import (
	"context"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/tunnel"
	"github.com/zkmigrate/kubectl-zkmigrate/test/podfake"
	"github.com/zkmigrate/kubectl-zkmigrate/test/zkreal"
)

// TestRealServersThroughATunnel: everything that is asked of a server is answered through
// a tunnel as it is directly.
func TestRealServersThroughATunnel(t *testing.T) {
	for _, version := range []string{"3.4.13", "3.8.0", "3.9.3"} {
		t.Run(version, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
			defer cancel()
			real, err := zkreal.New(ctx, zkreal.Options{Version: version, Dir: t.TempDir(), IDs: []int{1, 2, 3}, Config: map[string]string{"4lw.commands.whitelist": "srvr,conf,mntr,cons"}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(real.Close)
			if err := real.Start(ctx); err != nil {
				t.Fatal(err)
			}
			tun := tunnel.New(ctx, "zk-pod-0", podfake.Run)
			t.Cleanup(tun.Close)
			p, direct := newProber(tun), newProber(nil)
			for _, address := range real.ClientAddrs() {
				at := target(t, address)
				for range 10 {
					if zxid, err := p.Canary(ctx, at); err != nil || zxid == 0 {
						t.Fatalf("%s: canary %s, %v", address, zxid, err)
					}
				}
				got, want := p.Sight(ctx, at), direct.Sight(ctx, at)
				if !got.Serving() || got.Version != want.Version || got.Mode != want.Mode || got.ServerID != want.ServerID || len(got.Members) != len(want.Members) {
					t.Errorf("%s: through the tunnel %+v, directly %+v", address, got, want)
				}
				if p.ServingSince(ctx, at).IsZero() {
					t.Errorf("%s: cons does not tell through the tunnel", address)
				}
			}
		})
	}
}
