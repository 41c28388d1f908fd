package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// TestRetireShows: what comes next is printed where it would be accepted. A pod without a gate asks
// no host.
func TestRetireShows(t *testing.T) {
	for name, c := range map[string]struct {
		plain bool
		says  string
	}{
		"a pod with a gate":    {false, "next, when the host is gone for good: kubectl zkmigrate retire demo --id=1 --host-gone=198.51.100.1 -n zk\n"},
		"a pod without a gate": {true, "Nothing is to be declared: its pod has no gate and asks no host.\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := wrapped(t, "3.8.0")
			s.engine.Prober = s.prober
			rec, err := s.record(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			rec.Servers[0].Replaced, rec.Pods.Plain = &time.Time{}, c.plain
			var out, errOut bytes.Buffer
			o := &RetireOptions{deps: &deps{streams: genericiooptions.IOStreams{Out: &out, ErrOut: &errOut}}, id: 1}
			if err := o.show(t.Context(), s, rec, rec.Servers[0]); err != nil || !strings.HasSuffix(errOut.String(), c.says) {
				t.Errorf("%v: %s", err, errOut.String())
			}
		})
	}
}
