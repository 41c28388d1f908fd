package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/manifest"
)

// newExplainCommand says what the fields of a manifest mean.
func newExplainCommand(d *deps) *cobra.Command {
	var recursive bool
	cmd := &cobra.Command{
		Use:                   "explain [ensemble[.FIELD]... | fleet[.FIELD]...] [--recursive]",
		DisableFlagsInUseLine: true,
		Short:                 "Say what the fields of an Ensemble or Fleet manifest mean",
		Long: long(`
			Describes the fields of the manifests that -f takes (docs/ensemble.md, and of the
			fleet commands docs/fleet.md), with types, defaults and the flags that say the same.
			Asks no cluster.`),
		Example: examples(`
			# What can stand in it?
			%[1]s explain ensemble --recursive

			# What does a field mean?
			%[1]s explain ensemble.spec.pods.memory

			# By which rules does a fleet go?
			%[1]s explain fleet.spec.strategy`),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("%s takes one field at most\nSee '%s --help' for usage", cmd.CommandPath(), cmd.CommandPath())
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			path := ""
			if len(args) == 1 {
				path = args[0]
			}
			root, f, err := manifest.Find(path)
			if err != nil {
				return &usageError{err}
			}
			_, err = fmt.Fprint(d.streams.Out, manifest.Explain(root, f, recursive))
			return err
		},
	}
	cmd.Flags().BoolVar(&recursive, "recursive", false, "All fields below it, by name and type")
	return cmd
}
