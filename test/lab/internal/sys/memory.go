package sys

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// CgroupPSS sums the memory of a group's processes, each shared page counted
// once in all: the honest answer to "how much does the lab take".
func CgroupPSS(group string) (int64, error) {
	pids, err := CgroupPIDs(group)
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, pid := range pids {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			continue // It has ended meanwhile.
		}
		for line := range strings.Lines(string(data)) {
			if f := strings.Fields(line); len(f) == 3 && f[0] == "Pss:" {
				kib, err := strconv.ParseInt(f[1], 10, 64)
				if err == nil {
					sum += kib * 1024
				}
			}
		}
	}
	return sum, nil
}
