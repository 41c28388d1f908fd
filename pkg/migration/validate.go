package migration

import (
	"fmt"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// Validate refuses a record that no command of ours has written: whoever may
// write ConfigMaps can have edited it. Each field has its rule; beyond that, the
// rules of the migration count on what is checked here; without voters, for
// one, a proof on all others is a proof on nobody.
func (r Record) Validate() error {
	if err := r.checkFields(); err != nil {
		return err
	}
	if len(r.Servers) == 0 {
		return fmt.Errorf("it names no servers")
	}
	seen := map[ensemble.ID]bool{}
	for _, s := range r.Servers {
		if seen[s.ID] {
			return fmt.Errorf("server %d is listed twice", s.ID)
		}
		seen[s.ID] = true
		asked, _ := s.AskedPort()
		for _, port := range []int{asked, s.PeerPort, s.ElectionPort} {
			if port == 0 {
				return fmt.Errorf("server %d: a port is missing", s.ID)
			}
		}
	}
	if len(r.Ensemble().Voters()) == 0 {
		return fmt.Errorf("no server has a vote (role participant, weight above 0)")
	}
	if f := r.Flight; f != nil && !seen[f.ID] {
		return fmt.Errorf("the operation under way is about server %d, which is not listed", f.ID)
	}
	if m := r.Removal; m != nil {
		for _, ref := range m.Claims {
			if !seen[ref.ID] {
				return fmt.Errorf("the removal under way is about the volume of server %d, which is not listed", ref.ID)
			}
		}
	}
	return nil
}
