package cli

import (
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// TestExposeWhatThereIs: a port that no running release has is refused before anything is
// written.
func TestExposeWhatThereIs(t *testing.T) {
	for release, want := range map[string]string{"3.4.13": "server 0 runs ZooKeeper 3.4.13", "3.8.0": "", "": ""} {
		var v ensemble.Version
		if release != "" {
			v, _ = ensemble.ParseVersion(release)
		}
		o := &WrapOptions{expose: []ensemble.PortName{ensemble.PortAdmin}}
		err := o.refuseExposed(preflight.Facts{Direct: map[ensemble.ID]vantage.Sighting{0: {Reach: vantage.Answered, Version: v}}})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", release, err, want)
		}
	}
}
