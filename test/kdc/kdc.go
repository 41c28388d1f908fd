//go:build linux

// Package kdc runs a real Kerberos KDC (MIT's, Debian's krb5-kdc) on loopback for tests.
package kdc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Realm is the realm of every KDC here.
const Realm = "ZK.TEST"

// KDC is one running KDC; its database, keytabs and logs are in dir.
type KDC struct {
	dir  string
	cmd  *exec.Cmd
	done chan struct{}
}

// Start makes an empty realm in a directory that the caller removes, and serves it on a free port of
// 127.0.0.1, TCP and UDP, with a clock that is ahead of this machine's.
func Start(ctx context.Context, dir string, ahead time.Duration) (*KDC, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("find a port for a KDC: %w", err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, err
	}
	k := &KDC{dir: dir, done: make(chan struct{})}
	for name, text := range map[string]string{
		"krb5.conf": fmt.Sprintf("[libdefaults]\n  default_realm = %[1]s\n  dns_lookup_kdc = false\n  rdns = false\n[realms]\n  %[1]s = {\n    kdc = %[2]s\n  }\n", Realm, addr),
		"kdc.conf": fmt.Sprintf("[kdcdefaults]\n  kdc_listen = %[2]s\n  kdc_tcp_listen = %[2]s\n[realms]\n  %[1]s = {\n    database_name = %[3]s/principal\n    key_stash_file = %[3]s/stash\n"+
			"    supported_enctypes = aes256-cts:normal aes128-cts:normal\n  }\n[logging]\n  kdc = FILE:%[3]s/kdc.log\n", Realm, addr, dir),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	if err := k.run(ctx, "kdb5_util", "create", "-s", "-r", Realm, "-P", "master"); err != nil {
		return nil, err
	}
	k.cmd = exec.Command("krb5kdc", "-n", "-r", Realm)
	k.cmd.Env = k.env()
	if ahead != 0 {
		// The program faketime would stay its parent, and be killed in its place.
		lib, err := filepath.Glob("/usr/lib/*/faketime/libfaketime.so.1")
		if err != nil || len(lib) != 1 {
			return nil, fmt.Errorf("libfaketime.so.1: found %q (hack/install-tools.sh installs it)", lib)
		}
		k.cmd.Env = append(k.cmd.Env, "LD_PRELOAD="+lib[0], fmt.Sprintf("FAKETIME=%+ds", int(ahead.Seconds())))
	}
	// A test that is killed must not leave a KDC behind.
	k.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := k.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start krb5kdc: %w (hack/install-tools.sh installs it)", err)
	}
	go func() {
		_ = k.cmd.Wait() // it is killed at the end
		close(k.done)
	}()
	return k, k.wait(ctx, addr)
}

// wait waits until the KDC takes connections.
func (k *KDC) wait(ctx context.Context, addr string) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr); err == nil {
			return c.Close()
		}
		select {
		case <-k.done:
			log, _ := os.ReadFile(filepath.Join(k.dir, "kdc.log"))
			return errors.New("krb5kdc has ended: " + string(log))
		case <-ctx.Done():
			return fmt.Errorf("krb5kdc does not listen: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

// Close ends the KDC.
func (k *KDC) Close() {
	_ = k.cmd.Process.Kill() // it may have ended
	<-k.done
}

// ConfFile is the path of a krb5.conf that names the KDC.
func (k *KDC) ConfFile() string { return filepath.Join(k.dir, "krb5.conf") }

// Admin runs one query of kadmin.local, as "addprinc -randkey NAME".
func (k *KDC) Admin(ctx context.Context, query string) error {
	return k.run(ctx, "kadmin.local", "-r", Realm, "-q", query)
}

// Keytab makes a principal with new keys, or gives it new ones, and returns the path of a keytab
// with these alone.
func (k *KDC) Keytab(ctx context.Context, name string) (string, error) {
	// Where it exists, kadmin.local says so and is content.
	if err := k.Admin(ctx, "addprinc -randkey "+name); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(k.dir, "*.keytab")
	if err != nil {
		return "", err
	}
	path := f.Name()
	// kadmin wants to make the file itself.
	if err := errors.Join(f.Close(), os.Remove(path)); err != nil {
		return "", err
	}
	return path, k.Admin(ctx, "ktadd -k "+path+" "+name)
}

func (k *KDC) env() []string {
	return append(os.Environ(), "KRB5_CONFIG="+k.ConfFile(), "KRB5_KDC_PROFILE="+filepath.Join(k.dir, "kdc.conf"))
}

// run takes a complaint for a failure, too: kadmin.local exits with 0 after some of them.
func (k *KDC) run(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = k.env()
	out, err := cmd.CombinedOutput()
	_, complaint, _ := strings.Cut(string(out), name+": ")
	if err == nil && complaint != "" {
		err = errors.New("failed")
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return nil
}
