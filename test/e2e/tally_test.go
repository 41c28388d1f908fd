//go:build e2e

package e2e

import (
	"fmt"
	"sort"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/test/killproxy"
)

// when a run is killed: see killer.
type when int

const (
	before when = iota
	after
	late
	// never: runs were killed before this write and after it.
	never
)

// turn says what is still missing for a write of a step.
func (k *killer) turn(what string) when {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case !k.stopped[what]:
		k.stopped[what] = true
		return before
	case k.sent[what]:
		return never
	}
	k.sent[what] = true
	k.lateNext = !k.lateNext
	if !k.lateNext {
		return late
	}
	return after
}

func (k *killer) count(at when, what string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.tally[what] == nil {
		k.tally[what] = map[when]int{}
	}
	k.tally[what][at]++
}

// first reports whether nothing was killed there yet.
func (k *killer) first(at when, what string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.tally[what][at] == 0
}

// taken notes a late write that the API server took. It must be none that moves
// an address or opens the gate: the next command makes those fail first.
func (k *killer) taken(c killproxy.Call) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.takenLate = append(k.takenLate, c.String())
	service, slices, gate := "services/"+k.s.Name+"-", "endpointslices/", "configmaps/"+k.s.Name+"-zkmigrate-gate"
	for _, object := range []string{service, slices, gate} {
		if strings.Contains(c.String(), object) && !strings.HasSuffix(c.String(), "-pods") {
			k.s.T.Errorf("%s arrived after its command had died and the next one had taken over, and was taken", c)
		}
	}
}

// report prints what was killed where.
func (k *killer) report() {
	k.s.T.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	total := map[when]int{}
	var lines []string
	for what, n := range k.tally {
		lines = append(lines, fmt.Sprintf("%6d %6d %6d  %s", n[before], n[after], n[late], what))
		for at, n := range n {
			total[at] += n
		}
	}
	sort.Slice(lines, func(i, j int) bool { return lines[i][20:] < lines[j][20:] })
	k.s.T.Logf("%d kills\nbefore  after   late\n%s\n%6d %6d %6d  in all", total[before]+total[after]+total[late],
		strings.Join(lines, "\n"), total[before], total[after], total[late])
	k.s.T.Logf("taken though late: %q", k.takenLate)
}
