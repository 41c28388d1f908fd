//go:build e2e

package e2e

import (
	"fmt"
	"regexp"
	"sort"
	"strings"
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
// an address or opens the gate: the next command makes those fail first, by
// writes that change nothing else and may come late themselves.
func (k *killer) taken(what string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.takenLate = append(k.takenLate, what)
	moves := regexp.MustCompile(`: (PATCH services/.*-[0-9]+|(PUT|DELETE) endpointslices/.*-bridge|PUT configmaps/.*-zkmigrate-gate)($|,)`)
	if moves.MatchString(what) && !strings.HasPrefix(what, atStart) {
		k.s.T.Errorf("%s: it arrived after the next command had taken over, and was taken", what)
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
	k.s.T.Logf("late, and taken all the same:\n%s", strings.Join(k.takenLate, "\n"))
}
