package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/manifest"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// said is what an operator says of an ensemble: on the command line, and in the manifest
// that -f names.
type said struct {
	manifest.Ensemble
	deps *deps
	cmd  *cobra.Command
	// files and members are the values of -f and --member; hosts says that -f may name hosts'
	// files as well.
	files   []string
	members []string
	hosts   bool
	// makesPods: the command looks at the pods that the manifest describes, without flags for them.
	makesPods bool
	// read is what was read of files: once, for a pipe can be read once.
	read map[string][]byte
	// doc is the manifest, nil where there is none; raw is what it says, with paths as they
	// stand there.
	doc *manifest.Document
	raw manifest.Ensemble
	// template is what the file with the pod template says.
	template string
	// byDefault is a manifest's name that is read where nothing is named, unnamed that it was.
	byDefault string
	unnamed   bool
}

// says gives a command -f and the flags that the manifest's table has for some fields, and
// returns what they fill: the defaults at first. Before the command does anything, a
// manifest fills the same, and what nothing can be made of is refused.
func (d *deps) says(cmd *cobra.Command, paths ...string) *said {
	s := &said{deps: d, cmd: cmd, read: map[string][]byte{}}
	for _, leaf := range manifest.Leaves("") {
		bound := slices.ContainsFunc(paths, func(p string) bool { return leaf.Path == p || strings.HasPrefix(leaf.Path, p+".") })
		s.bind(leaf, bound)
	}
	cmd.Flags().StringArrayVarP(&s.files, "filename", "f", nil, "An Ensemble manifest (docs/ensemble.md), which says what flags say, and which ensemble it is")
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		args, err := s.fill(cmd.Context(), args)
		if err != nil {
			return err
		}
		d.said = s
		if err := s.readTemplate(cmd.Context()); err != nil {
			return err
		}
		if err := s.refuse(); err != nil {
			return err
		}
		dry := cmd.Flag("dry-run")
		if cmd.Flag("credentials") != nil && (dry == nil || dry.Value.String() != "client") { // which asks nobody
			load := d.loadCredentials
			if isMany(d, cmd) {
				load = d.nameCredentials
			}
			if err := load(cmd.Context(), s.place("credentials"), s.Spec.Credentials); err != nil {
				return err
			}
		}
		return run(cmd, args)
	}
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

// addHosts lets -f name the hosts' files, and adds what stands in for them.
func (s *said) addHosts() {
	s.addFiles()
	s.cmd.Flags().StringArrayVar(&s.members, "member", nil, "A server as 'ID=HOST:PEERPORT:ELECTIONPORT[:observer][;CLIENTPORT]'; repeatable, instead of files")
}

// addFiles lets -f name the hosts' files.
func (s *said) addFiles() {
	s.hosts = true
	s.cmd.Flag("filename").Usage = "A host's zoo.cfg: FILE, ID=FILE, a directory of them, or - for stdin; repeatable. Or one Ensemble manifest (docs/ensemble.md), which names them"
}

// input is where the hosts' files, or what stands in for them, come from.
func (s *said) input() input {
	return input{files: s.files, members: s.members, doc: s.doc, unnamed: s.unnamed, stdin: s.deps.streams.In, content: s.read}
}

// given reports whether somebody has said what a flag says.
func (s *said) given(flag string) bool { return s.cmd.Flags().Changed(flag) || s.inFile(flag) != "" }

// place is where it was said, for messages: --FLAG, or FILE:LINE: FIELD.
func (s *said) place(flag string) string {
	if path := s.inFile(flag); path != "" {
		return s.doc.At(path)
	}
	return "--" + flag
}

// inFile is the field of the manifest that says what a flag says; empty where it does not.
func (s *said) inFile(flag string) string {
	for _, leaf := range manifest.Leaves("") {
		if leaf.Flag == flag && s.doc != nil && s.doc.Has(leaf.Path) {
			return leaf.Path
		}
	}
	return ""
}

// pods are the settings of pods that were said, or hold by default.
func (s *said) pods() intake.PodFlags {
	p := s.Spec.Pods
	return intake.PodFlags{Given: s.given, Place: s.place, Values: migration.PodOptions{
		Image: p.Image, StorageClass: p.StorageClass, StorageSize: p.StorageSize, Memory: p.Memory, CPU: p.CPU, JVMFlags: p.JVMFlags,
		FilesSecret: p.Files.Secret, FilesConfigMap: p.Files.ConfigMap, AntiAffinity: p.AntiAffinity, RunAsUser: p.RunAsUser, Template: s.template,
	}}
}

// readTemplate reads the pod template, for a command that makes pods of it.
func (s *said) readTemplate(ctx context.Context) error {
	file := s.Spec.Pods.Template
	if file == "" || s.cmd.Flag("pod-template") == nil && !s.makesPods {
		return nil
	}
	data, err := readInput(ctx, file, nil)
	if err != nil {
		return &usageError{fmt.Errorf("%s: %w", s.place("pod-template"), err)}
	}
	if s.template, err = render.ReadTemplate(file, data); err != nil {
		return &usageError{err}
	}
	return nil
}

// settings are the pods' settings with how they are said again.
func (s *said) settings() podSettings {
	var words []string
	if s.doc != nil {
		words = append(words, fileAgain+quote.Shell(readable(s.files)[0]))
	}
	for _, leaf := range manifest.Leaves("spec.pods") {
		if leaf.Flag != "" && s.cmd.Flags().Changed(leaf.Flag) {
			words = append(words, "--"+leaf.Flag+"="+quote.Shell(command.Again(s.cmd.Flag(leaf.Flag).Value.String())))
		}
	}
	return podSettings{PodFlags: s.pods(), again: command.Quoted(strings.Join(words, " "))}
}

// hostOptions are the settings of hosts that were said, or hold by default.
func (s *said) hostOptions() intake.HostFlags {
	spec := s.Spec
	o, _ := intake.UnitNames(spec.Hosts.Unit) // refuse has judged them
	o.Supervisor, o.Address, o.ClusterDomain = spec.Hosts.Supervisor, spec.Address, spec.ClusterDomain
	return intake.HostFlags{Given: s.given, Values: o}
}

// exposed are the ports of administrators that Services are to have.
func (s *said) exposed() []ensemble.PortName {
	var out []ensemble.PortName
	for _, n := range s.Spec.Expose {
		out = append(out, ensemble.PortName(n))
	}
	return out
}
