package ensemble

// Quorum answers which sets of servers can commit. It follows
// QuorumMaj.containsQuorum where no groups are used and
// QuorumHierarchical.containsQuorum where they are (a majority of the groups
// whose weight is not zero, each with more than half of its weight).
type Quorum struct {
	weight map[ID]int
	group  map[ID]int
	groups map[int]int // weight of each group that counts
}

// NewQuorum builds the quorum rule of an ensemble; observers never count.
func NewQuorum(servers []Server) Quorum {
	q := Quorum{weight: map[ID]int{}, group: map[ID]int{}, groups: map[int]int{}}
	for _, s := range servers {
		if !s.Voter() {
			continue
		}
		q.weight[s.ID] = s.Weight
		q.group[s.ID] = s.Group
		q.groups[s.Group] += s.Weight
	}
	return q
}

// Has reports whether the given servers together can commit a write.
func (q Quorum) Has(ids []ID) bool {
	have := map[int]int{}
	seen := map[ID]bool{}
	for _, id := range ids {
		w, voter := q.weight[id]
		if !voter || seen[id] {
			continue
		}
		seen[id] = true
		have[q.group[id]] += w
	}
	full := 0
	for g, total := range q.groups {
		if have[g]*2 > total {
			full++
		}
	}
	return len(q.groups) > 0 && full*2 > len(q.groups)
}

// Without returns ids less one.
func Without(ids []ID, drop ID) []ID {
	out := make([]ID, 0, len(ids))
	for _, id := range ids {
		if id != drop {
			out = append(out, id)
		}
	}
	return out
}
