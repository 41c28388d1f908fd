package migration

import (
	"fmt"
	"net/netip"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// Validate refuses a record that no command of ours has written: somebody
// edited it by hand. The rules count on what is checked here; without voters,
// for one, a proof on all others is a proof on nobody.
func (r Record) Validate() error {
	if len(r.Servers) == 0 {
		return fmt.Errorf("it names no servers")
	}
	seen := map[ensemble.ID]bool{}
	for _, s := range r.Servers {
		if s.ID < ensemble.MinID || s.ID > ensemble.MaxID {
			return fmt.Errorf("server id %d: ids are %d to %d", s.ID, ensemble.MinID, ensemble.MaxID)
		}
		if seen[s.ID] {
			return fmt.Errorf("server %d stands there twice", s.ID)
		}
		seen[s.ID] = true
		if err := s.validate(); err != nil {
			return fmt.Errorf("server %d: %w", s.ID, err)
		}
	}
	if len(r.Ensemble().Voters()) == 0 {
		return fmt.Errorf("no server has a vote (role participant, weight above 0)")
	}
	if r.Settings.TickTimeMillis < 0 || r.Settings.InitLimit < 0 || r.Settings.SyncLimit < 0 {
		return fmt.Errorf("tickTimeMillis, initLimit or syncLimit is negative")
	}
	if f := r.Flight; f != nil {
		return f.validate(seen)
	}
	return nil
}

func (s ServerRecord) validate() error {
	if s.Role != ensemble.Participant && s.Role != ensemble.Observer {
		return fmt.Errorf("role %q is neither %s nor %s", s.Role, ensemble.Participant, ensemble.Observer)
	}
	if s.Weight < 0 {
		return fmt.Errorf("weight %d is negative", s.Weight)
	}
	if _, err := netip.ParseAddr(s.HostIP); err != nil {
		return fmt.Errorf("hostIP %q is no address", s.HostIP)
	}
	for _, port := range []int{s.ClientPort, s.PeerPort, s.ElectionPort} {
		if port < 1 || port > 65535 {
			return fmt.Errorf("port %d is out of range", port)
		}
	}
	return nil
}

func (f *Flight) validate(servers map[ensemble.ID]bool) error {
	switch f.Kind {
	case Replace, Revert, Reconfigure:
	default:
		return fmt.Errorf("the operation under way is %q, which this release does not know", f.Kind)
	}
	if !servers[f.ID] {
		return fmt.Errorf("the operation under way is about server %d, which is not there", f.ID)
	}
	if d := f.data(); d != DataEmpty && d != DataCopy {
		return fmt.Errorf("the operation under way has data %q, which this release does not know", d)
	}
	return nil
}
