package main

import (
	"fmt"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/access"
)

// permissions is the table behind the Role.
func permissions() string {
	var b strings.Builder
	b.WriteString(note + "# Permissions\n\nWhat each command needs, and why. [rbac.md](rbac.md) says what these rights amount to.\n\n")
	b.WriteString("| verb | resource | narrowed to | only with | commands | to | steps |\n|---|---|---|---|---|---|---|\n")
	for _, r := range access.Resources() {
		for _, n := range r.Needs {
			target := string(n.Target)
			if n.Target == access.All {
				target = "cannot be narrowed"
			}
			var commands, steps []string
			for _, c := range n.Commands {
				commands = append(commands, string(c))
			}
			for _, s := range n.Steps {
				steps = append(steps, string(s))
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", n.Verb, n.Object(), target, n.When, strings.Join(commands, ", "), n.Why, strings.Join(steps, ", "))
		}
	}
	return b.String()
}
