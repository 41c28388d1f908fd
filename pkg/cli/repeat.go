package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/manifest"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// again are the flags that this command was given and that those that it prints need again: what
// no journal has, and without which they would refuse or do something else. What consents to
// something is none of them, as --yes, nor is what is said of one server.
func (d *deps) again() []command.Given {
	var out []command.Given
	if d.cmd != nil {
		verb := verbOf(d.cmd)
		out = slices.Concat(d.filesAgain(verb), d.hookAgain(verb), d.ownAgain(verb))
		about := d.about()
		for i := range out {
			out[i].On, out[i].About = slices.DeleteFunc(out[i].On, func(c string) bool { return !d.takes(c, out[i].As) }), about
		}
	}
	return append(out, d.askingAgain()...)
}

// takes reports whether a command has the flag that begins so.
func (d *deps) takes(verb, as string) bool {
	return slices.Contains(d.having(flagOf(as)), verb)
}

// flagOf is the name of a flag that is written so.
func flagOf(as string) string {
	if as == fileAgain {
		return "filename"
	}
	return strings.TrimSuffix(strings.TrimPrefix(as, "--"), "=")
}

// fileAgain is how --filename is repeated.
const fileAgain = "-f "

// having are the commands that have a flag.
func (d *deps) having(flag string) (verbs []string) {
	var add func(*cobra.Command)
	add = func(cmd *cobra.Command) {
		if cmd.Flags().Lookup(flag) != nil {
			verbs = append(verbs, verbOf(cmd))
		}
		for _, c := range cmd.Commands() {
			add(c)
		}
	}
	if d.root != nil {
		add(d.root)
	}
	return verbs
}

// verbOf is a command as it is typed, as "replace" or "fleet run".
func verbOf(cmd *cobra.Command) string {
	return strings.TrimPrefix(cmd.CommandPath(), command.Name+" ")
}

// about is the ensemble that the command was told of; a fleet is none.
func (d *deps) about() command.Ensemble {
	if d.said == nil {
		return command.Ensemble{}
	}
	out := command.Ensemble{Namespace: d.namespace(), Name: d.cmd.Flags().Arg(0)}
	if d.said.doc != nil && d.said.doc.Metadata.Name != "" {
		out.Name = d.said.doc.Metadata.Name
	}
	return out
}

// filesAgain are -f, or --member, which stands in for it.
func (d *deps) filesAgain(verb string) []command.Given {
	s := d.said
	g := command.Given{As: fileAgain, Blank: "-f FILE", Fills: []string{"check", "wrap", "reconfigure"}}
	switch {
	case s == nil:
		f := d.cmd.Flags().Lookup("filename")
		if f == nil || !f.Changed {
			return nil
		}
		g.Values, g.Fills = []string{f.Value.String()}, []string{"fleet run"}
	case s.doc != nil:
		g.Values, g.On = s.files, manifestAgain(verb)
		if s.unnamed {
			g.On = nil
		}
	case !s.hosts || verb == "rbac":
		return nil
	case len(s.members) > 0:
		g.As, g.Values, g.Fills, g.On = "--member=", s.members, []string{"check", "wrap"}, filesOn(verb)
	case len(s.files) > 0:
		// A later look at servers that were restarted reads no files.
		g.Values, g.On, g.Without = s.files, filesOn(verb), "--verify"
	default:
		file, ok := defaultFile()
		if !ok || verb == "unwrap" {
			return nil
		}
		g.Values = []string{file} // which is found again by itself, where -f is not asked for
	}
	if verb == "unwrap" && s.doc == nil {
		g.Fills = nil // they are what the hosts have when everything is taken back
	}
	g.Values = readable(g.Values)
	return []command.Given{g}
}

// filesOn are the commands that need the hosts' files which verb was given. The files of another
// command are not for wrap, which goes by what is recorded, nor for unwrap, to which they prove
// what is on the hosts now.
func filesOn(verb string) []string {
	switch verb {
	case "check":
		return []string{"check", "reconfigure"}
	case "wrap":
		return []string{"check", "wrap", "reconfigure"}
	}
	return []string{verb}
}

// manifestAgain are the commands that need a manifest again. wrap and apply do not: they would
// record its settings, and apply would restart pods with them. Nor does unwrap: it would take the
// files in it for those that are on the hosts now.
func manifestAgain(verb string) []string {
	on := []string{"check", "status", "plan", "clients", "reconfigure", "park", "replace", "seed", "revert", "retire", "finalize"}
	if !slices.Contains(on, verb) {
		on = append(on, verb)
	}
	return on
}

// hookAgain is the program that acts on hosts. To reconfigure it is a consent as well, so it is
// repeated only for a rolling restart that it drives already.
func (d *deps) hookAgain(verb string) []command.Given {
	g := command.Given{As: "--host-hook=", Blank: "--host-hook=PROGRAM", Fills: []string{"reconfigure"}, Without: "--verify"}
	switch f := d.cmd.Flags().Lookup("host-hook"); {
	case f != nil && f.Changed && verb == "check":
		g.Fills, g.On = nil, []string{"check"}
	case f != nil && f.Changed:
		g.On = []string{"park", "replace", "revert"}
		if verb == "reconfigure" {
			g.On = append(g.On, verb)
		}
	case d.said != nil && d.said.inFile("host-hook") != "" && !d.said.unnamed:
		return []command.Given{g} // the manifest says it
	default:
		return nil
	}
	g.Values = []string{program(d.cmd.Flags().Lookup("host-hook").Value.String())}
	return []command.Given{g}
}

// program is a hook as it may be printed: its arguments are anybody's.
func program(hook string) string {
	words, err := quote.Split(hook)
	if err != nil || len(words) == 0 {
		return hook
	}
	for _, w := range words[1:] {
		if w = strings.ToLower(w); ensemble.Secret(w) || strings.Contains(w, "token") {
			return "PROGRAM"
		}
	}
	return hook
}

// ownAgain are the flags that only the same command needs again, until their values are recorded or
// because they never are.
func (d *deps) ownAgain(verb string) []command.Given {
	var own []string
	without := ""
	switch verb {
	case "check":
		own = []string{"waive", "from-pods", "host-report"}
	case "wrap":
		own = []string{"endpoints-api", "expose", "waive"}
		for _, leaf := range manifest.Leaves("spec.pods") {
			own = append(own, leaf.Flag)
		}
	case "reconfigure":
		own = []string{"address", "cluster-domain", "supervisor", "unit", "path", "leave", "dns-zone", "dns-server", "jvm-cmdline", "data-size", "output-dir"}
		without = "--verify"
	case "fleet run":
		own = []string{"output-dir", "wait"}
	}
	var out []command.Given
	for _, name := range own {
		if f := d.cmd.Flags().Lookup(name); f != nil && f.Changed {
			out = append(out, command.Given{As: "--" + name + "=", Values: readable(typed(f)), On: []string{verb}, Without: without})
		}
	}
	return out
}

// askingAgain are the flags that say how ZooKeeper is asked, of every command that has them.
func (d *deps) askingAgain() []command.Given {
	var out []command.Given
	if d.probe.via != viaAuto {
		out = append(out, d.everywhere("probe-via", d.probe.via), d.everywhere("probe-image", d.probe.image))
	}
	credentials := d.everywhere("credentials", d.probe.credentials)
	if d.said != nil && d.said.inFile("credentials") != "" && !d.said.unnamed {
		credentials.Without = fileAgain // which says it
	}
	return append(out, credentials)
}

// everywhere is a flag that every command that has it needs again.
func (d *deps) everywhere(name, value string) command.Given {
	g := command.Given{As: "--" + name + "=", On: d.having(name)}
	if value != "" {
		g.Values = readable([]string{value})
	}
	return g
}

// typed are a flag's values, each as it could have been typed.
func typed(f *pflag.Flag) []string {
	list, many := f.Value.(pflag.SliceValue)
	switch {
	case many && f.Value.Type() == "stringArray":
		return list.GetSlice()
	case many: // in brackets, and with commas as they are in CSV
		return []string{strings.TrimSuffix(strings.TrimPrefix(f.Value.String(), "["), "]")}
	}
	return []string{f.Value.String()}
}

// readable are the names of files as another command can read them: FILE stands for what only this one
// could.
func readable(files []string) []string {
	out := make([]string, len(files))
	for i, f := range files {
		id, path, found := strings.Cut(f, "=")
		if _, err := ensemble.ParseID(id); !found || err != nil {
			id, path = "", f
		} else {
			id += "="
		}
		if path == "-" {
			path = "FILE"
		}
		out[i] = id + command.Again(path)
	}
	return out
}
