package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkprobe"
)

// Credentials are what ZooKeeper is asked with, as a file says it. Nothing secret stands in
// it or on a command line: it names other files, beside it or by an absolute path, or other
// entries of its Secret.
type Credentials struct {
	TLS  *TLSFiles `json:"tls,omitempty"`
	SASL *SASLUser `json:"sasl,omitempty"`
}

// TLSFiles are PEM files for a server's secure client port. CA has the authorities that
// sign servers' certificates (without it: the system's), Certificate and Key are the
// client's, where servers want one.
type TLSFiles struct {
	CA          string `json:"ca,omitempty"`
	Certificate string `json:"certificate,omitempty"`
	Key         string `json:"key,omitempty"`
}

// SASLUser is who we are where clients must authenticate. Username and PasswordFile are for
// DIGEST-MD5; Principal, Keytab (or PasswordFile), Krb5Conf, Service and Hosts for GSSAPI.
type SASLUser struct {
	Mechanism    zkprobe.Mechanism `json:"mechanism"`
	Username     string            `json:"username,omitempty"`
	PasswordFile string            `json:"passwordFile,omitempty"`
	Principal    string            `json:"principal,omitempty"`
	Keytab       string            `json:"keytab,omitempty"`
	Krb5Conf     string            `json:"krb5Conf,omitempty"`
	Service      string            `json:"service,omitempty"`
	// Hosts are those in the servers' principals, by server id; without one, the host of the
	// address at which it is asked.
	Hosts map[string]string `json:"hosts,omitempty"`
}

// secretPrefix begins a --credentials that is a Secret's name.
const secretPrefix = "secret/"

// credentialsExample shows the file; docs/credentials.md says more.
const credentialsExample = `  tls:
    ca: ca.pem
    certificate: client.pem
    key: client-key.pem
  sasl:
    mechanism: DIGEST-MD5
    username: NAME
    passwordFile: password`

// credentialsEntry is the entry of that Secret that names the others.
const credentialsEntry = "credentials.yaml"

// loadCredentials reads what --credentials names, or a manifest at place. What it cannot read is a usage error: nothing has been
// asked yet.
func (d *deps) loadCredentials(ctx context.Context, place, from string) error {
	if d.probe.credentials = from; from == "" {
		return nil
	}
	if !inSecret(from) {
		data, err := readInput(ctx, from, nil)
		if err != nil {
			return usagef("%s: %w", place, err)
		}
		return d.useCredentials(place+"="+from, data, func(name string) ([]byte, error) {
			if !filepath.IsAbs(name) {
				name = filepath.Join(filepath.Dir(from), name)
			}
			return readInput(ctx, name, nil)
		})
	}
	name, err := secretName(place, from)
	if err != nil {
		return err
	}
	k, err := d.kube()
	if err != nil {
		return err
	}
	secret, err := k.client.CoreV1().Secrets(k.namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("%s=%s: %w", place, from, err)
	}
	entry := func(name string) ([]byte, error) {
		data, ok := secret.Data[path.Base(name)]
		if !ok {
			return nil, fmt.Errorf("it has no entry %s", quote.Typed(path.Base(name)))
		}
		return data, nil
	}
	data, err := entry(credentialsEntry)
	if err != nil {
		return usagef("%s=%s: %w", place, from, err)
	}
	return d.useCredentials(place+"="+from, data, entry)
}

// nameCredentials is loadCredentials for a command about many ensembles: a Secret is each one's
// own, in its cluster and namespace, and is read by whoever looks at it there.
func (d *deps) nameCredentials(ctx context.Context, place, from string) error {
	if !inSecret(from) {
		return d.loadCredentials(ctx, place, from)
	}
	d.probe.credentials = from
	_, err := secretName(place, from)
	return err
}

// inSecret reports whether credentials are those of a Secret.
func inSecret(from string) bool { return strings.HasPrefix(from, secretPrefix) }

// secretName is that Secret.
func secretName(place, from string) (string, error) {
	name := strings.TrimPrefix(from, secretPrefix)
	if len(validation.IsDNS1123Subdomain(name)) > 0 {
		return "", usagef("%s=%s is not the name of a Secret: use lower-case letters, digits, dashes and dots", place, quote.Typed(from))
	}
	return name, nil
}

// useCredentials reads the file; from is where it was named, and its name.
func (d *deps) useCredentials(from string, data []byte, read func(name string) ([]byte, error)) error {
	var c Credentials
	// What YAML says of a file of another kind quotes it, and that may be the password's.
	if err := yaml.Unmarshal(data, &c); err != nil || c.TLS == nil && c.SASL == nil {
		return usagef("%s: it is no YAML with tls or sasl\nexpected:\n%s", from, credentialsExample)
	}
	if err := yaml.UnmarshalStrict(data, &c); err != nil {
		return usagef("%s: %w\nexpected:\n%s", from, err, credentialsExample)
	}
	if c.TLS != nil {
		config, err := c.TLS.config(read)
		if err != nil {
			return usagef("%s: %w", from, err)
		}
		d.probe.tls = config
	}
	if c.SASL != nil {
		user, err := c.SASL.user(read)
		if err != nil {
			return usagef("%s: %w", from, err)
		}
		d.probe.sasl, d.probe.called = user, map[ensemble.ID]string{}
		for word, host := range c.SASL.Hosts {
			id, err := ensemble.ParseID(word)
			if err != nil {
				return usagef("%s: sasl.hosts: %w", from, err)
			}
			d.probe.called[id] = host
		}
	}
	return nil
}

// user reads the files.
func (u SASLUser) user(read func(name string) ([]byte, error)) (*zkprobe.SASL, error) {
	out := &zkprobe.SASL{Mechanism: u.Mechanism, Username: u.Username, Principal: u.Principal, Service: u.Service}
	for _, f := range []struct {
		field, name string
		take        func([]byte)
	}{
		{"passwordFile", u.PasswordFile, func(b []byte) { out.Password = strings.TrimRight(string(b), "\r\n") }},
		{"keytab", u.Keytab, func(b []byte) { out.Keytab = b }},
		{"krb5Conf", u.Krb5Conf, func(b []byte) { out.Krb5Conf = string(b) }},
	} {
		if f.name == "" {
			continue
		}
		data, err := read(f.name)
		if err != nil {
			return nil, fmt.Errorf("sasl.%s: %w", f.field, err)
		}
		f.take(data)
	}
	if err := out.Check(); err != nil {
		return nil, fmt.Errorf("sasl: %w", err)
	}
	return out, nil
}

func (f TLSFiles) config(read func(name string) ([]byte, error)) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.CA != "" {
		pem, err := read(f.CA)
		if err != nil {
			return nil, fmt.Errorf("tls.ca: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("tls.ca: %s holds no certificate in PEM: openssl x509 -in FILE -out ca.pem writes one", f.CA)
		}
	}
	if (f.Certificate == "") != (f.Key == "") {
		return nil, fmt.Errorf("tls.certificate and tls.key belong together: give both, or neither")
	}
	if f.Certificate == "" {
		return config, nil
	}
	certificate, err := read(f.Certificate)
	if err != nil {
		return nil, fmt.Errorf("tls.certificate: %w", err)
	}
	key, err := read(f.Key)
	if err != nil {
		return nil, fmt.Errorf("tls.key: %w", err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return nil, fmt.Errorf("tls.certificate, tls.key: %w: both in PEM, the key without a passphrase", err)
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}
