package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/access"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/printer"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

type rbacFlags struct {
	deps     *deps
	said     *said
	ids      []int
	users    []string
	groups   []string
	accounts []string
	data     string
	probeVia string
	policy   bool
	output   string
	secrets  bool
	removal  bool
	finalize bool
}

// RBACOptions is rbac with everything resolved.
type RBACOptions struct {
	deps        *deps
	args        []string
	input       input
	ids         []ensemble.ID
	to          access.Subjects
	copies      bool
	through     bool
	api         migration.EndpointsAPI
	policy      bool
	format      printer.Format
	secrets     bool
	removal     bool
	finalize    bool
	filesSecret string
	filesConfig string
}

func newRBACCommand(d *deps) *cobra.Command {
	f := &rbacFlags{deps: d}
	cmd := &cobra.Command{
		Use:                   "rbac [NAME] [--user=USER]... [--admission-policy] [-o yaml|json]",
		DisableFlagsInUseLine: true,
		Short:                 "Print the Role that a migration needs",
		Long: long(`
			Prints a Role with exactly the permissions that a migration and the way back need.
			With NAME it is narrowed to the objects of that ensemble wherever Kubernetes can do
			that; the ids come from the journal or, before the wrap, from -f, --member or
			--ids. Without NAME it is the Role for all ensembles of a namespace, as in
			docs/rbac/role.yaml. With --user, --group or --serviceaccount a RoleBinding
			follows.

			--admission-policy adds a ValidatingAdmissionPolicy (Kubernetes 1.30 or later) that
			keeps everyone but those subjects and Kubernetes' own controllers from writing the
			ensemble's journal, lock, gate, files, Services, endpoints and StatefulSet, and
			from putting another address or pod behind its Services.

			Nothing is written. docs/rbac.md says who can do what with which rights.`),
		Example: examples(`
			# What alice needs to migrate zk1, and no other ensemble
			%[1]s rbac zk1 --user=alice | kubectl apply -f -

			# Before the wrap
			%[1]s rbac zk1 --ids=1,2,3 --user=alice

			# Keep everyone else off the ensemble's objects
			%[1]s rbac zk1 --user=alice --admission-policy

			# All ensembles of a namespace
			%[1]s rbac -n zookeeper --group=sre`),
		Args: atMostName,
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := f.toOptions(args)
			if err != nil {
				return err
			}
			return o.Run(cmd.Context())
		},
	}
	f.said = d.says(cmd, "spec.endpointsAPI", "spec.pods.files")
	f.said.addHosts()
	cmd.Flag("files-secret").Usage = "Secret whose entries may be looked at, as wrap is given it"
	cmd.Flag("files-configmap").Usage = "ConfigMap whose entries may be looked at, as wrap is given it"
	api := cmd.Flag("endpoints-api")
	api.Usage, api.DefValue = "endpointslices or endpoints, as wrap is given it (default: what is recorded, else endpointslices)", ""
	cmd.Flags().IntSliceVar(&f.ids, "ids", nil, "The servers' ids, for an ensemble that is not wrapped yet")
	cmd.Flags().StringArrayVar(&f.users, "user", nil, "User to bind the Role to, here the subject and not a kubeconfig user; repeatable")
	cmd.Flags().StringArrayVar(&f.groups, "group", nil, "Group to bind the Role to; repeatable")
	cmd.Flags().StringArrayVar(&f.accounts, "serviceaccount", nil, "Service account to bind the Role to, as NAMESPACE:NAME; repeatable")
	cmd.Flags().StringVar(&f.data, "data", string(migration.DataCopy), "copy (with pods/exec, for replace --data=copy and seed) or empty (without)")
	cmd.Flags().StringVar(&f.probeVia, "probe-via", viaPod, "pod (with pods/exec and probe pods, to ask ZooKeeper through pods) or direct (without)")
	cmd.Flags().BoolVar(&f.secrets, "secrets", false, "With what a zoo.cfg with passwords needs: to create a Secret, and read none")
	cmd.Flags().BoolVar(&f.removal, "removal", false, "With what unpark and unwrap need: to delete Services, volume claims and the other objects that they take back")
	cmd.Flags().BoolVar(&f.finalize, "finalize", false, "With what finalize needs of an ensemble with passwords or files: to read their Secrets and ConfigMap, by name")
	cmd.Flags().BoolVar(&f.policy, "admission-policy", false, "Also print a ValidatingAdmissionPolicy that keeps everyone else off the ensemble's objects")
	cmd.Flags().StringVarP(&f.output, "output", "o", "yaml", "Output format: yaml or json")
	return cmd
}

func (f *rbacFlags) toOptions(args []string) (*RBACOptions, error) {
	o := &RBACOptions{
		deps: f.deps, args: args, input: f.said.input(),
		to: access.Subjects{Users: f.users, Groups: f.groups, ServiceAccounts: f.accounts}, copies: f.data == string(migration.DataCopy),
		through: f.probeVia == viaPod, secrets: f.secrets, removal: f.removal, finalize: f.finalize, filesSecret: f.said.Spec.Pods.Files.Secret, filesConfig: f.said.Spec.Pods.Files.ConfigMap,
		policy: f.policy, format: printer.Format(f.output),
	}
	if f.said.given("endpoints-api") {
		o.api = migration.EndpointsAPI(f.said.Spec.EndpointsAPI)
	}
	for _, id := range f.ids {
		if id < int(ensemble.MinID) || id > int(ensemble.MaxID) || slices.Contains(o.ids, ensemble.ID(id)) {
			return nil, usagef("--ids: %d: ids are %d to %d, each given once", id, ensemble.MinID, ensemble.MaxID)
		}
		o.ids = append(o.ids, ensemble.ID(id))
	}
	slices.Sort(o.ids)
	switch {
	case o.format != printer.YAML && o.format != printer.JSON:
		return nil, usagef("output format %q: allowed are json, yaml", f.output)
	case !o.copies && f.data != string(migration.DataEmpty):
		return nil, usagef("--data=%q: allowed are empty, copy", f.data)
	case !o.through && f.probeVia != viaDirect:
		return nil, usagef("--probe-via=%q: allowed are direct, pod", f.probeVia)
	case len(args) == 0 && (len(o.ids) > 0 || !o.input.empty()):
		return nil, usagef("--ids, -f and --member describe one ensemble: give its NAME")
	case len(o.ids) > 0 && !o.input.empty():
		return nil, usagef("--ids and the files say the same thing in two ways: use one of them")
	case o.finalize && len(args) == 0:
		return nil, usagef("--finalize names the Secrets of one ensemble: give its NAME")
	case o.policy && len(args) == 0:
		return nil, usagef("--admission-policy protects one ensemble: give its NAME")
	case o.policy && o.to.Empty():
		return nil, usagef("--admission-policy keeps everyone out who is not named: name at least one with --user, --group or --serviceaccount")
	}
	return o, checkSubjects(o.to)
}

// checkSubjects refuses what the API server would refuse later, and what would
// mean somebody else.
func checkSubjects(to access.Subjects) error {
	for _, account := range to.ServiceAccounts {
		namespace, name, ok := strings.Cut(account, ":")
		if !ok || !access.ValidAccount(namespace, name) {
			return usagef("--serviceaccount=%q: give it as NAMESPACE:NAME", account)
		}
	}
	for _, name := range slices.Concat(to.Users, to.Groups) {
		if !access.ValidSubject(name) {
			return usagef("user or group %q: it is empty, too long, or holds control characters", name)
		}
	}
	return nil
}

// Run prints; the cluster is asked only for the journal of an ensemble that is
// wrapped already.
func (o *RBACOptions) Run(ctx context.Context) error {
	scope, err := o.scope(ctx)
	if err != nil {
		return err
	}
	var more []render.Object
	if !o.to.Empty() {
		more = append(more, scope.Binding(o.to))
	}
	if o.policy {
		more = append(more, scope.Policy(o.to), scope.PolicyBinding())
	}
	if o.format == printer.JSON {
		return printObjects(o.deps.streams.Out, printer.JSON, append([]render.Object{scope.Role()}, more...))
	}
	text := scope.YAML()
	if len(more) > 0 {
		rest, err := render.YAML(more)
		if err != nil {
			return err
		}
		text = append(append(text, "---\n"...), rest...)
	}
	_, err = o.deps.streams.Out.Write(text)
	return err
}

// scope is the ensemble as it is recorded, or as the flags describe it.
func (o *RBACOptions) scope(ctx context.Context) (access.Scope, error) {
	scope := access.Scope{
		Namespace: o.deps.namespace(), EndpointsAPI: o.api, Copy: o.copies, Through: o.through,
		Private: o.secrets, Removing: o.removal, Finalizing: o.finalize, FilesSecret: o.filesSecret, FilesConfigMap: o.filesConfig,
	}
	if len(o.args) == 0 {
		scope.Private = true
		return scope, nil
	}
	scope.Name = o.args[0]
	if err := render.ValidateName(scope.Name); err != nil {
		return scope, usagef("%w", err)
	}
	switch {
	case len(o.ids) > 0:
		scope.Servers = o.ids
	case !o.input.empty():
		desc, err := o.input.read(ctx, scope.Name)
		if err != nil {
			return scope, err
		}
		scope.Servers = desc.Ensemble.IDs()
		scope.Private = scope.Private || intake.HasSecrets(desc.Hosts)
	default:
		rec, err := o.recorded(ctx)
		if err != nil {
			return scope, err
		}
		recorded := access.Of(rec, o.copies)
		recorded.Through, recorded.Removing, recorded.Finalizing = o.through, o.removal, o.finalize
		recorded.Private = recorded.Private || o.secrets
		recorded.FilesSecret = cmp.Or(o.filesSecret, recorded.FilesSecret)
		recorded.FilesConfigMap = cmp.Or(o.filesConfig, recorded.FilesConfigMap)
		if o.api != "" {
			recorded.EndpointsAPI = o.api
		}
		return recorded, nil
	}
	if scope.EndpointsAPI == "" {
		scope.EndpointsAPI = migration.EndpointSlices
	}
	return scope, nil
}

func (o *RBACOptions) recorded(ctx context.Context) (migration.Record, error) {
	_, rec, err := o.deps.load(ctx, o.args)
	if usage := (*usageError)(nil); errors.As(err, &usage) {
		return rec, usagef("%w\nbefore the wrap: %s", usage.err, o.deps.in(o.deps.namespace()).Ours("rbac %s --ids=1,2,3", o.args[0]))
	}
	if err != nil {
		return rec, fmt.Errorf("reading the ids of ensemble %s (they can be given with --ids): %w", o.args[0], err)
	}
	return rec, nil
}
