package cli

import (
	"strings"
	"testing"
)

// TestStrictFlags: what is hardly meant is refused before anything is asked.
func TestStrictFlags(t *testing.T) {
	usageErrors(t, map[string]string{
		"replace zk1 --image=":                          "--image has no value",
		"replace zk1 --id=1 --id=2":                     "--id is given twice, as 1 and as 2",
		"wrap zk1 -f x --probe-via=":                    "--probe-via has no value",
		"fleet run --filename=":                         "--filename has no value",
		"status --filename=":                            "--filename has no value",
		"wrap zk1 -f=a --filename=":                     "--filename has no value",
		"check zk1 --host-report=":                      "--host-report has no value",
		"rbac zk1 --group=":                             "--group has no value",
		"fleet retry w --ensemble=a --ensemble=b":       "--ensemble is given twice, as a and as b",
		"retire zk1 --id=1 --host-gone=a --host-gone=b": "--host-gone is given twice",
	})
	for _, args := range []string{"status --timeout=1m --timeout=2m", "replace zk1 --id=1 --id=1", "status -o=", "replace zk1 --id=1 --accept-client-loss=1 --accept-client-loss=", "status -w -w"} {
		if _, _, errOut := run(t, "", strings.Fields(args)...); strings.Contains(errOut, "twice") || strings.Contains(errOut, "no value") {
			t.Errorf("%s: %s", args, errOut)
		}
	}
}

// usageErrors wants each command line to be refused as a usage error that says this.
func usageErrors(t *testing.T, cases map[string]string) {
	t.Helper()
	for args, want := range cases {
		if code, _, errOut := run(t, "", strings.Fields(args)...); code != exitUsage || !strings.Contains(errOut, want) {
			t.Errorf("%s: exit code %d, %s", args, code, errOut)
		}
	}
}
