package hostpatch

// How fast a new server gets a snapshot and how much slack it is given, see
// InitLimitNeeded.
const (
	snapshotBytesPerSecond = 50 << 20
	snapshotPasses         = 2 // received, then written again before the first acknowledgement
	snapshotSlack          = 3
)

// InitLimitNeeded estimates the initLimit, in ticks, that an empty server
// needs to load a snapshot of that many bytes: the leader gives up on a server
// that has not acknowledged after initLimit ticks of tickTime milliseconds,
// and the server then starts over, for ever. The estimate is cautious: 50 MB/s,
// twice, times three. 0 means that nothing is known of the size.
func InitLimitNeeded(snapshotBytes int64, tickTime int) int {
	if snapshotBytes <= 0 || tickTime <= 0 {
		return 0
	}
	millis := snapshotBytes * snapshotPasses * snapshotSlack * 1000 / snapshotBytesPerSecond
	return int((millis + int64(tickTime) - 1) / int64(tickTime))
}
