package lab

import (
	"context"
	"fmt"
	"os"
	"regexp"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/control"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/pki"
)

// AddUser makes a user who may do what the manifest's roles allow, and no more.
func AddUser(ctx context.Context, l *Lab, user, namespace, roleFile string) error {
	if !regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$`).MatchString(user) {
		return fmt.Errorf("user %q: want letters a-z, digits and -", user)
	}
	manifest, err := os.ReadFile(roleFile)
	if err != nil {
		return fmt.Errorf("read the role manifest: %w", err)
	}
	grants, err := control.ParseGrants(manifest)
	if err != nil {
		return fmt.Errorf("%s: %w", roleFile, err)
	}
	client, err := l.client()
	if err != nil {
		return err
	}
	if err := control.Grant(ctx, client, user, namespace, grants); err != nil {
		return err
	}
	ca, err := pki.Load(l.Path("pki"))
	if err != nil {
		return err
	}
	return control.UserKubeconfigs(l.Lab, ca, pki.Subject{User: user}, namespace)
}
