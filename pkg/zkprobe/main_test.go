package zkprobe

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write golden files anew")
	os.Exit(m.Run())
}

func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// recorded returns what a real server of that version said in that role.
func recorded(t testing.TB, version, role string, word Word) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", version, role, string(word)+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// eachRecorded calls f with every recorded answer to word.
func eachRecorded(t testing.TB, word Word, f func(path, text string)) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "*", "*", string(word)+".txt"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("recorded answers to %s: found %d, error %v", word, len(paths), err)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f(path, string(b))
	}
}
