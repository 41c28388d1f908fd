package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
)

// figures is demo-report.json.
type figures struct {
	ZooKeeper      string `json:"zookeeper"`
	Holds          bool   `json:"holds"`
	Servers        []away `json:"servers"`
	Elections      int    `json:"electionsForced"`
	ElectionsPhase struct {
		Restart int `json:"rollingRestart"`
		Replace int `json:"replacements"`
		// Afterwards are those of apply and of finalize, one each.
		Afterwards int `json:"applyAndFinalize"`
	} `json:"electionsByPhase"`
	LongestStallSeconds float64 `json:"longestWriteStallSeconds"`
	SessionsLost        int     `json:"sessionsLost"`
	Acknowledged        int     `json:"acknowledgedWrites"`
	Missing             int     `json:"acknowledgedWritesMissing"`
	EphemeralHeld       bool    `json:"ephemeralHeld"`
	History             verdict `json:"history"`
	ReplaceSeconds      float64 `json:"replaceSeconds"`
	InPods              int     `json:"serversInPods"`
	Healthy             bool    `json:"healthy"`

	epochAtStart, epochAfterRestart, epochAtEnd, epochFinalized uint32
}

// away is one server's time between its stop on the host and serving in the
// pod.
type away struct {
	ID      int     `json:"id"`
	Seconds float64 `json:"secondsAway"`
}

// loadReport is what the demo needs of the client's report.
type loadReport struct {
	Acknowledged int `json:"acknowledged"`
	LongestStall struct {
		Seconds float64 `json:"seconds"`
	} `json:"longestStall"`
	Sessions struct {
		Opened int `json:"opened"`
		Lost   int `json:"lost"`
	} `json:"sessions"`
	EphemeralHeld bool `json:"ephemeralHeld"`
}

// verdict is what zkload check says of the client's history: is there one order
// of all writes that explains what every client saw?
type verdict struct {
	Verdict      string  `json:"verdict"`
	Writes       int     `json:"writes"`
	CurrentReads int     `json:"currentReads"`
	Reads        int     `json:"reads"`
	Keys         int     `json:"keys"`
	Seconds      float64 `json:"seconds"`
}

const linearizable = "linearizable"

type verifyReport struct {
	Missing int `json:"missing"`
}

// journalRecord is what the demo reads of the journal: its audit has the times.
type journalRecord struct {
	Audit []struct {
		At   time.Time `json:"at"`
		ID   int       `json:"id"`
		Step string    `json:"step"`
	} `json:"audit"`
}

// collect gathers the figures after the client has stopped.
func (d *demo) collect() error {
	f := &d.figures
	var load loadReport
	if err := readJSON(d.file("load.json"), &load); err != nil {
		return err
	}
	f.Acknowledged, f.LongestStallSeconds = load.Acknowledged, load.LongestStall.Seconds
	f.SessionsLost, f.EphemeralHeld = load.Sessions.Lost, load.EphemeralHeld

	to, err := d.newConnection()
	if err != nil {
		return err
	}
	// verify exits 1 when writes are missing; its report counts them.
	r, err := d.quiet.OnClient(d.ctx, "zkload", "verify", "--connect", to, "--report", d.file("load.json"))
	if err != nil {
		return err
	}
	var v verifyReport
	if err := json.Unmarshal([]byte(r.Stdout), &v); err != nil {
		return fmt.Errorf("zkload verify: %w: %s", err, r.Stderr)
	}
	f.Missing = v.Missing

	// check exits 1 when the history is not in order, too.
	c, err := d.quiet.OnClient(d.ctx, "zkload", "check", d.file("load.json")+".history.jsonl")
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(c.Stdout), &f.History); err != nil {
		return fmt.Errorf("zkload check: %w: %s", err, c.Stderr)
	}
	if c.Code != 0 {
		fmt.Print(c.Stderr)
	}

	st, err := d.status()
	if err != nil {
		return err
	}
	f.InPods, f.Healthy = st.Replaced, st.Healthy
	f.ElectionsPhase.Restart = int(f.epochAfterRestart - f.epochAtStart)
	f.ElectionsPhase.Replace = int(f.epochAtEnd - f.epochAfterRestart)
	f.ElectionsPhase.Afterwards = int(f.epochFinalized - f.epochAtEnd)
	f.Elections = f.ElectionsPhase.Restart + f.ElectionsPhase.Replace
	f.Holds = f.Elections == 2 && f.ElectionsPhase.Afterwards == 2 && f.SessionsLost == 0 && f.Missing == 0 && f.Acknowledged > 0 && f.EphemeralHeld && f.InPods == 3 && f.Healthy && r.Code == 0 &&
		f.History.Verdict == linearizable
	return nil
}

func (d *demo) timesAway() error {
	r, err := labkit.Must(d.quiet.OnClient(d.ctx, "kubectl", "get", "configmap", ensemble+"-zkmigrate", "-n", namespace, "-o", "jsonpath={.data.record\\.json}"))
	if err != nil {
		return err
	}
	var rec journalRecord
	if err := json.Unmarshal([]byte(r.Stdout), &rec); err != nil {
		return fmt.Errorf("reading the journal: %w", err)
	}
	stopped := map[int]time.Time{}
	released := map[int]bool{}
	for _, a := range rec.Audit {
		switch a.Step {
		case "stop-host":
			stopped[a.ID] = a.At
		case "release":
			released[a.ID] = true
		case "prove-joined":
			if released[a.ID] {
				d.figures.Servers = append(d.figures.Servers, away{ID: a.ID, Seconds: a.At.Sub(stopped[a.ID]).Seconds()})
				delete(released, a.ID)
			}
		}
	}
	return nil
}

func readJSON(path string, to any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, to); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return nil
}

// print is the summary for people.
func (f figures) print(w io.Writer) {
	mark := func(ok bool) string {
		if ok {
			return "ok  "
		}
		return "FAIL"
	}
	fmt.Fprintf(w, "\n\033[1mWhat happened (ZooKeeper %s)\033[0m\n", f.ZooKeeper)
	for _, s := range f.Servers {
		fmt.Fprintf(w, "        server %d was away for %.1f s\n", s.ID, s.Seconds)
	}
	fmt.Fprintf(w, "  %s  %d of 3 servers run in pods, the ensemble is healthy: %t\n", mark(f.InPods == 3 && f.Healthy), f.InPods, f.Healthy)
	fmt.Fprintf(w, "  %s  %d elections forced (2 expected: %d in the rolling restart, %d in the replacements)\n", mark(f.Elections == 2), f.Elections, f.ElectionsPhase.Restart, f.ElectionsPhase.Replace)
	fmt.Fprintf(w, "  %s  %d elections forced afterwards (2 expected: one with more memory, one with the end)\n", mark(f.ElectionsPhase.Afterwards == 2), f.ElectionsPhase.Afterwards)
	fmt.Fprintf(w, "        longest write stall of the client: %.2f s\n", f.LongestStallSeconds)
	fmt.Fprintf(w, "  %s  %d sessions lost, the ephemeral node was held: %t\n", mark(f.SessionsLost == 0 && f.EphemeralHeld), f.SessionsLost, f.EphemeralHeld)
	fmt.Fprintf(w, "  %s  %d of %d acknowledged writes missing\n", mark(f.Missing == 0 && f.Acknowledged > 0), f.Missing, f.Acknowledged)
	h := f.History
	fmt.Fprintf(w, "  %s  history: %d writes, %d current reads, %d plain reads on %d keys: %s\n", mark(h.Verdict == linearizable), h.Writes, h.CurrentReads, h.Reads, h.Keys, h.Verdict)
	if h.Verdict == linearizable {
		fmt.Fprintln(w, "        (there is one order of all writes that explains everything the client has read: it saw one ZooKeeper, from the first host to the last pod)")
	}
}
