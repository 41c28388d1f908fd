package model

import "testing"

// fair asks that from every sampled state the operation under way, and then
// the whole migration, ends when the world stays healthy.
func fair(t *testing.T, r Result) {
	t.Helper()
	bad := 0
	for _, st := range r.Sampled {
		if err := Fair(r.Config, st); err != nil {
			t.Errorf("from a reachable state: %v", err)
			if bad++; bad == 2 {
				return
			}
		}
	}
	t.Logf("%s: the migration ends from each of %d sampled states", r.Config.Name, len(r.Sampled))
}
