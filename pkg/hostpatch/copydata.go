package hostpatch

import (
	"fmt"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// CopyInput is what the command needs that sends a stopped server's data.
type CopyInput struct {
	// Host is where ssh goes; DataDir and DataLogDir are as in its zoo.cfg, empty
	// when nobody has read it. DataLogDir is empty, too, where it is DataDir.
	Host, DataDir, DataLogDir string
	// Supervisor and Unit say in which container the directories are, where they are in one.
	Supervisor Supervisor
	Unit       string
	// Token goes into the file TokenFile of DataDir, and thereby into the copy.
	TokenFile, Token string
	// To is the command that reads the tar.
	To string
}

// Placeholders stand for directories that are not known.
const (
	DataDirPlaceholder    = "DATADIR"
	DataLogDirPlaceholder = "DATALOGDIR"
)

// CopyCommand is one line for the operator's shell, and what must be known to
// run it. -h follows links, for version-2 may be one; -S leaves out what
// ZooKeeper has written ahead in zeros; -P keeps absolute names without a word. The
// token comes last, in a tar of its own, and only if the first one has read all.
func CopyCommand(in CopyInput) (line string, notes []string) {
	word := quote.Shell
	if in.Supervisor.IsEngine() {
		word = func(file string) string { return mountedFrom(in.Supervisor, in.Unit, file) }
	}
	dir, logs := in.DataDir, ""
	switch {
	case !onHost(in.DataDir) || in.DataLogDir != "" && !onHost(in.DataLogDir):
		word = quote.Shell
		dir, logs = DataDirPlaceholder, " "+DataLogDirPlaceholder+"/version-2"
		notes = append(notes, fmt.Sprintf("put the directories of the host's zoo.cfg in: dataDir for %s; dataLogDir for %s, or leave the last word out where there is none", DataDirPlaceholder, DataLogDirPlaceholder))
	case in.DataLogDir != "" && in.DataLogDir != in.DataDir:
		logs = " " + word(in.DataLogDir+"/version-2")
	}
	notes = append(notes, "as a user who may write to "+quote.Line(dir)+"; the pipe must not pass through anything that changes bytes (no ssh -t)")
	file := quote.Shell(in.TokenFile)
	script := fmt.Sprintf("cd %s && echo %s > %s && tar -chSPf - myid version-2%s && tar -cf - %s", word(dir), quote.Shell(in.Token), file, logs, file)
	return quote.SSH(in.Host, script) + " | " + in.To, notes
}

// onHost: ssh begins in a home directory, so only a whole path names one place.
func onHost(path string) bool { return strings.HasPrefix(path, "/") }
