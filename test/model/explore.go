package model

import (
	"cmp"
	"hash/maphash"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Result is what an exploration found.
type Result struct {
	Config Config
	// States were reached, Transitions taken, Depth the longest shortest way.
	States, Transitions, Depth int
	// Whole is false when the limit was met before everything was seen.
	Whole bool
	Took  time.Duration
	// Broken is the first violation in breadth-first order, Story the way to
	// it; fine and nil when there is none.
	Broken violation
	Story  []string
	// Sampled are states from all that were reached, the same in every run; Way
	// tells a story that leads to one.
	Sampled []found
	Way     func(f found) []string
}

// node is how a state was first reached.
type node struct {
	parent uint32
	label  label
}

const shards = 64

// seen is the set of states by their hash. Two states with one hash (64 bits)
// would be taken for one: about n*n/2^65 for n states.
type seen struct {
	seed  maphash.Seed
	shard [shards]struct {
		sync.Mutex
		set map[uint64]struct{}
	}
}

func newSeen() *seen {
	s := &seen{seed: maphash.MakeSeed()}
	for i := range s.shard {
		s.shard[i].set = map[uint64]struct{}{}
	}
	return s
}

// add reports whether the state is new.
func (s *seen) add(st *state) bool {
	h := maphash.Comparable(s.seed, *st)
	sh := &s.shard[h%shards]
	sh.Lock()
	defer sh.Unlock()
	if _, old := sh.set[h]; old {
		return false
	}
	sh.set[h] = struct{}{}
	return true
}

// found is a state, how it was first reached, and what chooses it as a sample.
type found struct {
	st     state
	from   uint32
	by     label
	digest uint64
}

// Explore visits every state that the configuration can reach, breadth first,
// and ends at the first that breaks an invariant, or at limit states.
func Explore(cfg Config, rule decideFunc, limit int) Result {
	began := time.Now()
	w := newWorld(cfg, rule)
	res := Result{Config: cfg, Whole: true}
	every := uint64(97)
	if cfg.Sample > 0 {
		every = uint64(cfg.Sample)
	}
	visited := newSeen()
	first := w.start()
	visited.add(&first)
	nodes := []node{{}}
	level := []found{{st: first}}
	ids := []uint32{0}
	res.Way = func(f found) []string { return w.story(first, append(w.way(nodes, f.from), f.by)) }
	for len(level) > 0 {
		if len(nodes) >= limit {
			res.Whole = false
			break
		}
		next, moves := expand(w, visited, level, ids)
		res.Transitions += moves
		if len(next) > 0 {
			res.Depth++
		}
		ids = make([]uint32, len(next))
		worst := -1
		for k, f := range next {
			ids[k] = uint32(len(nodes))
			nodes = append(nodes, node{parent: f.from, label: f.by})
			if f.st.broken != fine && (worst < 0 || f.st.broken < next[worst].st.broken) {
				worst = k
			}
			if f.digest%every == 0 {
				res.Sampled = append(res.Sampled, f)
			}
		}
		if worst >= 0 {
			res.Broken = next[worst].st.broken
			res.Story = w.story(first, w.way(nodes, ids[worst]))
			break
		}
		level = next
	}
	slices.SortFunc(res.Sampled, func(a, b found) int { return cmp.Compare(a.digest, b.digest) })
	res.States, res.Took = len(nodes), time.Since(began)
	return res
}

// expand takes one level's successors on all processors.
func expand(w *world, visited *seen, level []found, ids []uint32) ([]found, int) {
	const chunk = 256
	var mu sync.Mutex
	var out []found
	moves, at := 0, 0
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			var mine []found
			count := 0
			for {
				mu.Lock()
				from := at
				at += chunk
				mu.Unlock()
				if from >= len(level) {
					break
				}
				for k := from; k < min(from+chunk, len(level)); k++ {
					w.next(&level[k].st, func(l label, st state) {
						count++
						if visited.add(&st) {
							mine = append(mine, found{st: st, from: ids[k], by: l, digest: st.digest(w.n)})
						}
					})
				}
			}
			mu.Lock()
			defer mu.Unlock()
			out = append(out, mine...)
			moves += count
		})
	}
	wg.Wait()
	return out, moves
}

// way is how a node was first reached.
func (w *world) way(nodes []node, id uint32) []label {
	var way []label
	for ; id != 0; id = nodes[id].parent {
		way = append(way, nodes[id].label)
	}
	slices.Reverse(way)
	return way
}

// story retells the way to a state.
func (w *world) story(first state, way []label) []string {
	st := first
	var out []string
	for _, step := range way {
		before := st
		ok := false
		w.next(&before, func(l label, next state) {
			if l == step && !ok {
				st, ok = next, true
			}
		})
		out = append(out, w.tell(&before, step))
	}
	return append(out, "=> "+st.broken.String())
}
