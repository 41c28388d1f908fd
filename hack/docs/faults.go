package main

import (
	"fmt"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/test/faults"
)

// faultPage is the list that test/faults plays.
func faultPage() string {
	var b strings.Builder
	b.WriteString(note + "# What can go wrong, and how it ends\n\n" +
		"Each of these is played on real ZooKeeper and Kubernetes (`test/faults`), while a client writes: the fault, what the\n" +
		"tool says, the way out, the end. Throughout, the server's Service has exactly one address at every moment, unless the\n" +
		"row says otherwise, and afterwards every acknowledged write is there. In the texts the ensemble is `zk1`, the server in\n" +
		"question 1 on host 10.0.0.1, the leader 3, the one that is left 2. The word in brackets is the rule's name, as\n" +
		"`--verbose` and refusals print it.\n")
	example := strings.NewReplacer("{name}", "zk1", "{id}", "1", "{other}", "2", "{leader}", "3", "{host}", "10.0.0.1", "{pod}", "zk1-pod-0")
	for _, p := range faults.Parts() {
		fmt.Fprintf(&b, "\n## %s\n", p.Title)
		for _, f := range p.Faults {
			fmt.Fprintf(&b, "\n### %s\n\n%s\n\n", f.Name, f.What)
			data := ""
			if f.Large {
				data = fmt.Sprintf(", with %d MB of data", faults.LargeZnodes*faults.LargeSize/1_000_000)
			}
			fmt.Fprintf(&b, "- When: %s, on ZooKeeper %s%s.\n", moment(f), f.Version, data)
			fmt.Fprintf(&b, "- The tool %s\n", example.Replace(verdict(f.Verdict)))
			fmt.Fprintf(&b, "- Way out: %s\n", f.Way)
			fmt.Fprintf(&b, "- It ends with the server %s.\n", map[faults.Place]string{faults.OnHost: "on its host", faults.InPod: "in its pod"}[f.After])
			if f.Test != "" {
				run := f.Run
				if run == "" {
					run = "make test-e2e"
				}
				fmt.Fprintf(&b, "- Played by `%s` of `test/e2e` (`%s`).\n", f.Test, run)
			}
			if f.NoAddress != "" {
				fmt.Fprintf(&b, "- Not exactly one address meanwhile: %s.\n", f.NoAddress)
			}
		}
	}
	return b.String()
}

func moment(f faults.Fault) string {
	command := "replace"
	if len(f.Command) > 0 {
		command = f.Command[0]
	}
	switch {
	case f.When != "":
		return fmt.Sprintf("during `%s`, after the step %q", command, migration.StepByID(f.When).Title)
	case f.From == faults.Wrapped:
		return "after `wrap`, before `reconfigure`"
	case f.From == faults.AllInPods:
		return "after all replacements"
	case f.From == faults.InPod:
		return "after a replacement"
	}
	return "before `" + command + "`"
}

func verdict(v faults.Verdict) string {
	code := ""
	if v.Code != "" {
		code = fmt.Sprintf(" [%s]", v.Code)
	}
	how := fmt.Sprintf("ends with exit code %d", v.Exit)
	switch v.Exit {
	case faults.Waits:
		how = "waits"
	case faults.Goes:
		how = "goes on by itself"
	}
	text := how
	if v.Says != "" {
		text += fmt.Sprintf("%s: \"… %s …\"", code, v.Says)
	}
	if v.Next != "" {
		text += fmt.Sprintf(", and prints \"%s\"", v.Next)
	}
	return text + "."
}
