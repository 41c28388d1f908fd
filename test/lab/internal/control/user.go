package control

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes"
)

// Grants are the roles a manifest holds.
type Grants struct {
	Roles        []rbacv1.Role
	ClusterRoles []rbacv1.ClusterRole
}

// ParseGrants reads Roles and ClusterRoles; anything else is refused, so that
// what a test grants is all it grants.
func ParseGrants(manifest []byte) (Grants, error) {
	var g Grants
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifest), 4096)
	for {
		var raw struct {
			metav1.TypeMeta   `json:",inline"`
			metav1.ObjectMeta `json:"metadata"`
			Rules             []rbacv1.PolicyRule `json:"rules"`
		}
		err := decoder.Decode(&raw)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Grants{}, fmt.Errorf("read the role manifest: %w", err)
		}
		meta := metav1.ObjectMeta{Name: raw.Name, Labels: raw.Labels}
		switch raw.Kind {
		case "":
		case "Role":
			g.Roles = append(g.Roles, rbacv1.Role{ObjectMeta: meta, Rules: raw.Rules})
		case "ClusterRole":
			g.ClusterRoles = append(g.ClusterRoles, rbacv1.ClusterRole{ObjectMeta: meta, Rules: raw.Rules})
		default:
			return Grants{}, fmt.Errorf("read the role manifest: it has a %s; only Role and ClusterRole are granted", raw.Kind)
		}
	}
	if len(g.Roles)+len(g.ClusterRoles) == 0 {
		return Grants{}, errors.New("read the role manifest: there is no Role in it")
	}
	return g, nil
}

// Grant makes the namespace and the roles, and binds them to the user.
func Grant(ctx context.Context, client kubernetes.Interface, user, namespace string, g Grants) error {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	if _, err := client.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("make namespace %s: %w", namespace, err)
	}
	subjects := []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: user}}
	for _, role := range g.Roles {
		role.Namespace = namespace
		roles := client.RbacV1().Roles(namespace)
		_, err := roles.Create(ctx, &role, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			_, err = roles.Update(ctx, &role, metav1.UpdateOptions{})
		}
		if err != nil {
			return fmt.Errorf("grant role %s: %w", role.Name, err)
		}
		binding := &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: role.Name + "-" + user, Namespace: namespace}, Subjects: subjects,
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		}
		if _, err := client.RbacV1().RoleBindings(namespace).Create(ctx, binding, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("bind role %s: %w", role.Name, err)
		}
	}
	return grantClusterRoles(ctx, client, user, subjects, g.ClusterRoles)
}

func grantClusterRoles(ctx context.Context, client kubernetes.Interface, user string, subjects []rbacv1.Subject, roles []rbacv1.ClusterRole) error {
	for _, role := range roles {
		_, err := client.RbacV1().ClusterRoles().Create(ctx, &role, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			_, err = client.RbacV1().ClusterRoles().Update(ctx, &role, metav1.UpdateOptions{})
		}
		if err != nil {
			return fmt.Errorf("grant cluster role %s: %w", role.Name, err)
		}
		binding := &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: role.Name + "-" + user}, Subjects: subjects,
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		}
		if _, err := client.RbacV1().ClusterRoleBindings().Create(ctx, binding, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("bind cluster role %s: %w", role.Name, err)
		}
	}
	return nil
}
