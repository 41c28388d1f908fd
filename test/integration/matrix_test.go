//go:build integration

package integration

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/access"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/cli"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// without is the Role less one permission.
func without(role *rbacv1.Role, n access.Need) *rbacv1.Role {
	out := role.DeepCopy()
	out.Name = "less-" + n.Verb + "-" + strings.NewReplacer("/", "-", ".", "-").Replace(n.Object())
	out.Rules = nil
	for _, r := range role.Rules {
		if slices.Equal(r.Resources, []string{n.Resource}) && slices.Equal(r.APIGroups, []string{n.Group}) {
			r.Verbs = slices.DeleteFunc(slices.Clone(r.Verbs), func(v string) bool { return v == n.Verb })
		}
		if len(r.Verbs) > 0 {
			out.Rules = append(out.Rules, r)
		}
	}
	return out
}

// run runs a command as that user and returns its exit code and what it said.
func (s *site) runAs(user string, args ...string) (int, string) {
	s.t.Helper()
	var out bytes.Buffer
	streams := genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &out}
	code := cli.Main(s.ctx, append(args, "--kubeconfig", s.cp.path("kubeconfig"), "--as", user, "-n", s.ns), streams)
	return code, out.String()
}

// commandLine is a call of the command that needs a permission.
func commandLine(c access.Command, n access.Need, hook string) []string {
	switch {
	case n.When == access.Unnamed:
		return []string{"status"}
	case c == access.Replace && n.When == access.Copy:
		return []string{"replace", "main", "--id=5", "--yes", "--host-hook", hook, "--data=copy"}
	case c == access.Replace, c == access.Revert:
		return []string{string(c), "main", "--id=5", "--yes", "--host-hook", hook}
	case c == access.Reconfigure:
		return []string{"reconfigure", "main", "--verify", "--timeout=2s"}
	case c == access.Seed:
		return []string{"seed", "main", "--id=5"}
	}
	return nil
}

// Each permission of the table is taken away from the Role for one ensemble; each
// command that needs it and could touch a host, or follows one that does, refuses
// with its verb, its object and what it is for, and calls no hook.
func TestEachPermissionTakenAway(t *testing.T) {
	for _, api := range []migration.EndpointsAPI{migration.EndpointSlices, migration.LegacyEndpoints} {
		t.Run(string(api), func(t *testing.T) {
			cp, ns := plain(t)
			scope := access.Of(ensembleRecord(ns, api), true)
			role := scope.Role()
			cp.grant(t, ns, role, operatorUser)
			s := newSiteIn(t, cp, ns, api)
			s.must("journal", journal.New(cp.admin, ns, "main").Create(s.ctx, s.rec))
			for _, r := range access.Resources() {
				for _, n := range r.Needs {
					if n.Optional() {
						continue // nobody is refused for the lack of it; the narrow Role has none of the cluster-wide ones
					}
					// The second API differs in two rows; the others are the same.
					if !scope.Wants(n) && n.When != access.Unnamed || api == migration.LegacyEndpoints && n.When != access.LegacyWrites {
						continue
					}
					t.Run(n.Verb+" "+n.Object(), func(t *testing.T) {
						t.Parallel()
						one := *s
						one.t, one.ctx = t, t.Context()
						one.takenAway(role, n)
					})
				}
			}
		})
	}
}

func (s *site) takenAway(role *rbacv1.Role, n access.Need) {
	less := without(role, n)
	user := less.Name
	s.cp.grant(s.t, s.ns, less, user)
	calls := filepath.Join(s.t.TempDir(), "calls")
	hook := filepath.Join(s.t.TempDir(), "hook")
	s.must("hook", os.WriteFile(hook, []byte("#!/bin/sh\necho \"$@\" >>"+calls+"\n"), 0o700))
	tried := 0
	for _, c := range []access.Command{access.Replace, access.Revert, access.Reconfigure, access.Seed} {
		args := commandLine(c, n, hook)
		back := c == access.Replace && slices.Contains(n.Commands, access.Revert)
		if args == nil || !slices.Contains(n.Commands, c) && !back {
			continue
		}
		tried++
		want := []string{n.Verb + " " + n.Object(), n.Why}
		if n.When == access.Unnamed {
			want = append(want, "next: give the ensemble's NAME")
		} else {
			want = append(want, "kubectl zkmigrate rbac ")
		}
		// The authorizer learns of the Role some time after it was written, and
		// until then everything is refused.
		eventually(s.t, string(c), func() (bool, string) {
			code, said := s.runAs(user, args...)
			if code != 3 || strings.Count(said, "K8S001") > 1 {
				return false, fmt.Sprintf("exit code %d\n%s", code, said)
			}
			for _, w := range want {
				if !strings.Contains(said, w) {
					return false, fmt.Sprintf("it does not say %q:\n%s", w, said)
				}
			}
			return true, ""
		})
	}
	if tried == 0 {
		s.t.Skipf("only %v need it; it is asked for by wrap and check (K8S001)", n.Commands)
	}
	if data, err := os.ReadFile(calls); err == nil {
		s.t.Errorf("a host was touched:\n%s", data)
	}
}
