package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newDaemon(e *env) *cobra.Command {
	cmd := group("daemon", "Pause, kill and start the lab's own processes",
		`What a hanging or a dead process looks like to others. A paused one keeps its
connections and answers nobody; what it made, such as the rules of a kube-proxy, stays.
Names are those of the files in the lab's logs folder.`)
	cmd.AddCommand(&cobra.Command{
		Use: "list", Short: "List their names", Args: exactArgs(0),
		RunE: func(_ *cobra.Command, _ []string) error {
			l, err := e.open()
			if err != nil {
				return err
			}
			names, err := l.Daemons()
			for _, n := range names {
				fmt.Fprintln(e.out, n)
			}
			return err
		},
	}, &cobra.Command{
		Use: "pause NAME", Short: "Stop a process where it stands", Args: exactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			l, err := e.open()
			if err != nil {
				return err
			}
			return l.Pause(args[0])
		},
	}, &cobra.Command{
		Use: "resume NAME", Short: "Let it go on", Args: exactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			l, err := e.open()
			if err != nil {
				return err
			}
			return l.Resume(args[0])
		},
	}, &cobra.Command{
		Use: "kill NAME", Short: "Kill a process of the control plane", Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := e.open()
			if err != nil {
				return err
			}
			return l.KillDaemon(cmd.Context(), args[0])
		},
	}, &cobra.Command{
		Use: "start NAME", Short: "Start it again and wait until the API server serves", Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := e.open()
			if err != nil {
				return err
			}
			return l.StartDaemon(cmd.Context(), args[0])
		},
	})
	return cmd
}

func newNode(e *env) *cobra.Command {
	cmd := group("node", "Cut a node's power, and boot it again",
		`A node without power: all its processes are gone at once, pods included, and so is its
network. Its disk stays: images, volumes, what its kubelet and its runtime remember.`)
	cmd.AddCommand(&cobra.Command{
		Use: "kill NODE", Short: "Cut its power", Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := e.open()
			if err != nil {
				return err
			}
			return l.KillNode(cmd.Context(), args[0])
		},
	}, &cobra.Command{
		Use: "start NODE", Short: "Boot it and wait until it is ready", Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := e.open()
			if err != nil {
				return err
			}
			return l.StartNode(cmd.Context(), args[0])
		},
	})
	return cmd
}
