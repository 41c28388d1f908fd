package preflight

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// The checks of what former settings and releases have left.
const (
	journalSecrets = "ZK036"
	formerObjects  = "K8S010"
)

func leftChecks() []Check {
	return []Check{
		{ID: journalSecrets, Title: "the journal holds no passwords", Severity: Warning, HintFor: secretsHint, Eval: secretsInClear},
		{ID: formerObjects, Title: "no Secret or ConfigMap of former pod settings is left over", Severity: Warning, HintFor: formerHint,
			Eval: func(f Facts) ([]string, string) {
				var out []string
				for _, name := range f.LeftOver {
					out = append(out, name+": no pod, no StatefulSet and no record refers to it")
				}
				return out, f.LeftOverUnlooked
			}},
	}
}

// secretsInClear names the passwords in a record, never their values: earlier releases kept them
// there.
func secretsInClear(f Facts) (out []string, _ string) {
	rec := f.Record
	settings := map[string]*migration.PodOptions{"pods": &rec.Pods, "podsBefore": rec.PodsBefore}
	for _, where := range []string{"pods", "podsBefore"} {
		if pods := settings[where]; pods != nil && len(pods.Secrets()) > 0 {
			out = append(out, fmt.Sprintf("the journal and its copy hold in %s: %s", where, strings.Join(pods.Secrets(), ", ")))
		}
	}
	return out, ""
}

func secretsHint(f Facts) string {
	return fmt.Sprintf("%s moves those of zoo.cfg into a Secret and rewrites the journal and its copy (podsBefore goes with the next server that is replaced); a JVM flag goes into jvm-flags of --files-secret, and the others into --jvm-flags again. "+
		"ConfigMaps of pods made before (%s) and your own backups still hold them: change the passwords if others could read those",
		command.At{Namespace: f.Record.Namespace, Via: f.Via}.Ours("wrap %s -f FILE", cmp.Or(f.Record.Name, "NAME")), formerObjects)
}

func formerHint(f Facts) string {
	words := cmp.Or(strings.Join(f.LeftOver, " "), "NAMES")
	return "while no command works on the ensemble, somebody who may: " + command.At{Namespace: f.Record.Namespace, Via: f.Via}.Kubectl("delete %s", command.Quoted(words))
}
