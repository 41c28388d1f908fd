package cli

import (
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// TestConnection: what was typed of the connection, commands elsewhere are given, too; their
// contexts and namespaces are their own.
func TestConnection(t *testing.T) {
	for _, words := range []string{"status -A", "fleet plan -f x"} {
		root, _ := newRoot(genericiooptions.NewTestIOStreamsDiscard())
		args := append(strings.Fields(words), "--server=https://x", "--as=a", "--as-group=b", "--as-group=c", "-n", "n", "--context=d", "--timeout=3s")
		cmd, rest, err := root.Find(args)
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.ParseFlags(rest); err != nil {
			t.Fatal(err)
		}
		if got, want := strings.Join(connection(cmd), " "), "--as=a --as-group=b --as-group=c --server=https://x"; got != want {
			t.Errorf("%s: %s", words, got)
		}
	}
}
