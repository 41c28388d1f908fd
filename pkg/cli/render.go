package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/printer"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/strict"
)

type renderFlags struct {
	deps    *deps
	said    *said
	version string
	gitOps  bool
	output  string
}

// RenderOptions is render with everything resolved.
type RenderOptions struct {
	wrap    *WrapOptions
	version string
	gitOps  bool
	format  printer.Format
}

func newRenderCommand(d *deps) *cobra.Command {
	f := &renderFlags{deps: d}
	cmd := &cobra.Command{
		Use:                   "render [NAME] [-f zoo.cfg]... [--pod-template=FILE] [--gitops] [-o yaml|json|name]",
		DisableFlagsInUseLine: true,
		Short:                 "Print every object as it would be applied",
		Long: long(`
			Prints every object of an ensemble as wrap and replace apply it: Services, endpoints,
			ConfigMaps, budget and StatefulSet. What is recorded counts, with the flags over
			it; nothing is written, and only the journal is read. With -f or --member it
			prints what a wrap of those files would make, and asks no cluster; the pods'
			objects then need the hosts' release (--zookeeper-version).

			--gitops leaves out what the tool alone writes (the gate, the hand-made endpoints,
			Secrets) and adds what keeps Argo CD and Flux from removing anything: for Git, see
			docs/gitops.md. Passwords are never shown.`),
		Example: examples(`
			# Everything, as it is recorded
			%[1]s render zk1

			# With tolerations, sidecars and whatever no flag sets
			%[1]s render zk1 --pod-template=pods.yaml

			# For Git
			%[1]s render zk1 --gitops >zk1/objects.yaml

			# Before the wrap
			%[1]s render zk1 -f zoo.cfg --zookeeper-version=3.8.4`),
		Args: atMostName,
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := f.toOptions(args)
			if err != nil {
				return err
			}
			return o.Run(cmd.Context())
		},
	}
	f.said = d.says(cmd, "spec.endpointsAPI", "spec.pods")
	f.said.addHosts()
	cmd.Flags().StringVar(&f.version, "zookeeper-version", "", "Release that the hosts run, with -f or --member, for the objects of the pods")
	cmd.Flags().BoolVar(&f.gitOps, "gitops", false, "Leave out what the tool alone writes, and keep Argo CD and Flux from removing anything")
	cmd.Flags().StringVarP(&f.output, "output", "o", "yaml", "Output format: yaml, json or name")
	return cmd
}

func (f *renderFlags) toOptions(args []string) (*RenderOptions, error) {
	format, err := formatOf(f.output, printer.JSON, printer.Name, printer.YAML)
	if err != nil {
		return nil, err
	}
	if format == printer.Table {
		return nil, usagef("--output is empty: allowed are json, name, yaml")
	}
	w := &wrapFlags{deps: f.deps, said: f.said, dryRun: dryRunClient}
	wrap, err := w.toOptions(args)
	if err != nil {
		return nil, err
	}
	switch {
	case f.version != "" && strict.Version(f.version) != "":
		return nil, usagef("--zookeeper-version=%q is not a release: write it as 3.8.4", f.version)
	case wrap.input.empty() && f.version != "":
		return nil, usagef("--zookeeper-version goes with -f or --member: what is recorded has its release")
	case !wrap.input.empty() && f.gitOps:
		return nil, usagef("--gitops prints what is recorded, for before the wrap no Service has its address: leave -f and --member out")
	case !wrap.input.empty() && len(args) == 0:
		return nil, usagef("-f and --member describe one ensemble: give its NAME")
	}
	return &RenderOptions{wrap: wrap, version: f.version, gitOps: f.gitOps, format: format}, nil
}

// Run prints; the cluster is asked for the journal alone, and only without files.
func (o *RenderOptions) Run(ctx context.Context) error {
	rec, err := o.record(ctx)
	if err != nil {
		return err
	}
	objects, err := render.Everything(rec, firstGate().Generation)
	if err != nil {
		return usagef("%w", err)
	}
	if o.gitOps {
		objects = render.ForGit(objects)
	}
	return printObjects(o.wrap.deps.streams.Out, o.format, objects)
}

// record is the one that is rendered.
func (o *RenderOptions) record(ctx context.Context) (migration.Record, error) {
	if !o.wrap.input.empty() {
		return o.described(ctx)
	}
	_, rec, err := o.wrap.deps.load(ctx, o.wrap.args)
	if err != nil {
		return rec, err
	}
	rec.Pods, err = o.wrap.pods.Over(rec.Pods, rec.Settings.Version)
	return rec, err
}

// described is what a wrap of the files would record, as far as it is known before.
func (o *RenderOptions) described(ctx context.Context) (migration.Record, error) {
	out := o.wrap.deps.streams.ErrOut
	rec, desc, err := o.wrap.desired(ctx, o.wrap.args[0], o.wrap.deps.namespace(), migration.Record{}, false)
	if err != nil {
		return rec, err
	}
	rec.Settings.Version = o.version
	if o.version == "" {
		fmt.Fprintln(out, "note: the pods' objects are left out: they need the hosts' files (-f) and their release (--zookeeper-version)")
		return rec, nil
	}
	if desc.Config == nil {
		return rec, usagef("--zookeeper-version is for the objects of the pods, which need the hosts' files: name them with -f, or leave it out")
	}
	if rec.Pods, err = o.wrap.pods.Over(rec.Pods, o.version); err != nil {
		return rec, err
	}
	addresses := rec.Hosts.Address
	rec.Hosts.Address = migration.AddressDNS
	made, err := intake.PodFiles(&rec, desc.Hosts)
	if err != nil {
		return rec, err
	}
	rec.Hosts.Address = addresses
	printNotes(out, made.Notes)
	fmt.Fprintln(out, "note: the Services have no addresses yet: the pods' zoo.cfg names them where wrap will put their ClusterIPs, and the names that are made from content change with it")
	return rec, nil
}
