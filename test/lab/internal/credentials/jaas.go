package credentials

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/plan"
)

// section is one of a JAAS file: its name, a login module and its options.
func section(name, module string, options ...string) string {
	return fmt.Sprintf("%s {\n  %s required\n  %s;\n};\n", name, module, strings.Join(options, "\n  "))
}

func option(name, value string) string { return fmt.Sprintf("%s=%q", name, value) }

const digestModule = "org.apache.zookeeper.server.auth.DigestLoginModule"

func (s Set) digestServer() []byte {
	password := ensemble.QuorumPassword
	if s.Fault == OtherPassword {
		password = "lab-other-secret"
	}
	return []byte(section("QuorumServer", digestModule, option("user_"+ensemble.QuorumUser, password)) +
		section("QuorumLearner", digestModule, option("username", ensemble.QuorumUser), option("password", password)) +
		section("Server", digestModule, option("user_"+ensemble.ClientUser, ensemble.ClientPassword)))
}

func (s Set) digestClient() []byte {
	password := ensemble.ClientPassword
	if s.Fault == OtherPassword {
		password = "lab-other-secret"
	}
	return []byte(section("Client", digestModule, option("username", ensemble.ClientUser), option("password", password)))
}

// kerberosSection logs in by a key tab alone.
func kerberosSection(name, keyTab, principal string) string {
	return section(name, "com.sun.security.auth.module.Krb5LoginModule",
		"useKeyTab=true", option("keyTab", keyTab), "storeKey=true", "useTicketCache=false", option("principal", principal))
}

// addKeyTab adds the keys of the principal that other servers look for, and of
// the one that they looked for before where that was another.
func (s Set) addKeyTab(server ensemble.Server, own, shared Files) error {
	principal := func(host string) string {
		return fmt.Sprintf("%s/%s@%s", ensemble.KerberosService, host, plan.Realm)
	}
	name := s.called(server)
	if s.Fault == OtherPrincipal {
		name = "somebody-else." + plan.HostDomain
	}
	principals := []string{principal(name)}
	if server.Listed != name {
		principals = append(principals, principal(server.Listed))
	}
	keys, err := s.Kerberos.KeyTab(principals...)
	if err != nil {
		return err
	}
	var jaas strings.Builder
	for _, section := range []string{"QuorumServer", "QuorumLearner", "Server"} {
		jaas.WriteString(kerberosSection(section, filepath.Join(ensemble.EtcDir, ensemble.KeyTab), principals[0]))
	}
	own[ensemble.KeyTab], own[ensemble.JAASFile] = keys, []byte(jaas.String())
	shared[ensemble.Krb5Conf] = s.Kerberos.Config()
	return nil
}
