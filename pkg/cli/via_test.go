package cli

import (
	"bytes"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// TestPrintedCommandsNameTheCluster: what is printed for one cluster must not
// work on another.
func TestPrintedCommandsNameTheCluster(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, map[string]string{"FILE": good})
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"none given": {[]string{"wrap", "-f", "FILE"}, "NAME: kubectl zkmigrate wrap NAME -f FILE"},
		"a cluster":  {[]string{"wrap", "-f", "FILE", "--server", "http://127.0.0.1:1", "--as=me"}, "NAME: kubectl zkmigrate --server=http://127.0.0.1:1 --as=me wrap NAME -f FILE"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errOut bytes.Buffer
			Main(t.Context(), c.args, genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &errOut})
			if !strings.Contains(errOut.String(), c.want) {
				t.Errorf("got %q, want %q", errOut.String(), c.want)
			}
		})
	}
}
