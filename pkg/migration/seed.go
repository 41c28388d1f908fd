package migration

import "strconv"

// seed has the stopped host's data copied into the parked pod's volume. Such a
// pod has forgotten nothing: its start is an ordinary restart, so the others
// need not prove that they hold everything, and it may vote at once.
func (c *context) seed() Decision {
	f := c.flight
	switch {
	case c.stands != PodParked:
		return c.notParked(PhaseReprove, "")
	case f.Seed != "" && c.report.Volume.Seed == f.Seed:
		return Decision{}
	case f.Seed != "" && f.SeedAsked != nil && !c.due(*f.SeedAsked, AskAgain):
		return wait(CodeSeedPending, PhaseReprove, "waiting for a complete copy of the data of host %s, made after its stop", c.HostIP).
			then("send it with " + c.cmd("seed --id=%d", f.ID))
	}
	g := c.copyFlight()
	g.SeedAsked = c.stamp()
	if g.Seed == "" {
		// It is new for every stop of every server.
		g.Seed = c.in.ID.String() + "x" + strconv.FormatInt(c.now.UnixNano(), 36)
	}
	return do(StepSeed, g, "host %s is dead and fenced: its data is final", c.HostIP)
}
