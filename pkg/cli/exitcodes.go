package cli

import (
	"fmt"
	"strings"
)

const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitRefused     = 3
	exitPaused      = 4
	exitTimeout     = 124
	exitInterrupted = 130
)

// exitCode is one of those, in a few words for the root's help and in a sentence
// for the README.
type exitCode struct {
	code            int
	short, sentence string
}

// exitCodes is all that the program ends with.
func exitCodes() []exitCode {
	return []exitCode{
		{exitOK, "done", "done"},
		{exitError, "error, or differences found by diff", "error; of `diff`: differences, and its errors are above 1"},
		{exitUsage, "usage", "usage: arguments, flags, input files, kubeconfig; nothing was written"},
		{exitRefused, "refused by a check, nothing changed", "refused: a check failed or a permission is missing; no server was touched, or no other one where `replace --all` has moved some"},
		{exitPaused, "waiting or paused, state saved", "waiting or paused; the state is saved, run the same command again to resume"},
		{exitTimeout, "timed out", "timed out (`--timeout`, or the API server did not answer in time); the state is saved"},
		{exitInterrupted, "interrupted", "interrupted; the state is saved"},
	}
}

func exitCodesHelp() string {
	var parts []string
	for _, c := range exitCodes() {
		parts = append(parts, fmt.Sprintf("%d %s", c.code, c.short))
	}
	return "Exit codes: " + strings.Join(parts, "; ") + "."
}
