package ensemble

import (
	"path/filepath"
	"strings"
)

// How servers and clients authenticate.
const (
	SASLDigest   = "digest"
	SASLKerberos = "kerberos"
)

// Passwords of sasl=digest, and the users that have them.
const (
	QuorumUser     = "quorum"
	QuorumPassword = "lab-quorum-secret"
	ClientUser     = "client"
	ClientPassword = "lab-client-secret"
)

// KerberosService is the first part of servers' principals: the one that
// ZooKeeper's own client asks for.
const KerberosService = "zookeeper"

// Names of the files of a server with SASL.
const (
	JAASFile = "jaas.conf"
	KeyTab   = "zookeeper.keytab"
	Krb5Conf = "krb5.conf"
)

// JVMFlags are what every server is started with, beside its heap. dir has the
// files that they name.
func (s Spec) JVMFlags(dir string) []string {
	var flags []string
	if s.SASL != "" {
		flags = append(flags, "-Djava.security.auth.login.config="+filepath.Join(dir, JAASFile))
	}
	if s.SASL == SASLKerberos {
		flags = append(flags, "-Djava.security.krb5.conf="+filepath.Join(dir, Krb5Conf))
	}
	return flags
}

// saslLines are zoo.cfg's. 3.4 cannot make clients authenticate; what they do is
// up to the ACLs there.
func (s Spec) saslLines() []string {
	if s.SASL == "" {
		return nil
	}
	lines := []string{
		"quorum.auth.enableSasl=true", "quorum.auth.learnerRequireSasl=true", "quorum.auth.serverRequireSasl=true",
		"authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider",
	}
	if !strings.HasPrefix(s.Version, "3.4.") {
		lines = append(lines, "sessionRequireClientSASLAuth=true")
	}
	if s.SASL == SASLKerberos {
		lines = append(lines, "quorum.auth.kerberos.servicePrincipal="+KerberosService+"/_HOST")
	}
	return lines
}
