// Package cli is zklab's command line.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/lab"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/plan"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/progress"
)

// Exit codes.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// env is what every command has.
type env struct {
	in       io.Reader
	out, err io.Writer
	log      *progress.Log
	name     string
}

// usageError is a mistake on the command line.
type usageError struct{ error }

// Main runs one command and returns its exit code.
func Main(args []string, in io.Reader, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	e := &env{in: in, out: out, err: errOut, log: progress.New(errOut)}
	root := newRoot(e)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil:
		fmt.Fprintln(errOut, "zklab: interrupted:", err)
		return exitInterrupted
	case errors.As(err, &usage):
		fmt.Fprintln(errOut, "zklab:", err)
		return exitUsage
	default:
		fmt.Fprintln(errOut, "zklab:", err)
		return exitError
	}
}

func newRoot(e *env) *cobra.Command {
	root := group("zklab", "A real Kubernetes and real ZooKeeper ensembles on one machine",
		`zklab runs labs for the tests and the demo of kubectl-zkmigrate: etcd, a Kubernetes
control plane, nodes with containerd, and ZooKeeper ensembles on plain hosts, all on
one Linux machine, each in a network namespace of its own. It needs root.`)
	root.SilenceUsage, root.SilenceErrors = true, true
	root.SetIn(e.in)
	root.SetOut(e.out)
	root.SetErr(e.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see '%s --help'", err, cmd.CommandPath())}
	})
	name := os.Getenv("ZKLAB_NAME")
	if name == "" {
		name = "lab"
	}
	root.PersistentFlags().StringVar(&e.name, "name", name, "the lab's name; ZKLAB_NAME sets it too")
	root.AddCommand(
		newUp(e), newDown(e), newBuild(e), newStatus(e), newKubeconfig(e), newUser(e),
		newEnsemble(e), newCredentials(e), newHost(e), newPod(e), newExec(e), newHook(e), newDaemon(e), newNode(e), newNet(e),
		newEnter(), newForward(), newSwallow(), newSupervise(),
	)
	return root
}

// labName checks the lab's name.
func (e *env) labName() (plan.Name, error) {
	name, err := plan.ParseName(e.name)
	if err != nil {
		return "", usageError{err}
	}
	return name, nil
}

// open returns the lab the command is about.
func (e *env) open() (*lab.Lab, error) {
	name, err := e.labName()
	if err != nil {
		return nil, err
	}
	return lab.Open(name, e.log)
}

// exactArgs is cobra's, as a usage error.
func exactArgs(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := cobra.ExactArgs(n)(cmd, args); err != nil {
			return usageError{fmt.Errorf("%w; usage: %s", err, cmd.UseLine())}
		}
		return nil
	}
}

// group is a command that only holds others.
func group(use, short, long string) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Long: long, Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return usageError{fmt.Errorf("no command %q in %q; see '%s --help'", args[0], cmd.CommandPath(), cmd.CommandPath())}
		},
	}
}
