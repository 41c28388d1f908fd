package migration

import (
	"fmt"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// WaiverVersion is the check id that lets an operator with a patched build of
// a refused version go on; every data-safety proof stays.
const WaiverVersion = "ZK002"

// WaiverOneVersion is the check id that lets servers of several releases be
// migrated.
const WaiverOneVersion = "ZK004"

// VersionRefusal says why a version is not migrated, and the way round. Both
// are empty for a supported version.
func VersionRefusal(v ensemble.Version) (reason, wayRound string) {
	before := func(a, b, c int) bool { return !v.AtLeast(a, b, c) }
	stops := fmt.Sprintf("ZooKeeper %s stops committing when server addresses change by a rolling restart (ZOOKEEPER-3829)", v)
	switch {
	case v.IsZero():
		return "the version is not known", "let srvr answer on every server"
	case before(3, 4, 0):
		return fmt.Sprintf("ZooKeeper %s is older than 3.4", v), "upgrade to 3.4.14 on the hosts first"
	case before(3, 4, 6):
		return fmt.Sprintf("ZooKeeper %s has no quorumListenOnAllIPs and cannot rejoin reliably (ZOOKEEPER-1096, ZOOKEEPER-1732)", v),
			"upgrade to 3.4.14 on the hosts first, with unchanged addresses"
	case v.AtLeast(3, 5, 0) && before(3, 5, 9):
		return stops, "upgrade to 3.5.9 or later on the hosts first, with unchanged addresses"
	case v.AtLeast(3, 6, 0) && before(3, 6, 2):
		return stops, "upgrade to 3.6.2 or later on the hosts first, with unchanged addresses"
	case v.Compare(ensemble.Version{Major: 3, Minor: 9, Patch: 3}) == 0:
		return "ZooKeeper 3.9.3 can lose writes when a server that was behind leads (ZOOKEEPER-4925)",
			"upgrade to 3.9.4 or later on the hosts first"
	case v.AtLeast(3, 10, 0):
		return fmt.Sprintf("ZooKeeper %s is newer than any version this release knows", v), "use a newer release of this tool"
	}
	return "", ""
}

// VersionWarning is a reason for care with a supported version, or empty.
func VersionWarning(v ensemble.Version) string {
	before := func(a, b, c int) bool { return !v.AtLeast(a, b, c) }
	switch {
	case before(3, 4, 10):
		return "many fixes to joining and syncing came by 3.4.10; upgrade if you can, and prefer copied data"
	case before(3, 6, 0):
		return fmt.Sprintf("3.%d has no db.autocreate guard: an empty member votes; the proofs of this tool stand in for it, copied data is safer at 3 servers", v.Minor)
	case before(3, 6, 3):
		return "an interrupted first sync may leave a server diverged (ZOOKEEPER-3642): the pod starts empty again after one"
	case before(3, 8, 5), v.AtLeast(3, 9, 0) && before(3, 9, 2):
		return "a follower may acknowledge a new leader before its log is on disk (ZOOKEEPER-4643, ZOOKEEPER-4646, ZOOKEEPER-4785); fixed in 3.8.5 and 3.9.2"
	}
	return ""
}
