package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/lab"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/sys"
)

func newNet(e *env) *cobra.Command {
	cmd := group("net", "Disturb the network of a machine",
		`What a broken switch, a firewall or a proxy in between does to a client (client1), a host
(ENSEMBLE/ID), a node (node1, with its pods) or the control plane. Flags narrow it down;
several disturbances add up until "heal".`)
	cmd.AddCommand(
		disturb(e, "drop", "Lose what leaves and reaches a machine, also on existing connections", (*lab.Lab).Drop),
		disturb(e, "refuse", "Reset a machine's new connections in the name of those they go to", (*lab.Lab).Refuse),
		disturb(e, "swallow", "Accept a machine's new connections in the name of those they go to, and never answer", (*lab.Lab).Swallow),
		&cobra.Command{
			Use: "misname MACHINE NAME=ADDRESS...", Short: "Have a machine's DNS answer these names of the cluster with other addresses", Args: cobra.MinimumNArgs(2),
			RunE: func(cmd *cobra.Command, args []string) error {
				names := map[string]string{}
				for _, a := range args[1:] {
					name, address, ok := strings.Cut(a, "=")
					if !ok {
						return usageError{fmt.Errorf("%q is not NAME=ADDRESS", a)}
					}
					names[name] = address
				}
				l, err := e.open()
				if err != nil {
					return err
				}
				return l.Misname(cmd.Context(), args[0], names)
			},
		},
		&cobra.Command{
			Use: "heal MACHINE", Short: "End every disturbance of a machine's network", Args: exactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				l, err := e.open()
				if err != nil {
					return err
				}
				return l.Heal(cmd.Context(), args[0])
			},
		})
	return cmd
}

func disturb(e *env, verb, short string, do func(*lab.Lab, context.Context, string, sys.Packets) error) *cobra.Command {
	var p sys.Packets
	cmd := &cobra.Command{
		Use: verb + " MACHINE [--port PORT,...] [--to ADDRESS,...] [--from ADDRESS]", Short: short, Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := e.open()
			if err != nil {
				return err
			}
			return do(l, cmd.Context(), args[0], p)
		},
	}
	cmd.Flags().IntSliceVar(&p.Ports, "port", nil, "only what goes to these TCP ports")
	cmd.Flags().StringSliceVar(&p.To, "to", nil, "only what goes to these addresses; ClusterIPs are matched before they are translated")
	cmd.Flags().StringVar(&p.From, "from", "", "only what comes from this address, such as a pod's")
	return cmd
}
