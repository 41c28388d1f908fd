package migration

// A journal can be older than the world: somebody put a backup of it back. Whatever asks
// whether it is stands here.

// settledElsewhere: the server is not where the journal says, but wholly on the
// other side, where it serves. The journal is of an earlier time; several servers may
// have moved since, and each goes back for itself.
func (m *member) settledElsewhere() bool {
	if !m.live.Serving() {
		// Whatever comes first may need it. A pod that its address does not lead to any more
		// is on its way out.
		return false
	}
	if m.Replaced == nil {
		return m.gate.Released && m.selected && m.address == AddressPod
	}
	return !m.gate.Released && m.atHost()
}

// elsewhere: the server is on the other side than the journal says, or on its
// way there. No operation on another one leaves it so.
func (m *member) elsewhere() bool {
	if m.Replaced == nil {
		return m.mayRun() || !m.atHost()
	}
	return m.atHost()
}

// hostIsNewest reports whether the world bears out what the journal says of a
// server that is on its host with nothing under way: that no pod has anything
// newer. A journal that was put back from before an operation says so, too, and a
// pod that shows no data may have lost its volume.
func (c *context) hostIsNewest() bool {
	if c.host == HostUp {
		// What it has acknowledged since counts, and its pod does not start beside it.
		return true
	}
	return c.stands == PodNone && c.pod.Source.Missing
}

// outOfTime reports whether the operation under way is one of an earlier time: the gate
// is another one than it counts on, so that the pod may have run meanwhile, or the
// server has left the place that it is about.
func (c *context) outOfTime() bool {
	f, gate := c.flight, c.gate
	changed := f.Gate != 0 && f.Gate != gate.Generation
	switch f.Kind {
	case Reconfigure:
		// It may have begun before there was a gate.
		return c.elsewhere() || gate.Found && gate.Generation != f.Gate
	case Revert:
		reopened := gate.Released || changed && c.host != HostUp
		if f.Served {
			return f.DeadSince != nil && reopened
		}
		return reopened || c.started()
	default:
		return changed
	}
}

// notOfThisRelease: the volume was in its place before the gate was opened, and
// its data is none of what that would have made: nothing was started from then on.
func (c *context) notOfThisRelease() bool {
	line, volume := c.flight.Line, c.report.Volume
	return line != nil && volume.Since != nil && *volume.Since < line.Generation && volume.Generation != line.Generation
}

// forget drops an operation that cannot be under way any more. What the journal
// says besides is then held against the world as ever.
func (c *context) forget(why string, a ...any) Decision {
	return do(StepForget, nil, why+": a journal of an earlier time was put back", a...)
}

func (c *context) forgetRestart() Decision {
	return c.forget("server %d has left its host since its restart began", c.flight.ID)
}
