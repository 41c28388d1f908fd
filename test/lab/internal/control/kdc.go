package control

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/plan"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/state"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/sys"
)

// KDC is the lab's Kerberos realm: Debian's krb5kdc beside the API server. Its
// database is changed as a file, with kadmin.local.
type KDC struct{ lab *state.Lab }

// KDCAddress answers to Kerberos, by TCP and UDP.
const KDCAddress = plan.ControlPlane + ":88"

// NewKDC makes the realm, unless it is there.
func NewKDC(lab *state.Lab) (KDC, error) {
	k := KDC{lab: lab}
	if _, err := os.Stat(k.path("principal")); !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if err := os.MkdirAll(k.path(), 0o700); err != nil {
		return k, fmt.Errorf("make the Kerberos realm: %w", err)
	}
	kdcConf := fmt.Sprintf(`[kdcdefaults]
  kdc_listen = %[1]s
  kdc_tcp_listen = %[1]s
[realms]
  %[2]s = {
    database_name = %[3]s
    key_stash_file = %[4]s
    acl_file = %[5]s
  }
[logging]
  kdc = STDERR
`, KDCAddress, plan.Realm, k.path("principal"), k.path("stash"), k.path("acl"))
	for name, text := range map[string][]byte{"krb5.conf": k.Config(), "kdc.conf": []byte(kdcConf)} {
		if err := os.WriteFile(k.path(name), text, 0o600); err != nil {
			return k, fmt.Errorf("make the Kerberos realm: %w", err)
		}
	}
	return k, k.run("kdb5_util", "create", "-s", "-W", "-r", plan.Realm, "-P", "lab-master-secret")
}

func (k KDC) path(parts ...string) string {
	return k.lab.Path(append([]string{"kdc"}, parts...)...)
}

func (k KDC) env() []string {
	return []string{"KRB5_CONFIG=" + k.path("krb5.conf"), "KRB5_KDC_PROFILE=" + k.path("kdc.conf")}
}

// Daemon answers.
func (k KDC) Daemon() sys.Daemon {
	return sys.Daemon{
		Name: "krb5kdc", Place: k.lab.Place(plan.ControlPlaneMachine), Env: k.env(),
		Args: []string{"krb5kdc", "-n", "-r", plan.Realm},
	}
}

// Config is the krb5.conf of everybody in the lab.
func (k KDC) Config() []byte {
	return fmt.Appendf(nil, `[libdefaults]
  default_realm = %[1]s
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
  udp_preference_limit = 1
[realms]
  %[1]s = {
    kdc = %[2]s
  }
`, plan.Realm, KDCAddress)
}

// KeyTab has the keys of principals, which are made where they do not exist.
func (k KDC) KeyTab(principals ...string) ([]byte, error) {
	dir, err := os.MkdirTemp(k.path(), "keytab-")
	if err != nil {
		return nil, fmt.Errorf("make a key tab: %w", err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "keytab")
	for _, p := range principals {
		if k.run("kadmin.local", "-r", plan.Realm, "getprinc", p) != nil {
			if err := k.run("kadmin.local", "-r", plan.Realm, "addprinc", "-randkey", p); err != nil {
				return nil, err
			}
		}
		if err := k.run("kadmin.local", "-r", plan.Realm, "ktadd", "-norandkey", "-k", file, p); err != nil {
			return nil, err
		}
	}
	keys, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("make a key tab of %q: %w", principals, err)
	}
	return keys, nil
}

func (k KDC) run(program string, args ...string) error {
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), k.env()...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %q: %w: %s", program, args, err, out)
	}
	return nil
}
