package preflight

import (
	"fmt"
	"strings"
)

// largeIDs are those that ZooKeeper's documentation does not have, and every release reads
// and runs.
func largeIDs(f Facts) (wrong []string, _ string) {
	for _, s := range f.Servers {
		switch {
		case s.ID < 1:
			wrong = append(wrong, fmt.Sprintf("server %d: its id is below 1", s.ID))
		case s.ID > 255:
			wrong = append(wrong, fmt.Sprintf("server %d: its sessions look like those of a server %d", s.ID, s.ID.SessionByte()))
		}
	}
	return wrong, ""
}

// sharedBytes are servers whose sessions cannot be told apart by their servers.
func sharedBytes(f Facts) (wrong []string, _ string) {
	by := map[uint8][]string{}
	for _, s := range f.Servers {
		by[s.ID.SessionByte()] = append(by[s.ID.SessionByte()], s.ID.String())
	}
	for b, ids := range by {
		if len(ids) > 1 {
			wrong = append(wrong, fmt.Sprintf("servers %s: the low byte of their ids is %d", strings.Join(ids, ", "), b))
		}
	}
	return wrong, ""
}
