package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestReconfigureInTheMiddle: nobody is told to start a server on its host that
// runs in its pod.
func TestReconfigureInTheMiddle(t *testing.T) {
	t.Chdir(t.TempDir())
	s := wrapped(t, "3.4.13")
	rec, err := s.record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	rec.Servers[0].Replaced = &at
	rec.Flight = &migration.Flight{Kind: migration.Replace, ID: 2}
	if err := s.journal.Save(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	put(t, map[string]string{"zoo.cfg": hostFile("")})
	f, _ := flags(t, "-f", "zoo.cfg", "--output-dir", "out")
	if _, err := emit(t, s, f); err != nil {
		t.Fatal(err)
	}
	for _, name := range tree(t, "out") {
		if strings.HasPrefix(name, "1-") || strings.HasPrefix(name, "2-") {
			t.Errorf("it writes %s", name)
		}
	}
	text := read(t, "out/README.txt")
	for _, want := range []string{"in this order: 3.", "Not on the hosts of 1, 2: they run in their pods"} {
		if !strings.Contains(text, want) {
			t.Errorf("README.txt does not say %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "10.1.0.1") || strings.Contains(text, "198.51.100.2 ") {
		t.Errorf("README.txt:\n%s", text)
	}
}
