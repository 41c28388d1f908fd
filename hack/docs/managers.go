package main

import (
	"fmt"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/manager"
)

// managers is the page about who else writes the hosts' files.
func managers() string {
	var b strings.Builder
	b.WriteString(note + "# Who else has a hand in it\n\n" +
		"A patch holds only as long as nobody writes the file back, and a stopped server stays down only as long as nobody starts it. Check ZK031\n" +
		"looks for the programs that do: at the comments and settings of the files given with `-f`, and, where hosts have [reported](host-report.md), at\n" +
		"the paths, the units and their drop-ins. `README.txt` beside the patches names them for the hosts concerned. Hold each before the first restart,\n" +
		"until the end of the migration. Words in capitals are yours to put in; commands are for root on the host, unless they say otherwise.\n\n" +
		"Two ways lead through: hold the program, patch, and give it the new lines before it runs again; or give it the new lines and have it restart\n" +
		"the servers in the order of `README.txt`, one at a time, with `reconfigure --verify` watching. Once a server runs in its pod, its host must be\n" +
		"out of the program's reach for good: take the host out of the role before it may run there again.\n")
	for _, m := range manager.All() {
		fmt.Fprintf(&b, "\n## %s%s\n\nIf not held: %s. The new lines go into %s.\n\n```sh\n%s\n# at the end\n%s\n```\n",
			strings.ToUpper(m.Name[:1]), m.Name[1:], m.Does, m.Lasting, strings.Join(m.Hold, "\n"), strings.Join(m.Release, "\n"))
	}
	return b.String()
}
