//go:build model

package model

import (
	"strings"
	"testing"
)

// full says that this is the long run.
const full = true

// stateLimit is far above what any configuration needs; one that meets it
// fails.
const stateLimit = 40_000_000

// TestWhole sees every state within the budgets of Whole; some minutes on two
// cores.
func TestWhole(t *testing.T) {
	for _, cfg := range Whole() {
		t.Run(strings.ReplaceAll(cfg.Name, " ", "_")+"_"+cfg.Version, func(t *testing.T) { explore(t, cfg, stateLimit, fairSamples) })
	}
}

// TestWords follows status's words from many states of explorations that are small
// enough to be seen to their end: each with one kind of fault.
func TestWords(t *testing.T) {
	for _, cfg := range Words() {
		t.Run(strings.ReplaceAll(cfg.Name, " ", "_"), func(t *testing.T) { explore(t, cfg, stateLimit, 12_000) })
	}
}

// TestWalks takes more than a million steps through five servers.
func TestWalks(t *testing.T) {
	for _, cfg := range Walks() {
		t.Run(strings.ReplaceAll(cfg.Name, " ", "_"), func(t *testing.T) { walk(t, cfg, 500_000) })
	}
}
