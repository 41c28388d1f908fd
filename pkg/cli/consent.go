package cli

import (
	"context"
	"fmt"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// question is what is asked before something of ours stops the server; empty where nothing does: on
// a host without a hook the operator does.
func (o *MoveOptions) question(sr migration.ServerRecord) string {
	switch {
	case o.kind == migration.Apply:
		return fmt.Sprintf("Restart server %d in its pod?", sr.ID)
	case o.kind == migration.Revert && sr.Replaced != nil:
		return fmt.Sprintf("Stop server %d in its pod and move it back to host %s?", sr.ID, sr.HostIP)
	case o.kind == migration.Replace && sr.Replaced == nil && o.hook != "":
		return fmt.Sprintf("Stop server %d on host %s and move it?", sr.ID, sr.HostIP)
	}
	return ""
}

// ask asks the operator before a server is taken away.
func (o *MoveOptions) ask(ctx context.Context, rec migration.Record, id ensemble.ID, question string) error {
	voters := rec.Ensemble().Voters()
	return o.deps.confirm(ctx, fmt.Sprintf("%s %d of %d voters stay up. [y/N] ", question, len(ensemble.Without(voters, id)), len(voters)))
}
