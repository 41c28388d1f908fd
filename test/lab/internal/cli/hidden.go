package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/host"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/sys"
)

// The commands here are how the lab starts its own daemons.

// firstExtraFile is the number of the first file that a daemon is given.
const firstExtraFile = 3

func newEnter() *cobra.Command {
	return &cobra.Command{
		Use: "enter PLACE -- COMMAND", Hidden: true, Args: cobra.MinimumNArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			var place sys.Place
			if err := json.Unmarshal([]byte(args[0]), &place); err != nil {
				return fmt.Errorf("enter: %w", err)
			}
			return place.Exec(args[1:], os.Environ())
		},
	}
}

func newForward() *cobra.Command {
	return &cobra.Command{
		Use: "forward ADDRESS", Hidden: true, Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return sys.Forward(cmd.Context(), os.NewFile(firstExtraFile, "listener"), args[0])
		},
	}
}

func newSwallow() *cobra.Command {
	return &cobra.Command{
		Use: "swallow", Hidden: true, Args: exactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return sys.Swallow(cmd.Context(), os.NewFile(firstExtraFile, "listener"))
		},
	}
}

func newSupervise() *cobra.Command {
	return &cobra.Command{
		Use: "supervise DIR", Hidden: true, Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			machine, err := host.LoadMachine(args[0])
			if err != nil {
				return err
			}
			root, err := machine.MountRoot()
			if err != nil {
				return err
			}
			s := host.Supervisor{Dir: machine.Dir, Log: os.Stdout, Command: func() *exec.Cmd { return machine.Command(root) }}
			return s.Run(cmd.Context())
		},
	}
}
