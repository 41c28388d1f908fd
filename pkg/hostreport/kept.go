package hostreport

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
)

// SameMachine reports whether two reports are of one machine.
func SameMachine(a, b Report) bool {
	return a.Hostname == b.Hostname && slices.Equal(a.Addresses, b.Addresses)
}

// Newest are the latest reports of each machine, the latest first, MaxReports at most.
func Newest(reports []Report) []Report {
	sorted := slices.Clone(reports)
	slices.SortStableFunc(sorted, func(a, b Report) int { return cmp.Compare(b.Time, a.Time) })
	var out []Report
	for _, r := range sorted {
		if len(out) < MaxReports && !slices.ContainsFunc(out, func(o Report) bool { return SameMachine(o, r) }) {
			out = append(out, r)
		}
	}
	return out
}

// Lines writes reports as Parse reads them.
func Lines(reports []Report) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	for _, r := range reports {
		if err := enc.Encode(r); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}
