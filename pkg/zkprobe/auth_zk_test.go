//go:build zk

package zkprobe

import (
	"context"
	"errors"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/test/zkreal"
)

// TestRealAuthDemanded: where clients have to authenticate a canary says so, and
// what the check of commits advises lets it in.
func TestRealAuthDemanded(t *testing.T) {
	for name, c := range map[string]struct {
		config  map[string]string
		refused bool
	}{
		"digest alone":  {map[string]string{"enforce.auth.enabled": "true", "enforce.auth.schemes": "digest"}, true},
		"digest and ip": {map[string]string{"enforce.auth.enabled": "true", "enforce.auth.schemes": "digest,ip"}, false},
		"SASL":          {map[string]string{"sessionRequireClientSASLAuth": "true", "authProvider.1": "org.apache.zookeeper.server.auth.SASLAuthenticationProvider"}, true},
		"SASL is off":   {map[string]string{"sessionRequireClientSASLAuth": "false"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			eachVersion(t, c.config, func(ctx context.Context, t *testing.T, e *zkreal.Ensemble) {
				var p Prober
				addr := e.Server(2).ClientAddr()
				refused := c.refused && p.Learn(ctx, addr).Version.AtLeast(3, 7, 0)
				_, err := p.Canary(ctx, []string{addr})
				var canary *CanaryError
				if refused != (errors.As(err, &canary) && canary.AuthDemanded()) || !refused && err != nil {
					t.Errorf("refused %t, want %t: %v", err != nil, refused, err)
				}
			})
		})
	}
}
