package intake

import (
	"bytes"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostpatch"
)

// JVM reads a copy of /proc/PID/cmdline of a server's JVM; file is how messages
// name it. Anything else, or a flag that no server may run with, is a usage error.
func JVM(id ensemble.ID, file string, data []byte) (hostpatch.CommandLine, error) {
	line := hostpatch.ParseCommandLine(data)
	if line.Main == "" || !bytes.ContainsRune(data, 0) {
		return line, usagef("%s is no copy of /proc/PID/cmdline of a JVM: expected words that end with a zero byte, a main class among them", file)
	}
	for _, flag := range line.Flags {
		if why := hostpatch.UnsafeFlag(flag.Raw); why != "" && flag.Action == hostpatch.FlagCarry {
			return line, usagef("server %d runs with %s: %s; restart it without the flag first", id, flag.Text, why)
		}
	}
	return line, nil
}
