package main

import (
	"strings"
	"testing"
	"time"
)

func TestReport(t *testing.T) {
	for name, c := range map[string]struct {
		took           []time.Duration
		median, lo, hi float64
	}{
		"odd":  {[]time.Duration{3 * time.Second, time.Second, 2 * time.Second}, 2, 1, 3},
		"even": {[]time.Duration{4 * time.Second, time.Second, 2 * time.Second, 3 * time.Second}, 2.5, 1, 4},
		"none": {nil, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReport("3.8.0")
			if got := r.add("a look", c.took); got != c.median {
				t.Errorf("median %v, want %v", got, c.median)
			}
			if got := r.fastest("a look"); got != c.lo {
				t.Errorf("fastest %v, want %v", got, c.lo)
			}
			if f := r.Figures[0]; f.Min != c.lo || f.Max != c.hi || len(f.Values) != len(c.took) {
				t.Errorf("got %+v", f)
			}
			var out strings.Builder
			r.print(&out)
			if !strings.Contains(out.String(), "a look") {
				t.Errorf("the table has no such line:\n%s", out.String())
			}
		})
	}
}
