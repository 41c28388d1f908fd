package main

import (
	"fmt"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/manifest"
)

// ensemblePage is the page about manifests.
func ensemblePage() string {
	var b strings.Builder
	b.WriteString(note + "# Ensemble: all that is said of an ensemble, in one file\n\n" +
		"Instead of flags on every command, write one file per ensemble, keep it with your other manifests, and give it to every command:\n\n" +
		"```sh\nkubectl zkmigrate check -f zkmigrate.yaml\nkubectl zkmigrate wrap -f zkmigrate.yaml\nkubectl zkmigrate reconfigure -f zkmigrate.yaml\n" +
		"kubectl zkmigrate replace --id=1 -f zkmigrate.yaml\nkubectl zkmigrate revert --id=1 -f zkmigrate.yaml\n```\n\n" +
		"`wrap` without `-f` reads `zkmigrate.yaml` in the current folder. It is no object of the cluster: `kubectl apply` does not know it.\n\n```yaml\n" + manifest.Example() + "```\n\n" +
		"To begin with, have `wrap` write it: `wrap zk1 -f conf/ --memory=4Gi --dry-run=client -o ensemble > zkmigrate.yaml` from files and flags, or\n" +
		"`wrap zk1 -o ensemble` from what is recorded. The hosts' files are not recorded: there servers have addresses, which is enough for `wrap`; put `zooCfg`\n" +
		"in their place for `reconfigure`. Given back with `wrap -f`, what it printed changes nothing.\n\n" +
		"- A field says what its flag says. What both say must be the same ([ADR 25](adr/0025-one-declarative-input.md)); so must NAME and `-n`.\n" +
		"- A field that is left out keeps what is recorded, or has its default.\n" +
		"- `wrap` records it. `replace` records what is under `pods`, `reconfigure` what is under `hosts`, `address` and `clusterDomain`. Where another command sees that\n" +
		"  the file says something else than is recorded, it says so and goes on with what is recorded.\n" +
		"- Paths begin in the file's own folder, a hook without a slash is looked for in PATH.\n" +
		"- Before the wrap, `check -f` judges what its pods would find: storage class, quota, limits, nodes, admission (K8S004 to K8S009).\n" +
		"- With `hosts.hook`, `reconfigure` asks before that program restarts servers, and `replace` before it stops one; `--yes` answers. `reconfigure --verify` only watches.\n" +
		"- No field holds a password: `credentials` names a file or a Secret ([credentials](credentials.md)), `pods.files.secret` a Secret ([files](files.md)).\n" +
		"- What is wrong with it is told with file, line and field, all at once, exit code 2, and nothing is written. Unknown fields, duplicate keys, several\n" +
		"  documents, anchors and tags are refused.\n" +
		"- Editors check it against [ensemble.schema.json](ensemble.schema.json): `# yaml-language-server: $schema=PATH` as its first line. `kubectl zkmigrate explain\n" +
		"  ensemble.spec.pods` says the same as this page.\n\n" +
		"## Fields\n\n| field | type | flag | what it says |\n|---|---|---|---|\n")
	rows(&b, "", manifest.Fields())
	return b.String()
}

func rows(b *strings.Builder, path string, f manifest.Field) {
	for _, sub := range f.Fields {
		at := strings.TrimPrefix(path+"."+sub.Name, ".")
		flag := ""
		if sub.Flag != "" {
			flag = "`--" + sub.Flag + "`"
		}
		text := sub.Sentence()
		if sub.Required {
			text += " Required"
			if sub.With != "" {
				text += " with `" + sub.With + "`"
			}
			text += "."
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", at, sub.Type, flag, text)
		if sub.Type == manifest.Objects {
			at += "[]"
		}
		rows(b, at, sub)
	}
}
