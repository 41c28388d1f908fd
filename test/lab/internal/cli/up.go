package cli

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/build"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/lab"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/plan"
)

func newUp(e *env) *cobra.Command {
	o := lab.Options{Nodes: 3, Clients: 1, Source: os.Getenv("ZKLAB_SOURCE"), ProxyMode: cmp.Or(os.Getenv("ZKLAB_PROXY_MODE"), "iptables"), Kubernetes: kubernetesRelease()}
	var ensembles []string
	family := cmp.Or(os.Getenv("ZKLAB_IP_FAMILY"), string(plan.IPv4))
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Bring a lab up",
		Long: `Bring a lab up, or do nothing where it already runs. The first time it builds
Kubernetes and images, which takes about ten minutes; later it takes less than one.

Settings of --ensemble, as NAME,key=value,...:
` + settingsHelp(),
		Example: `  zklab up --ensemble demo
  zklab up --ensemble old,version=3.4.13,ids=2:5:9 --ensemble big,ids=1:2:3:4:5,observers=9`,
		Args: exactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if o.Name, err = e.labName(); err != nil {
				return err
			}
			if o.ProxyMode != "iptables" && o.ProxyMode != "nftables" {
				return usageError{fmt.Errorf("--proxy-mode=%q: there are iptables and nftables", o.ProxyMode)}
			}
			if o.Family, err = plan.ParseFamily(family); err != nil {
				return usageError{fmt.Errorf("--ip-family: %w", err)}
			}
			if _, err := build.Kubernetes(o.Kubernetes); err != nil {
				return usageError{fmt.Errorf("--kubernetes: %w", err)}
			}
			if o.Ensembles, err = parseAll(ensembles); err != nil {
				return err
			}
			if o.Source, err = build.FindSource(o.Source); err != nil {
				return err
			}
			_, err = lab.Up(cmd.Context(), o, e.log)
			return err
		},
	}
	cmd.Flags().IntVar(&o.Nodes, "nodes", o.Nodes, "Kubernetes nodes")
	cmd.Flags().IntVar(&o.Clients, "clients", o.Clients, "machines for operators and ZooKeeper clients")
	cmd.Flags().StringVar(&o.ProxyMode, "proxy-mode", o.ProxyMode, "every kube-proxy's mode, iptables or nftables; ZKLAB_PROXY_MODE sets it too")
	cmd.Flags().StringVar(&o.Kubernetes, "kubernetes", o.Kubernetes, "release: "+build.OldestRelease+", "+build.DefaultRelease+" or "+build.NewestRelease+"; ZKLAB_KUBERNETES sets it too")
	cmd.Flags().StringVar(&family, "ip-family", family, "ipv4, ipv6 or dual (both, IPv4 first); ZKLAB_IP_FAMILY sets it too")
	// Not a slice flag: commas separate settings.
	cmd.Flags().StringArrayVar(&ensembles, "ensemble", nil, "an ensemble on hosts, as NAME,key=value,...; may be given again")
	cmd.Flags().StringVar(&o.Source, "source", o.Source, "folder with the components' modules (test/lab/components); ZKLAB_SOURCE sets it too")
	return cmd
}

// kubernetesRelease is the one that the environment asks for.
func kubernetesRelease() string {
	return cmp.Or(os.Getenv("ZKLAB_KUBERNETES"), build.DefaultRelease)
}

// newBuild makes the program that other tests run.
func newBuild(e *env) *cobra.Command {
	release, source := kubernetesRelease(), os.Getenv("ZKLAB_SOURCE")
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Build Kubernetes, unless it is there, and print the program's path",
		Args:  exactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			component, err := build.Kubernetes(release)
			if err != nil {
				return usageError{fmt.Errorf("--kubernetes: %w", err)}
			}
			dir, err := build.FindSource(source)
			if err != nil {
				return err
			}
			cache, err := build.CacheDir()
			if err != nil {
				return err
			}
			program, err := build.Builder{Source: dir, Cache: cache, Log: e.log}.Get(cmd.Context(), component)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(e.out, program)
			return err
		},
	}
	cmd.Flags().StringVar(&release, "kubernetes", release, "release; ZKLAB_KUBERNETES sets it too")
	return cmd
}

func newDown(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "Remove a lab and everything it made",
		Args:  exactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			name, err := e.labName()
			if err != nil {
				return err
			}
			return lab.Down(cmd.Context(), name, e.log)
		},
	}
}

func newEnsemble(e *env) *cobra.Command {
	cmd := group("ensemble", "Add or delete ZooKeeper ensembles on hosts", "")
	add := &cobra.Command{
		Use:     "add NAME[,key=value...]",
		Short:   "Add an ensemble and wait until it serves",
		Long:    "Add an ensemble on new hosts, with volumes for its pods, and wait until it serves.\n\nSettings:\n" + settingsHelp(),
		Example: "  zklab ensemble add demo,ids=2:5:9\n  zklab ensemble add old --version 3.4.13",
		Args:    exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			words := args
			for _, key := range slices.Sorted(maps.Keys(ensemble.Keys())) {
				values, err := cmd.Flags().GetStringArray(key)
				if err != nil {
					return err
				}
				for _, value := range values {
					words = append(words, key+"="+value)
				}
			}
			spec, err := parseAll([]string{strings.Join(words, ",")})
			if err != nil {
				return err
			}
			l, err := e.open()
			if err != nil {
				return err
			}
			return lab.AddEnsemble(cmd.Context(), l, spec[0])
		},
	}
	for key, help := range ensemble.Keys() {
		add.Flags().StringArray(key, nil, help)
	}
	remove := &cobra.Command{
		Use:   "delete NAME",
		Short: "Delete an ensemble, its hosts and its volumes",
		Args:  exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := e.open()
			if err != nil {
				return err
			}
			return lab.DeleteEnsemble(cmd.Context(), l, args[0])
		},
	}
	recycle := &cobra.Command{
		Use:   "recycle NAME",
		Short: "Empty an ensemble's released volumes and offer them again",
		Args:  exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := e.open()
			if err != nil {
				return err
			}
			return lab.RecycleVolumes(cmd.Context(), l, args[0])
		},
	}
	cmd.AddCommand(add, remove, recycle)
	return cmd
}

func parseAll(texts []string) ([]ensemble.Spec, error) {
	var specs []ensemble.Spec
	for _, text := range texts {
		spec, err := ensemble.Parse(text)
		if err != nil {
			return nil, usageError{err}
		}
		for _, other := range specs {
			if other.Name == spec.Name {
				return nil, usageError{fmt.Errorf("two ensembles are named %s", spec.Name)}
			}
		}
		specs = append(specs, spec)
	}
	return specs, nil
}

func settingsHelp() string {
	var b strings.Builder
	keys := ensemble.Keys()
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		fmt.Fprintf(&b, "  %-14s %s\n", key, keys[key])
	}
	return strings.TrimRight(b.String(), "\n")
}
