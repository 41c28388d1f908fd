package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/sys"
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

func newNet(e *env) *cobra.Command {
	cmd := group("net", "Lose packets of a machine",
		`Packets of a client (client1), a host (ENSEMBLE/ID), a node (node1, with its pods) or the
control plane vanish, as behind a broken switch or a firewall that drops; also those of
connections that exist.`)
	var d sys.Drop
	drop := &cobra.Command{
		Use: "drop MACHINE [--port PORT] [--from ADDRESS]", Short: "Lose what leaves and reaches it, or just what goes to a TCP port", Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := e.open()
			if err != nil {
				return err
			}
			return l.Drop(cmd.Context(), args[0], d)
		},
	}
	drop.Flags().IntVar(&d.Port, "port", 0, "only packets to this TCP port")
	drop.Flags().StringVar(&d.From, "from", "", "only packets from this address, such as a pod's")
	heal := &cobra.Command{
		Use: "heal MACHINE", Short: "End every drop of a machine", Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := e.open()
			if err != nil {
				return err
			}
			return l.Heal(cmd.Context(), args[0])
		},
	}
	cmd.AddCommand(drop, heal)
	return cmd
}
