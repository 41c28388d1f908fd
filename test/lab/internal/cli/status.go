package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/lab"
)

func newStatus(e *env) *cobra.Command {
	output := "table"
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show a lab's machines and servers",
		Args:  exactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output != "table" && output != "json" {
				return usageError{fmt.Errorf("--output %q: there are table and json", output)}
			}
			l, err := e.open()
			if err != nil {
				return err
			}
			status, err := l.Look(cmd.Context())
			if err != nil {
				return err
			}
			if output == "json" {
				encoder := json.NewEncoder(e.out)
				encoder.SetIndent("", "  ")
				return encoder.Encode(status)
			}
			return e.printStatus(status)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", output, "table or json")
	return cmd
}

func (e *env) printStatus(s lab.Status) error {
	health := "healthy"
	if !s.Healthy {
		health = "not healthy: " + s.Reason
	}
	fmt.Fprintf(e.out, "lab %s: %s, API server %s, %d MiB\n\n", s.Name, health, s.APIServer, s.MemoryBytes>>20)
	w := tabwriter.NewWriter(e.out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "MACHINE\tADDRESS\tWHAT\tSTATE")
	for _, n := range s.Nodes {
		fmt.Fprintf(w, "%s\t%s\tnode, pods in %s\t\n", n.Name, n.Address, n.PodCIDR)
	}
	for _, c := range s.Clients {
		fmt.Fprintf(w, "%s\t%s\tclient\t\n", c.Name, c.Address)
	}
	for _, h := range s.Hosts {
		what := "stopped"
		if h.Running {
			what = fmt.Sprintf("running, pid %d", h.PID)
		}
		if h.Masked {
			what += ", masked"
		}
		if h.Error != "" {
			what = h.Error
		}
		fmt.Fprintf(w, "%s\t%s\tZooKeeper %s\t%s\n", h.Name, net.JoinHostPort(h.Address, strconv.Itoa(h.ClientPort)), h.Version, what)
	}
	return w.Flush()
}

func newKubeconfig(e *env) *cobra.Command {
	user, inLab := "admin", false
	cmd := &cobra.Command{
		Use:   "kubeconfig",
		Short: "Print the path of a kubeconfig",
		Args:  exactArgs(0),
		RunE: func(*cobra.Command, []string) error {
			l, err := e.open()
			if err != nil {
				return err
			}
			path := l.Kubeconfig(user, inLab)
			if _, err := os.Stat(path); err != nil {
				return fmt.Errorf("no user %s: %w; add one with: zklab user add", user, err)
			}
			_, err = fmt.Fprintln(e.out, path)
			return err
		},
	}
	cmd.Flags().StringVar(&user, "user", user, "whose kubeconfig")
	cmd.Flags().BoolVar(&inLab, "in-lab", inLab, "the one for commands on the lab's machines")
	return cmd
}

func newUser(e *env) *cobra.Command {
	cmd := group("user", "Add users with just the rights of a role", "")
	var namespace, roleFile string
	add := &cobra.Command{
		Use:   "add NAME --namespace NS --role-file FILE",
		Short: "Add a user and print the path of the user's kubeconfig for the lab's machines",
		Args:  exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if roleFile == "" {
				return usageError{errors.New("--role-file is needed: a manifest with Roles and ClusterRoles")}
			}
			l, err := e.open()
			if err != nil {
				return err
			}
			if err := lab.AddUser(cmd.Context(), l, args[0], namespace, roleFile); err != nil {
				return err
			}
			_, err = fmt.Fprintln(e.out, l.Kubeconfig(args[0], true))
			return err
		},
	}
	add.Flags().StringVarP(&namespace, "namespace", "n", "default", "namespace, made if it is missing")
	add.Flags().StringVar(&roleFile, "role-file", "", "manifest with Roles and ClusterRoles")
	cmd.AddCommand(add)
	return cmd
}
