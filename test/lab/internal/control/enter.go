package control

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/state"
)

// EnterCommand prepares a command that runs inside a node.
func EnterCommand(ctx context.Context, lab *state.Lab, n state.Node, args ...string) (*exec.Cmd, error) {
	place, err := NodePlace(lab, n)
	if err != nil {
		return nil, err
	}
	encoded, err := json.Marshal(place)
	if err != nil {
		return nil, fmt.Errorf("enter %s: %w", n.Name, err)
	}
	return exec.CommandContext(ctx, lab.Self(), append([]string{"enter", string(encoded), "--"}, args...)...), nil
}
