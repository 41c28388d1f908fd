package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostpatch"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/manifest"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// said is what an operator says of an ensemble on one command line.
type said struct {
	manifest.Ensemble
	cmd *cobra.Command
	// files and members are the values of -f and --member.
	files   []string
	members []string
}

// says gives a command the flags that the manifest's table has for some fields, and returns
// what they fill: the defaults at first.
func (d *deps) says(cmd *cobra.Command, paths ...string) *said {
	s := &said{cmd: cmd}
	for _, leaf := range manifest.Leaves("") {
		bound := slices.ContainsFunc(paths, func(p string) bool { return leaf.Path == p || strings.HasPrefix(leaf.Path, p+".") })
		s.bind(leaf, bound)
	}
	s.check(cmd)
	return s
}

// bind sets a field's default, and has the field's flag fill it.
func (s *said) bind(leaf manifest.Leaf, flag bool) {
	switch to := s.Pointer(leaf.Path).(type) {
	case *string:
		*to = leaf.Default
		if flag {
			s.cmd.Flags().StringVar(to, leaf.Flag, *to, leaf.Doc)
		}
	case *int64:
		*to = leaf.DefaultNumber()
		if flag {
			s.cmd.Flags().Int64Var(to, leaf.Flag, *to, leaf.Doc)
		}
	case *[]string:
		if flag {
			s.cmd.Flags().StringSliceVar(to, leaf.Flag, nil, leaf.Doc)
		}
	}
}

// addHosts adds what names the hosts' files, or stands in for them.
func (s *said) addHosts() {
	s.cmd.Flags().StringArrayVarP(&s.files, "filename", "f", nil, "A host's zoo.cfg: FILE, ID=FILE, a directory of them, or - for stdin; repeatable")
	s.cmd.Flags().StringArrayVar(&s.members, "member", nil, "A server as 'ID=HOST:PEERPORT:ELECTIONPORT[:observer][;CLIENTPORT]'; repeatable, instead of files")
}

// input is where the hosts' files, or what stands in for them, come from.
func (s *said) input(d *deps) input {
	return input{files: s.files, members: s.members, stdin: d.streams.In}
}

// given reports whether somebody has said what a flag says.
func (s *said) given(flag string) bool { return s.cmd.Flags().Changed(flag) }

// pods are the settings of pods that were said, or hold by default.
func (s *said) pods() intake.PodFlags {
	p := s.Spec.Pods
	return intake.PodFlags{Given: s.given, Values: migration.PodOptions{
		Image: p.Image, StorageClass: p.StorageClass, StorageSize: p.StorageSize, Memory: p.Memory, CPU: p.CPU, JVMFlags: p.JVMFlags,
		FilesSecret: p.Files.Secret, FilesConfigMap: p.Files.ConfigMap, AntiAffinity: p.AntiAffinity, RunAsUser: p.RunAsUser,
	}}
}

// exposed are the ports of administrators that Services are to have.
func (s *said) exposed() []ensemble.PortName {
	var out []ensemble.PortName
	for _, n := range s.Spec.Expose {
		out = append(out, ensemble.PortName(n))
	}
	return out
}

// check has the command refuse what nothing can be made of, before it does anything.
func (s *said) check(cmd *cobra.Command) {
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := s.refuse(); err != nil {
			return err
		}
		return run(cmd, args)
	}
}

// refuse judges every value. It asks nobody.
func (s *said) refuse() error {
	spec := s.Spec
	api := migration.EndpointsAPI(spec.EndpointsAPI)
	if err := checkWaivers(spec.Waive); err != nil {
		return err
	}
	if err := s.pods().Check(); err != nil {
		return err
	}
	if api != migration.EndpointSlices && api != migration.LegacyEndpoints {
		return usagef("--endpoints-api=%q: allowed are endpointslices, endpoints", api)
	}
	for _, name := range s.exposed() {
		if !slices.Contains(ensemble.Exposable(), name) {
			return usagef("--expose=%q: allowed are admin, metrics", name)
		}
	}
	if spec.Address != migration.AddressIP && spec.Address != migration.AddressDNS {
		return usagef("--address=%q: allowed are ip, dns", spec.Address)
	}
	if _, err := hostpatch.CommandsFor(hostpatch.Supervisor(spec.Hosts.Supervisor), spec.Hosts.Unit); err != nil {
		return usagef("--supervisor: %w", err)
	}
	for flag, name := range map[string]string{"cluster-domain": spec.ClusterDomain, "dns-zone": spec.DNS.Zone, "dns-server": spec.DNS.Server} {
		if err := checkDomain(flag, name); err != nil {
			return err
		}
	}
	if err := checkUnit(spec.Hosts.Unit); err != nil {
		return err
	}
	if err := checkHook(spec.Hosts.Hook); err != nil {
		return err
	}
	if err := hostpatch.CheckLeave(spec.Hosts.Leave); err != nil {
		return usagef("--leave: %w", err)
	}
	if path := spec.Hosts.Path; path == "" || strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return usagef("--path=%q is not a name for a file inside a patch: leave blanks and control characters out", quote.Typed(path))
	}
	return nil
}
