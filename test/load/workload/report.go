package workload

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/load/stats"
)

// Report is what a run amounts to, as JSON.
type Report struct {
	// Root is the znode everything of the run is below.
	Root    string    `json:"root"`
	Connect []string  `json:"connect"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`
	// History is the file with every operation.
	History string `json:"history"`

	// Writes by what is known of them.
	Acknowledged int `json:"acknowledged"`
	Failed       int `json:"failed"`
	Unknown      int `json:"unknown"`
	Reads        int `json:"reads"`
	// Visits are short sessions whose ephemeral znode came and went.
	Visits int `json:"visits"`

	LongestStall stats.Stall   `json:"longestStall"`
	Stalls       []stats.Stall `json:"stalls"`

	Sessions   Sessions `json:"sessions"`
	Reconnects int      `json:"reconnects"`
	Watches    Watches  `json:"watches"`
	// EphemeralHeld tells whether the ephemeral znode was there all the time
	// and belongs to the first session still.
	EphemeralHeld bool    `json:"ephemeralHeld"`
	Latency       Latency `json:"latency"`
	// Troubles lists in words what should not be.
	Troubles []string `json:"troubles,omitempty"`
}

// Sessions counts client sessions; Opened is Expected where none was lost.
type Sessions struct {
	Expected int      `json:"expected"`
	Opened   int      `json:"opened"`
	Lost     int      `json:"lost"`
	IDs      []string `json:"ids"`
}

// Watches counts watches that had to fire: Set armed and changed under, Fired
// at least once, Duplicate events beyond one each, Missed never.
type Watches struct {
	Set       int `json:"set"`
	Fired     int `json:"fired"`
	Duplicate int `json:"duplicate"`
	Missed    int `json:"missed"`
}

// Latency holds those of acknowledged writes, in milliseconds.
type Latency struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// Write writes the report to a file, whole or not at all.
func (r Report) Write(path string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if err := os.WriteFile(path+".tmp", append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// ReadReport reads a report written by Write.
func ReadReport(path string) (Report, error) {
	var r Report
	b, err := os.ReadFile(path)
	if err != nil {
		return r, fmt.Errorf("report: %w", err)
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("report %s: %w", path, err)
	}
	return r, nil
}
