package ensemble

import (
	"fmt"
	"strconv"
	"strings"
)

// Version is a ZooKeeper release.
type Version struct {
	Major, Minor, Patch int
	// Raw is the text it was read from.
	Raw string
}

// ParseVersion reads the first three numbers of a version text such as
// "3.4.13-6--1, built on 05/10/2019" or "3.8.0-${mvngit.commit.id}"; what
// distributions append is kept in Raw only.
func ParseVersion(s string) (Version, error) {
	text := strings.TrimSpace(s)
	end := 0
	for end < len(text) && (text[end] == '.' || text[end] >= '0' && text[end] <= '9') {
		end++
	}
	parts := strings.Split(strings.Trim(text[:end], "."), ".")
	if len(parts) < 3 {
		return Version{}, fmt.Errorf("ZooKeeper version %q: expected three numbers as in 3.4.13", s)
	}
	var n [3]int
	for i := range n {
		v, err := strconv.Atoi(parts[i])
		if err != nil {
			return Version{}, fmt.Errorf("ZooKeeper version %q: expected three numbers as in 3.4.13", s)
		}
		n[i] = v
	}
	return Version{Major: n[0], Minor: n[1], Patch: n[2], Raw: text}, nil
}

// IsZero reports whether no version is known.
func (v Version) IsZero() bool { return v.Major == 0 && v.Minor == 0 && v.Patch == 0 }

// String prints the three numbers, or "unknown".
func (v Version) String() string {
	if v.IsZero() {
		return "unknown"
	}
	return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch)
}

// Compare orders versions: negative when v is older than o.
func (v Version) Compare(o Version) int {
	for _, d := range []int{v.Major - o.Major, v.Minor - o.Minor, v.Patch - o.Patch} {
		if d != 0 {
			return d
		}
	}
	return 0
}

// AtLeast reports whether v is that release or a later one.
func (v Version) AtLeast(major, minor, patch int) bool {
	return v.Compare(Version{Major: major, Minor: minor, Patch: patch}) >= 0
}

// HasAutocreateGuard reports whether db.autocreate exists (ZOOKEEPER-261,
// first in 3.6.0): with it an empty server takes no part in an election until
// it has followed an established leader.
func (v Version) HasAutocreateGuard() bool { return v.AtLeast(3, 6, 0) }
