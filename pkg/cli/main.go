// Package cli is the command tree: flags to options, options to the packages
// that do the work, results to text and exit codes.
package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/kubeconn"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// cliName is for help texts; what is printed to be run is rendered by pkg/command.
const cliName = command.Name

// Main runs one command and returns its exit code.
func Main(ctx context.Context, args []string, streams genericiooptions.IOStreams) int {
	out, errOut := quote.NewWriter(streams.Out), quote.NewWriter(streams.ErrOut)
	streams.Out, streams.ErrOut = out, errOut
	root, d := newRoot(streams)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	d.asking.end()
	code := reportAt(d.streams.ErrOut, err, d.via(), func() string { return kubeconn.Where(d.flags) })
	for _, w := range []*quote.Writer{out, errOut} {
		if err := w.Flush(); err != nil && code == exitOK {
			code = exitError
		}
	}
	return code
}

// NewRootCommand builds the whole tree; each call is independent.
func NewRootCommand(streams genericiooptions.IOStreams) *cobra.Command {
	root, _ := newRoot(streams)
	return root
}

func newRoot(streams genericiooptions.IOStreams) (*cobra.Command, *deps) {
	root := &cobra.Command{
		Use:         "zkmigrate",
		Short:       "Move a running ZooKeeper ensemble from hosts into Kubernetes",
		Annotations: map[string]string{cobra.CommandDisplayNameAnnotation: cliName},
		Long: templates.LongDesc(`
			Moves a running Apache ZooKeeper ensemble from plain hosts into Kubernetes:
			same ids, no membership change, no downtime, no acknowledged write lost.

			The way: check, wrap (a Service with a fixed address per server), clients (move
			to those addresses), reconfigure (the servers' own lists, one rolling restart), park
			(the pods, days before), replace (one server after the other, leader last). plan says what would happen
			next, and why it is safe. Every command can be run again; revert takes a server
			back to its host; unpark and unwrap take back pods and Services that nobody uses.

			Hosts are never touched: what must change there is printed as patches and
			commands, or handed to a program of yours (--host-hook).

			` + exitCodesHelp()),
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("unknown command %q\nSee '%s --help' for the commands", args[0], cliName)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.ErrOut)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w\nSee '%s --help' for usage", flagError(err), cmd.CommandPath())
	})
	flags := genericclioptions.NewConfigFlags(true)
	flags.AddFlags(root.PersistentFlags())
	d := &deps{streams: streams, flags: flags}
	root.AddGroup(
		&cobra.Group{ID: "look", Title: "Look:"},
		&cobra.Group{ID: "prepare", Title: "Prepare:"},
		&cobra.Group{ID: "move", Title: "Move:"},
		&cobra.Group{ID: "after", Title: "Afterwards:"},
		&cobra.Group{ID: "back", Title: "Take back what nobody uses:"},
	)
	root.AddCommand(
		group("look", d.addProbeFlags(newCheckCommand(d))),
		group("look", d.addProbeFlags(newStatusCommand(d))),
		group("look", d.addProbeFlags(newPlanCommand(d))),
		group("look", d.addProbeFlags(newClientsCommand(d))),
		group("look", newRenderCommand(d)),
		group("look", newDiffCommand(d)),
		group("prepare", newRBACCommand(d)),
		group("prepare", d.addProbeFlags(newWrapCommand(d))),
		group("prepare", d.addProbeFlags(newReconfigureCommand(d))),
		group("prepare", d.addProbeFlags(newParkCommand(d))),
		group("move", d.addProbeFlags(newReplaceCommand(d))),
		group("move", d.addProbeFlags(newSeedCommand(d))),
		group("move", d.addProbeFlags(newApplyCommand(d))),
		group("move", d.addProbeFlags(newRevertCommand(d))),
		group("move", newFleetCommand(d)),
		group("after", d.addProbeFlags(newRetireCommand(d))),
		group("after", d.addProbeFlags(newFinalizeCommand(d))),
		group("back", d.addProbeFlags(newUnparkCommand(d))),
		group("back", d.addProbeFlags(newUnwrapCommand(d))),
		newExplainCommand(d),
		newVersionCommand(d),
	)
	strictFlags(root)
	d.root, root.PersistentPreRun = root, func(cmd *cobra.Command, _ []string) { d.cmd = cmd }
	return root, d
}

func group(id string, c *cobra.Command) *cobra.Command {
	c.GroupID = id
	return c
}

// atMostName accepts the ensemble's name or nothing.
func atMostName(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usagef("%s takes at most one NAME, got %s\nSee '%s --help' for usage", cmd.CommandPath(), strings.Join(args, " "), cmd.CommandPath())
	}
	if len(args) == 1 {
		if err := render.ValidateName(args[0]); err != nil {
			return usagef("%w", err)
		}
	}
	return nil
}

// long and examples format help texts as kubectl does.
func long(s string) string { return templates.LongDesc(s) }

func examples(s string) string {
	return templates.Examples(strings.ReplaceAll(s, "%[1]s", cliName))
}

// newVersionCommand prints the build.
func newVersionCommand(d *deps) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("%s takes no arguments\nSee '%s --help' for usage", cmd.CommandPath(), cmd.CommandPath())
			}
			return nil
		},
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(d.streams.Out, version())
			return err
		},
	}
}
