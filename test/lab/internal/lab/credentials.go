package lab

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/control"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/credentials"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/image"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/pki"
)

// clientDir has what clients of a secured ensemble need, on every machine.
func (l *Lab) clientDir(name string) string { return l.Path("credentials", name, "client") }

func (l *Lab) authorityDir(name string) string { return l.Path("credentials", name, "authority") }

// secure makes an ensemble's authority, and what its clients need.
func (l *Lab) secure(ctx context.Context, spec ensemble.Spec, servers []ensemble.Server) (credentials.Set, error) {
	set := credentials.Set{Spec: spec}
	if !spec.Secured() {
		return set, nil
	}
	var err error
	if set.Authority, err = pki.CreateAuthority(l.authorityDir(spec.Name)); err != nil {
		return set, err
	}
	if spec.SASL == ensemble.SASLKerberos {
		if set.Kerberos, err = l.startKDC(ctx); err != nil {
			return set, err
		}
	}
	return set, l.writeClient(ctx, set, servers, l.clientDir(spec.Name))
}

// startKDC has the lab's Kerberos realm answer, which it does until the lab ends.
func (l *Lab) startKDC(ctx context.Context) (credentials.Kerberos, error) {
	if err := install(ctx, l.Log, kerberosTools()); err != nil {
		return nil, err
	}
	kdc, err := control.NewKDC(l.Lab)
	if err != nil {
		return nil, err
	}
	daemon := kdc.Daemon()
	if err := l.start(daemon, nil); err != nil {
		return nil, err
	}
	return kdc, l.await(ctx, "the Kerberos realm", []string{daemon.Name}, func() bool {
		conn, err := control.Dial(ctx, l.Lab, control.KDCAddress)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}

func (l *Lab) writeClient(ctx context.Context, set credentials.Set, servers []ensemble.Server, dir string) error {
	version := set.Spec.Version
	if strings.HasPrefix(version, "3.4.") {
		// Its client takes an address out of InetSocketAddress's text, which is another one from Java 14 on; later clients speak to
		// its servers.
		version = "3.8.0"
	}
	layers, err := image.Store{Cache: l.Cache, Log: l.Log}.Layers(ctx, version)
	if err != nil {
		return err
	}
	var classPath, connect []string
	for _, layer := range layers {
		home := filepath.Join(layer.Rootfs, "opt/zookeeper")
		classPath = append(classPath, filepath.Join(home, "conf"), filepath.Join(home, "lib", "*"))
	}
	for _, s := range servers {
		port := s.ClientPort
		if set.Spec.SecureClients() {
			port = s.SecureClientPort
		}
		connect = append(connect, fmt.Sprintf("%s:%d", s.Listed, port))
	}
	files, err := set.Client(dir, strings.Join(classPath, ":"), strings.Join(connect, ","))
	if err != nil {
		return err
	}
	return files.Write(dir)
}

func writeServerFiles(set credentials.Set, s ensemble.Server) error {
	own, shared, err := set.Server(s)
	if err != nil {
		return err
	}
	for _, files := range []credentials.Files{own, shared} {
		if err := files.Write(s.ConfDir()); err != nil {
			return err
		}
	}
	return nil
}

// Renewal says what new credentials an ensemble gets, and where.
type Renewal struct {
	SANs []string
	// Called says by id what server lines call a server, where it is not as on its host.
	Called map[int]string
	Fault  string
	// Dir, when set, gets what pods and, in the folder client, clients need.
	Dir string
	// Hosts are ids of servers whose files are replaced; they read them when
	// they start.
	Hosts []int
}

// Renew makes new credentials, signed by the ensemble's own authority unless
// another one's are asked for.
func (l *Lab) Renew(ctx context.Context, name string, r Renewal) error {
	e, ok := l.Ensemble(name)
	if !ok {
		return fmt.Errorf("there is no ensemble %s in lab %s", name, l.Name)
	}
	if !e.Spec.Secured() {
		return fmt.Errorf("ensemble %s has no credentials: it was added without tls= and sasl=", name)
	}
	fault, err := credentials.ParseFault(r.Fault, e.Spec)
	if err != nil {
		return err
	}
	authority, err := pki.Load(l.authorityDir(name))
	if err != nil {
		return err
	}
	set := credentials.Set{Spec: e.Spec, Authority: authority, SANs: r.SANs, Called: r.Called, Fault: fault}
	if e.Spec.SASL == ensemble.SASLKerberos {
		if set.Kerberos, err = control.NewKDC(l.Lab); err != nil {
			return err
		}
	}
	for _, id := range r.Hosts {
		_, server, err := l.Host(fmt.Sprintf("%s/%d", name, id))
		if err != nil {
			return err
		}
		if err := writeServerFiles(set, server); err != nil {
			return err
		}
		l.Log.Say("server %s/%d has new files in %s; zklab host restart %s/%d has it read them", name, id, server.ConfDir(), name, id)
	}
	if r.Dir == "" {
		return nil
	}
	dir, err := filepath.Abs(r.Dir)
	if err != nil {
		return fmt.Errorf("find the folder: %w", err)
	}
	files, err := set.ForPods(e.Servers)
	if err != nil {
		return err
	}
	if flags := e.Spec.JVMFlags(ensemble.EtcDir); len(flags) > 0 {
		files["jvm-flags"] = []byte(strings.Join(flags, "\n") + "\n")
	}
	if err := files.Write(dir); err != nil {
		return err
	}
	return l.writeClient(ctx, set, e.Servers, filepath.Join(dir, "client"))
}

// dialServer connects to a server as a client does, by TLS where it must.
func (l *Lab) dialServer(ctx context.Context, name string, s ensemble.Server) (net.Conn, error) {
	if s.ClientPort != 0 {
		return control.Dial(ctx, l.Lab, net.JoinHostPort(s.Address, strconv.Itoa(s.ClientPort)))
	}
	config, err := credentials.ClientTLS(l.clientDir(name))
	if err != nil {
		return nil, err
	}
	config.ServerName = s.Address
	conn, err := control.Dial(ctx, l.Lab, net.JoinHostPort(s.Address, strconv.Itoa(s.SecureClientPort)))
	if err != nil {
		return nil, err
	}
	return tls.Client(conn, config), nil
}
