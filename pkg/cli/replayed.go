package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/replay"
)

// fromFlag takes a look from a file.
func fromFlag(cmd *cobra.Command, from *string) {
	cmd.Flags().StringVar(from, "from", "", "Take the look from a file that status -o observation has printed (- for stdin), not from a cluster")
}

// replayed reads a saved look.
func (d *deps) replayed(ctx context.Context, from string, args []string) (migration.Observation, error) {
	if len(args) > 0 {
		return migration.Observation{}, usagef("--from holds one ensemble: leave NAME out")
	}
	data, err := readInput(ctx, from, d.streams.In)
	if err != nil {
		return migration.Observation{}, &usageError{err}
	}
	o, err := replay.Read(data)
	if err != nil {
		return o, usagef("--from=%s: %v\nnext: create it again: %s > FILE", from, err, d.in("").Ours("status NAME -o observation"))
	}
	o.Via = d.via()
	fmt.Fprintf(d.streams.ErrOut, "note: this is the look of %s, kept in %s; the ensemble may have changed since\n", o.At.UTC().Format(time.RFC3339), from)
	return o, nil
}
