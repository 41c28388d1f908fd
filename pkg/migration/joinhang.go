package migration

import (
	"fmt"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// joinSlack is what a server is given to start and to find the leader before a
// join that lasts is explained.
const joinSlack = 5 * time.Second

// joinLasts names what keeps a server from joining, by what was seen, nearest
// cause first. initLimit is spoken of only where the others have a quorum, the
// lists are right, and the server was seen not to serve.
func (c *context) joinLasts(d Decision) Decision {
	f, pod, live := c.flight, c.pod, c.live
	s := c.rec.Settings
	limit := time.Duration(s.InitLimit*s.TickTimeMillis) * time.Millisecond
	if f.Released == nil || limit <= 0 || c.age(*f.Released) <= limit+joinSlack {
		return d
	}
	since := c.age(*f.Released).Seconds()
	if diff := c.listsDiffer(); len(diff) > 0 {
		return d.with("the others do not have it in their lists as recorded, so it cannot take part").with(diff...).then(c.listsBack())
	}
	if c.leader == nil {
		d = d.with("no leader is seen among the other servers, and without one nobody can join; its own data and initLimit are not the cause")
		for _, id := range ensemble.Without(c.participants(), f.ID) {
			if s := c.of(id); !s.serves() {
				d = d.with(fmt.Sprintf("server %d: %s", id, s.live.Said()))
			}
		}
		return d
	}
	if live.Sight() != vantage.SeenNotServing {
		d = d.with(fmt.Sprintf("it was not seen from here, which does not say that it has not joined: the way from here to its address %s may be cut", c.ClusterIP))
		if pod.Ready() {
			d = d.with("its own readiness probe in pod " + pod.Name + " succeeds")
		}
		return d
	}
	if pod.OutOfMemory {
		return d.with("its container was killed for using more memory than its limit").then(c.moreMemory())
	}
	if pod.Restarts > 0 {
		d = d.with(fmt.Sprintf("its container has restarted %d times: the end of the earlier log says why: %s", pod.Restarts, c.kubectl("logs %s --previous", pod.Name)))
	}
	d = d.with(pod.Log.said()...)
	if len(pod.Log.Says) > 0 && pod.Log.Snapshots < 2 {
		return d
	}
	d = d.with(
		fmt.Sprintf("it was released %.0f s ago, and initLimit gives a new server %s (%d ticks of %d ms) to get the snapshot, load it and write it",
			since, limit, s.InitLimit, s.TickTimeMillis))
	shown := "if its log repeats \"Getting a snapshot from leader\", that is too short: "
	if pod.Log.Snapshots > 1 {
		shown = fmt.Sprintf("its log shows \"Getting a snapshot from leader\" %d times, so that is too short: ", pod.Log.Snapshots)
	}
	d = d.with(shown+c.cmd("revert --id=%d", c.in.ID)+", then "+c.cmd("replace --id=%d", c.in.ID)+" --data=copy",
		"or, after the revert, raise initLimit on every host: "+c.cmd("reconfigure -f FILE")+" and its rolling restart, then "+c.cmd("replace --id=%d", c.in.ID))
	if pod.Log.Snapshots > 1 {
		return d
	}
	return d.with("if its log never shows that, look there for a refused certificate (SSLHandshakeException), a missing keystore or file (FileNotFoundException) or a full volume (No space left on device)")
}

// logSays is what ZooKeeper's own log says of a join, as what it is.
func (l ServerLog) said() []string {
	var out []string
	for _, line := range l.Says {
		out = append(out, "its log (which anyone who can reach the server can write to) says: "+line)
	}
	return out
}
