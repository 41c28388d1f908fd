package badinput

import (
	"slices"
	"testing"
)

// TestJudge: a message that is of no use does not pass.
func TestJudge(t *testing.T) {
	const nextless = "does not say what to do next"
	for said, clear := range map[string]bool{
		"error: a":                                         false,
		"error: a: the file is empty":                      false,
		"error: --memory=0 is wrong":                       false,
		"error: ensemble name \"X\"":                       false,
		"refused: checks failed\nnext: ":                   false,
		"error: a: the file is empty (expected a zoo.cfg)": true,
		"error: x\nnext: kubectl zkmigrate status zk1":     true,
		"fail\n  hint: open the port":                      true,
		"error: unknown flag: --x\nSee 'kubectl zkmigrate wrap --help' for usage": true,
		"error: --memory=0 is too little: at least 32Mi, for example 2Gi":         true,
		"error: --output=\"xml\": allowed are json, yaml":                         true,
		"error: name the server with --id=N":                                      true,
	} {
		if wrong := judge(row{}, 0, said); slices.Contains(wrong, nextless) == clear {
			t.Errorf("%q: %v", said, wrong)
		}
	}
}

// TestReason: the input's own words, and a place in it, are no reason.
func TestReason(t *testing.T) {
	r := row{args: []string{"wrap", "demo", "--memory=0"}, files: map[string]string{"a": "tickTime=2s"}}
	for words, want := range map[string]bool{
		"a": false, "a:1": false, "tickTime=2s": false, "--memory": false, "next: ": false, "kubeconfig": false, "API server http://127.0.0.1:": false,
		"a:1: tickTime is not a number": true, "at least": true, "is empty": true,
	} {
		if got := r.reason(words); got != want {
			t.Errorf("%q: %t", words, got)
		}
	}
}
