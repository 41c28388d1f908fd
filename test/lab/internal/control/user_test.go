package control

import (
	"strings"
	"testing"
)

func TestParseGrants(t *testing.T) {
	g, err := ParseGrants([]byte(`# comment only
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: a, namespace: elsewhere}
rules:
- apiGroups: [""]
  resources: [services]
  verbs: [get, list]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: b}
rules:
- {apiGroups: [""], resources: [nodes], verbs: [list]}
`))
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Roles) != 1 || g.Roles[0].Name != "a" || g.Roles[0].Namespace != "" || g.Roles[0].Rules[0].Verbs[1] != "list" {
		t.Errorf("roles: %+v", g.Roles)
	}
	if len(g.ClusterRoles) != 1 || g.ClusterRoles[0].Rules[0].Resources[0] != "nodes" {
		t.Errorf("cluster roles: %+v", g.ClusterRoles)
	}
}

func TestParseGrantsRefusesOthers(t *testing.T) {
	for text, says := range map[string]string{
		"kind: RoleBinding\nmetadata: {name: a}\n": "RoleBinding",
		"":        "no Role",
		"a: [b\n": "read the role manifest",
	} {
		if _, err := ParseGrants([]byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: got %v, want an error that says %q", text, err, says)
		}
	}
}
