package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/fleet"
)

// changeTimeout bounds a command that writes one word into a run's state.
const changeTimeout = time.Minute

// fleetChange is a command that changes a run's state, whoever is at work on it.
type fleetChange struct {
	deps                *deps
	use, short, doc, eg string
	// said is what is printed once it is kept.
	said   string
	reason bool
	// names adds the flag that names what is changed.
	names func(*cobra.Command) *string
	keep  func(p fleet.Plan, s *fleet.State, name string, m fleet.Mark) (string, error)
}

func (c fleetChange) command() *cobra.Command {
	var reason string
	var named *string
	cmd := &cobra.Command{
		Use: c.use, DisableFlagsInUseLine: true, Short: c.short, Long: long(c.doc), Example: examples(c.eg), Args: atMostFleet,
		RunE: func(cmd *cobra.Command, args []string) error {
			return within(cmd.Context(), changeTimeout, func(ctx context.Context) error {
				name := ""
				if named != nil {
					name = *named
				}
				return c.run(ctx, args, name, reason)
			})
		},
	}
	if c.names != nil {
		named = c.names(cmd)
	}
	if c.reason {
		cmd.Flags().StringVar(&reason, "reason", "", "Why; kept with your name")
	}
	return cmd
}

func (c fleetChange) run(ctx context.Context, args []string, name, reason string) error {
	r, err := c.deps.openFleet(ctx, args)
	if err != nil {
		return err
	}
	if _, err := r.load(ctx); err != nil {
		return err
	}
	of := r.name
	err = r.store.Change(ctx, func(p fleet.Plan, s *fleet.State) error {
		what, err := c.keep(p, s, name, mark(reason))
		if err != nil {
			return &usageError{err}
		}
		if what != "" {
			of = what
		}
		return nil
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(c.deps.streams.Out, "%s %s\n", of, c.said)
	fmt.Fprintf(c.deps.streams.ErrOut, "next: %s\n", r.kube.at().Ours("fleet status %s", r.name))
	return nil
}

func ensembleFlag(cmd *cobra.Command) *string {
	return cmd.Flags().String("ensemble", "", "The ensemble: NAME, NAMESPACE/NAME or NAMESPACE/NAME@CONTEXT, as fleet status lists it")
}

// ofEnsemble changes the state of the one ensemble that is named.
func ofEnsemble(change func(*fleet.State, fleet.Plan, string, fleet.Mark) error) func(fleet.Plan, *fleet.State, string, fleet.Mark) (string, error) {
	return func(p fleet.Plan, s *fleet.State, name string, m fleet.Mark) (string, error) {
		if err := needed("ensemble", name); err != nil {
			return "", err
		}
		id, err := targetNamed(p, name)
		if err != nil {
			return "", err
		}
		return id, change(s, p, id, m)
	}
}

func needed(flag, value string) error {
	if value == "" {
		return usagef("name it with --%s", flag)
	}
	return nil
}

func newFleetPauseCommand(d *deps) *cobra.Command {
	return fleetChange{
		deps: d, use: "pause [FLEET] [--reason=TEXT]", short: "Have no other ensemble begin",
		doc: `
			What is under way goes on to its end. To stop that as well, before its next server, set
			the annotation zkmigrate.io/halt on the ConfigMap FLEET-zkfleet.`,
		eg: `
			# Nothing else begins
			%[1]s fleet pause wave-1 --reason='search is slow'`,
		said: "paused", reason: true,
		keep: func(_ fleet.Plan, s *fleet.State, _ string, m fleet.Mark) (string, error) {
			s.Pause(m)
			return "", nil
		},
	}.command()
}

func newFleetResumeCommand(d *deps) *cobra.Command {
	return fleetChange{
		deps: d, use: "resume [FLEET]", short: "Take a pause back",
		doc: `
			Lets ensembles begin again. Where no command is at work on the run, fleet run goes on
			with it.`,
		eg: `
			%[1]s fleet resume wave-1`,
		said: "resumed",
		keep: func(_ fleet.Plan, s *fleet.State, _ string, m fleet.Mark) (string, error) {
			s.Resume(m)
			return "", nil
		},
	}.command()
}

func newFleetApproveCommand(d *deps) *cobra.Command {
	return fleetChange{
		deps: d, use: "approve [FLEET] --approval=NAME [--reason=TEXT]", short: "Give an approval that a stage waits for",
		doc: `
			Keeps the approval with your name and the time. An approval cannot be taken back: pause
			the run instead.`,
		eg: `
			# After a look at the canaries
			%[1]s fleet approve wave-1 --approval=canary-ok --reason='CHG-1234'`,
		said: "approved", reason: true,
		names: func(cmd *cobra.Command) *string {
			return cmd.Flags().String("approval", "", "The approval's name, as the Fleet manifest has it")
		},
		keep: func(p fleet.Plan, s *fleet.State, name string, m fleet.Mark) (string, error) {
			if err := needed("approval", name); err != nil {
				return "", err
			}
			return name, s.Approve(p, name, m)
		},
	}.command()
}

func newFleetSkipCommand(d *deps) *cobra.Command {
	return fleetChange{
		deps: d, use: "skip [FLEET] --ensemble=NAME [--reason=TEXT]", short: "Leave an ensemble out",
		doc: `
			Leaves out an ensemble that has not begun, or that is red: it stays as it is, and its
			stage goes on without it. fleet retry takes it in again.`,
		eg: `
			%[1]s fleet skip wave-1 --ensemble=search/zk1 --reason='moved by hand'`,
		said: "skipped", reason: true, names: ensembleFlag,
		keep: ofEnsemble((*fleet.State).Skip),
	}.command()
}

func newFleetRetryCommand(d *deps) *cobra.Command {
	return fleetChange{
		deps: d, use: "retry [FLEET] --ensemble=NAME", short: "Have a red or skipped ensemble begin again",
		doc: `
			It goes on where it stands, at its turn and within the same limits.`,
		eg: `
			# After fixing the cause that fleet status shows
			%[1]s fleet retry wave-1 --ensemble=search/zk1`,
		said: "begins again at its turn", names: ensembleFlag,
		keep: ofEnsemble((*fleet.State).Retry),
	}.command()
}
