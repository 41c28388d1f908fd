// Package hostscript writes the script that is run on a host and tells what can only
// be learnt there: what the host reaches, what a name means to it, how its server is
// run. The script reads and connects, and changes nothing. It is pure.
package hostscript

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/strict"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// Schema is the version of what the script prints.
const Schema = 1

// Bounds of what is asked: they keep the script short and bound its time.
const (
	// MaxPaths is how many connects the script tries.
	MaxPaths = 512
	// MaxNames is how many names it resolves.
	MaxNames = 64
)

// Questions is what is asked of each host.
type Questions struct {
	// Ensemble is its name.
	Ensemble string
	// Units are the systemd units of the servers; none when they are not known. The units
	// of servers that run are told without it.
	Units []string
	// Engine, docker or podman, runs the servers in the containers Recorded; both are empty where
	// something else does.
	Engine   string
	Recorded []string
	// Paths are the connects to try.
	Paths []vantage.Target
	// Cons are those of them at which ZooKeeper is asked for its connections: from where
	// it sees this host's own.
	Cons []vantage.Target
	// Listen are the ports of which the script tells whether somebody listens on
	// them on this host.
	Listen []int
	// Names are the host names to resolve.
	Names []string
}

// Digest names the questions: a report carries it, so that one that answers other
// questions is noticed.
func (q Questions) Digest() string {
	sum := sha256.Sum256([]byte(q.questions()))
	return hex.EncodeToString(sum[:8])
}

// Script is a program for any POSIX shell that prints one line of JSON.
func Script(q Questions) ([]byte, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	return q.render(), nil
}

// InputError says which question cannot be asked.
type InputError struct{ Field, Value, Want string }

// Error names the question, its value and what was expected.
func (e *InputError) Error() string {
	return fmt.Sprintf("the host script cannot ask for %s %s: expected %s", e.Field, e.Value, e.Want)
}

// Validate refuses what does not fit. The script quotes every value besides.
func (q Questions) Validate() error {
	var err error
	check := func(field, value, want string) {
		if want != "" && err == nil {
			err = &InputError{Field: field, Value: quote.Text(value), Want: want}
		}
	}
	port := func(field string, n int) {
		if n < 1 || n > 65535 {
			check(field, fmt.Sprint(n), "a port from 1 to 65535")
		}
	}
	check("the ensemble", q.Ensemble, strict.Name(q.Ensemble))
	for _, unit := range q.Units {
		check("the unit", unit, strict.Unit(unit))
	}
	for _, name := range q.Recorded {
		check("the container", name, strict.Unit(name))
	}
	if q.Engine != "" && q.Engine != "docker" && q.Engine != "podman" {
		check("the engine", q.Engine, "docker or podman")
	}
	if len(q.Paths) > MaxPaths {
		check("paths", fmt.Sprint(len(q.Paths)), fmt.Sprintf("%d at most", MaxPaths))
	}
	if len(q.Names) > MaxNames {
		check("names", fmt.Sprint(len(q.Names)), fmt.Sprintf("%d at most", MaxNames))
	}
	if len(q.Listen) > MaxNames {
		check("listening ports", fmt.Sprint(len(q.Listen)), fmt.Sprintf("%d at most", MaxNames))
	}
	for _, t := range q.Paths {
		if t.Server < ensemble.MinID || t.Server > ensemble.MaxID {
			check("a path to server", t.Server.String(), fmt.Sprintf("an id from %d to %d", ensemble.MinID, ensemble.MaxID))
		}
		switch t.Via {
		case vantage.ViaHost, vantage.ViaService, vantage.ViaPod:
		default:
			check("a path by way of", string(t.Via), "host, service or pod")
		}
		check("a path to", t.Host, strict.Host(t.Host))
		port("a path to port", t.Port)
	}
	for _, n := range q.Listen {
		port("listening port", n)
	}
	for _, n := range q.Names {
		check("the name", n, strict.Host(n))
	}
	return err
}

// MaxSeconds is how long the script runs at most, in seconds, unless what it asks on
// the host itself hangs: each file system and program of those gets its own 3 s.
func (q Questions) MaxSeconds() int {
	batches := func(n int) int { return (n + parallel - 1) / parallel }
	return fixedSeconds + eachSeconds*(2*batches(len(q.Paths))+batches(len(q.Names)))
}

const (
	// parallel is how many connects the script has under way.
	parallel = 32
	// eachSeconds is how long each takes at most, and what ZooKeeper is asked behind it.
	eachSeconds = 3
	// fixedSeconds is for all else.
	fixedSeconds = 20
)

func (q Questions) render() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, head, q.MaxSeconds(), "digest="+q.Digest()+"\n"+q.questions(), means+host+servers+run)
	return []byte(b.String())
}

// questions are the values of one ensemble, as functions of the script.
func (q Questions) questions() string {
	var b strings.Builder
	w := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	w("ensemble=%s unit=%s engine=%s recorded=%s", quote.Shell(q.Ensemble), quote.Shell(strings.Join(q.Units, " ")), quote.Shell(q.Engine), quote.Shell(strings.Join(q.Recorded, " ")))
	var ports []string
	for _, n := range q.Listen {
		ports = append(ports, fmt.Sprintf("%04X=%d", n, n))
	}
	w("ports=%s", quote.Shell(" "+strings.Join(ports, " ")+" "))
	w("names() {\n  :")
	for _, n := range q.Names {
		w("  batch resolve %s", quote.Shell(n))
	}
	w("}\npaths() {\n  :")
	for _, t := range q.Paths {
		words := quote.Words{t.Server.String(), string(t.Via), t.Host, fmt.Sprint(t.Port)}
		if slices.Contains(q.Cons, t) {
			words = append(words, "cons")
		}
		w("  batch try %s", words)
	}
	w("}")
	return b.String()
}
