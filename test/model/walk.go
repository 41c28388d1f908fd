package model

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"
)

// Walked is what random walks found.
type Walked struct {
	Config Config
	// Steps were taken in Walks walks, of which Ended were then shown to end
	// well; Operations were finished on the way.
	Steps, Walks, Ended, Operations int
	Took                            time.Duration
	Broken                          violation
	Story                           []string
	Stuck                           error
}

// Walk takes random steps from the start, again and again, until there were
// steps of them. The tool moves as often as the world. The same seed walks the
// same way.
func Walk(cfg Config, rule decideFunc, steps int, seed uint64) Walked {
	began := time.Now()
	out := Walked{Config: cfg}
	var mu sync.Mutex
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for k := range workers {
		wg.Go(func() {
			w := newWorld(cfg, rule)
			rnd := rand.New(rand.NewPCG(seed, uint64(k)))
			for taken := 0; taken < steps/workers; {
				n, ops, end, story := w.walk(rnd)
				taken += n
				err := error(nil)
				if end.broken == fine {
					err = Fair(cfg, end)
				}
				mu.Lock()
				out.Steps += n
				out.Walks++
				out.Operations += ops
				if end.broken != fine && (out.Broken == fine || len(story) < len(out.Story)) {
					out.Broken, out.Story = end.broken, story
				}
				if err == nil {
					out.Ended++
				} else {
					out.Stuck = err
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	out.Took = time.Since(began)
	return out
}

// maxWalk bounds one walk.
const maxWalk = 400

func (w *world) walk(rnd *rand.Rand) (steps, operations int, end state, story []string) {
	st := w.start()
	var labels []label
	var states []state
	// Faults come at moments chosen beforehand, or while a pod is empty, which
	// is when they hurt.
	var due [maxWalk]bool
	for range w.cfg.Faults {
		due[rnd.IntN(maxWalk/2)] = true
	}
	for at := range maxWalk {
		var pick [2]state
		var by [2]label
		var seen [2]int
		faulty := due[at] || w.exposed(&st) && rnd.IntN(4) == 0
		w.next(&st, func(l label, next state) {
			side := 0
			switch {
			case l.op > opHeal:
				if !faulty && next.broken == fine {
					return
				}
			case faulty && st.faults > 0 && next.broken == fine:
				return
			case l.op == opDie || l.op == opPerformDie:
				if rnd.IntN(12) != 0 && next.broken == fine {
					return
				}
			case l.op == opLook || l.op == opPerform:
				side = 1
			}
			seen[side]++
			if next.broken != fine || rnd.IntN(seen[side]) == 0 && pick[side].broken == fine {
				pick[side], by[side] = next, l
			}
		})
		if seen[0]+seen[1] == 0 {
			continue
		}
		side := rnd.IntN(2)
		if seen[side] == 0 || pick[1-side].broken != fine {
			side = 1 - side
		}
		if st.flight.on && !pick[side].flight.on {
			operations++
		}
		labels, states = append(labels, by[side]), append(states, st)
		st = pick[side]
		steps++
		if st.broken != fine {
			for k, l := range labels {
				story = append(story, w.tell(&states[k], l))
			}
			return steps, operations, st, append(story, fmt.Sprintf("=> %s", st.broken))
		}
	}
	return steps, operations, st, nil
}

// exposed: an empty pod has started and has not followed a leader yet.
func (w *world) exposed(st *state) bool {
	for i := range w.n {
		if st.s[i].podRole != down && st.s[i].pod.empty {
			return true
		}
	}
	return false
}
