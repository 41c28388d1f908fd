package hostpatch

import "testing"

func TestInitLimitNeeded(t *testing.T) {
	tests := map[string]struct {
		bytes int64
		tick  int
		want  int
	}{
		"unknown size":  {0, 2000, 0},
		"unknown tick":  {1 << 30, 0, 0},
		"small":         {1 << 20, 2000, 1},
		"500 MB":        {500 << 20, 2000, 30},
		"4 GB":          {4 << 30, 2000, 246},
		"a longer tick": {500 << 20, 6000, 10},
	}
	for name, tc := range tests {
		if got := InitLimitNeeded(tc.bytes, tc.tick); got != tc.want {
			t.Errorf("%s: %d ticks, want %d", name, got, tc.want)
		}
	}
}
