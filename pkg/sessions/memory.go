package sessions

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/strict"
)

const (
	// maxRemembered bounds the memory; a ConfigMap holds 1 MiB.
	maxRemembered = 4000
	// forgottenAfter is how long a session is remembered that nobody has: a client that
	// comes once a day is still known the next day.
	forgottenAfter = 48 * time.Hour
	// renewedAfter is after how long the time of the last look is worth a write.
	renewedAfter = 10 * time.Minute
)

// Memory is what is remembered of sessions. The zero Memory remembers nothing.
type Memory struct {
	seen map[ID]remembered
	// dropped counts those that had no room.
	dropped int
}

// remembered is one session. Times are whole seconds, by the clock of whoever looked.
type remembered struct {
	ID      ID        `json:"id"`
	Address string    `json:"address"`
	Since   time.Time `json:"since"`
	Last    time.Time `json:"last"`
	// Moved is when it was first seen at a pod; zero as long as it was not.
	Moved time.Time `json:"moved,omitzero"`
}

// file is the memory as it is kept.
type file struct {
	Dropped  int          `json:"dropped,omitempty"`
	Sessions []remembered `json:"sessions"`
}

// Note adds a look to the memory. It reports whether somebody was seen at a pod for the first
// time, which is not to be lost, and whether anything else is worth a write: somebody is new, or
// the last look is long ago.
func (m *Memory) Note(lists []List, at time.Time) (moved, news bool) {
	at = at.UTC().Truncate(time.Second)
	if m.seen == nil {
		m.seen = map[ID]remembered{}
	}
	for _, list := range lists {
		if list.Place == OnItsWay {
			continue
		}
		for _, s := range list.Sessions {
			r, known := m.seen[s.ID]
			if !known {
				r = remembered{ID: s.ID, Since: at}
			}
			news = news || !known || at.Sub(r.Last) > renewedAfter
			r.Address, r.Last = s.Address, at
			if list.Place == InPod && r.Moved.IsZero() {
				r.Moved, moved = at, true
			}
			m.seen[s.ID] = r
		}
	}
	m.bound(at)
	return moved, news
}

// bound forgets what is old, and what has no room: first who was not seen for the longest
// time, and of those who has not moved. Who has moved and is forgotten is named again, which
// does no harm.
func (m *Memory) bound(at time.Time) {
	maps.DeleteFunc(m.seen, func(_ ID, r remembered) bool { return at.Sub(r.Last) > forgottenAfter })
	over := len(m.seen) - maxRemembered
	if over <= 0 {
		return
	}
	for _, r := range m.sorted()[:over] {
		delete(m.seen, r.ID)
	}
	m.dropped += over
}

// sorted are all, those that were not seen for the longest time first.
func (m *Memory) sorted() []remembered {
	return slices.SortedFunc(maps.Values(m.seen), func(a, b remembered) int {
		return cmp.Or(a.Last.Compare(b.Last), a.Moved.Compare(b.Moved), cmp.Compare(a.ID, b.ID))
	})
}

// Join adds what another command has remembered.
func (m *Memory) Join(other Memory) {
	if m.seen == nil {
		m.seen = map[ID]remembered{}
	}
	newest := time.Time{}
	for id, o := range other.seen {
		r, known := m.seen[id]
		if !known {
			r = o
		}
		r.Since = earlier(r.Since, o.Since)
		r.Moved = earlier(r.Moved, o.Moved)
		if o.Last.After(r.Last) {
			r.Last, r.Address = o.Last, o.Address
		}
		m.seen[id] = r
	}
	for _, r := range m.seen {
		if r.Last.After(newest) {
			newest = r.Last
		}
	}
	m.dropped = max(m.dropped, other.dropped)
	m.bound(newest)
}

// earlier is the earlier of two times; a zero time is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Write is the memory as Read reads it.
func (m *Memory) Write() ([]byte, error) {
	return json.Marshal(file{Dropped: m.dropped, Sessions: m.sorted()})
}

// Read reads what Write has written, or anybody else: one entry that does not fit refuses
// the whole. No data is an empty memory.
func Read(data []byte) (Memory, error) {
	m := Memory{seen: map[ID]remembered{}}
	if len(data) == 0 {
		return m, nil
	}
	var f file
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil || f.Dropped < 0 {
		return Memory{}, errors.New("it is not what this release writes")
	}
	if len(f.Sessions) > maxRemembered {
		return Memory{}, fmt.Errorf("it has %d sessions (expected %d at most)", len(f.Sessions), maxRemembered)
	}
	m.dropped = f.Dropped
	for _, r := range f.Sessions {
		if r.ID == 0 || strict.Address(r.Address) != "" || r.Since.IsZero() || r.Last.IsZero() {
			return Memory{}, fmt.Errorf("session %s has no address, or no time", r.ID)
		}
		m.seen[r.ID] = r
	}
	return m, nil
}
