package vantage

// ACLScan is what a walk through the znodes told of their ACLs. What it did not read is
// unknown: no rule takes it for harmless.
type ACLScan struct {
	// From is the address of the server that was asked.
	From string `json:"from"`
	// Read is how many znodes told their ACL.
	Read int `json:"read"`
	// Hidden is how many did not: the one who asks may not read them. Nothing is known of
	// what is below. HiddenPaths are some of them.
	Hidden      int      `json:"hidden"`
	HiddenPaths []string `json:"hiddenPaths,omitempty"`
	// Closed is how many told their ACL and not their children (before 3.4.14 and 3.5.5,
	// ZOOKEEPER-1392); ClosedPaths are some of them.
	Closed      int      `json:"closed"`
	ClosedPaths []string `json:"closedPaths,omitempty"`
	// Skipped is how many were seen to exist and not asked, for a bound; those below them are
	// not counted.
	Skipped int `json:"skipped"`
	// Stopped is where or why something was left out, as "at the bound of 100 znodes"; empty where
	// nothing was.
	Stopped string `json:"stopped,omitempty"`
	// Entries are those of all ACLs by scheme and id, the most frequent first, where they grant more than
	// world:anyone has. Dropped is how many more were met and not kept.
	Entries []ACLEntry `json:"entries"`
	Dropped int        `json:"dropped,omitempty"`
}

// Complete reports whether every znode told its ACL.
func (s ACLScan) Complete() bool { return s.Hidden+s.Closed+s.Skipped == 0 && s.Stopped == "" }

// ACLEntry is who may do something, and where.
type ACLEntry struct {
	Scheme string `json:"scheme"`
	ID     string `json:"id"`
	// Permissions are those of all these znodes, some of "cdrwa".
	Permissions string `json:"permissions"`
	Znodes      int    `json:"znodes"`
	// Paths are some of the znodes.
	Paths []string `json:"paths"`
}
