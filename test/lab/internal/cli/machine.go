package cli

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/host"
)

func newHost(e *env) *cobra.Command {
	cmd := group("host", "Stop, start, kill, pause or mask the ZooKeeper server of a host",
		`What an init system does to a service, done to the ZooKeeper server of a host.
A server that dies is restarted, unless it was stopped or is masked.`)
	help := map[string]string{
		"start":   "Start the server; refused while it is masked",
		"stop":    "Ask the server to end and wait until it is gone; it stays down",
		"kill":    "Kill the server; it comes back",
		"restart": "Stop and start the server",
		"mask":    "Forbid that the server is started",
		"unmask":  "Allow that the server is started",
		"pause":   "Stop the server's process where it stands; its connections stay open",
		"resume":  "Let a paused server go on",
		"status":  "Show the server's state as JSON",
	}
	for _, verb := range host.Verbs() {
		cmd.AddCommand(&cobra.Command{
			Use: verb + " ENSEMBLE/ID", Short: help[verb], Args: exactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				l, err := e.open()
				if err != nil {
					return err
				}
				_, server, err := l.Host(args[0])
				if err != nil {
					return err
				}
				status, err := host.Ask(cmd.Context(), server.Dir, verb)
				if err != nil {
					return err
				}
				return json.NewEncoder(e.out).Encode(status)
			},
		})
	}
	return cmd
}

func newPod(e *env) *cobra.Command {
	cmd := group("pod", "Pause the ZooKeeper server of a pod, and let it go on",
		`What a long garbage collection, a frozen machine or a hanging disk looks like to others: the
process stands still, its connections stay open, and nobody is answered. The pod's container
goes on running, its probes included.`)
	cmd.AddCommand(&cobra.Command{
		Use: "pause NAMESPACE/POD", Short: "Stop the Java process where it stands", Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := e.open()
			if err != nil {
				return err
			}
			return l.PausePod(cmd.Context(), args[0])
		},
	}, &cobra.Command{
		Use: "resume NAMESPACE/POD", Short: "Let it go on", Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := e.open()
			if err != nil {
				return err
			}
			return l.ResumePod(cmd.Context(), args[0])
		},
	})
	return cmd
}

func newExec(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "exec NAME -- COMMAND [ARGS...]",
		Short: "Run a command on a machine of the lab",
		Long: `Run a command in the network of a client (client1), a host (ENSEMBLE/ID), a node (node1)
or the control plane, with its name resolution; files are those of this machine.
KUBECONFIG is set to the admin's, unless it is set already.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usageError{fmt.Errorf("a machine and a command are needed; usage: %s", cmd.UseLine())}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			l, err := e.open()
			if err != nil {
				return err
			}
			return l.Exec(args[0], args[1:])
		},
	}
}

func newHook(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "hook",
		Short: "Do to a host what ZKMIGRATE_ACTION says (for kubectl zkmigrate --host-hook)",
		Long: `A program for --host-hook of kubectl zkmigrate. It reads ZKMIGRATE_ACTION (stop, start, restart,
mask, unmask, apply-patch, undo-patch or report), ZKMIGRATE_ID, ZKMIGRATE_ENSEMBLE, ZKMIGRATE_HOST
(the host's address) and ZKMIGRATE_FILES (the folder with the patches: each *.patch is applied,
each *.undo.patch undone; report runs the script on standard input).`,
		Args: exactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			call, err := host.ParseHook(os.Getenv)
			if err != nil {
				return usageError{err}
			}
			l, err := e.open()
			if err != nil {
				return err
			}
			server, err := l.HostByAddress(call.Host, call.ID)
			if err != nil {
				return err
			}
			if call.Action == "report" {
				// The script comes by standard input, and runs in the host's network.
				return l.Exec(fmt.Sprintf("%s/%d", call.Ensemble, call.ID), []string{"sh"})
			}
			return call.Run(cmd.Context(), server.Dir, server.ZooCfg(), e.out)
		},
	}
}
