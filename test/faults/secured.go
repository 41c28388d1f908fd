package faults

import "github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"

// ofCredentials are what can be wrong with what a pod would join with.
func ofCredentials() []Fault {
	refused := func(name, test, says, what, way string) Fault {
		return Fault{
			Name: name, Test: test, What: what, Version: Guarded, From: OnHost,
			Verdict: Verdict{Code: migration.CodePodNotParked, Exit: Waits, Says: says, Next: "kubectl logs {pod} -c gate"},
			Way:     "Nothing was stopped: " + way + "; the pod tries it again, and the command goes on.",
			After:   InPod,
		}
	}
	certificate := func(name, what string) Fault {
		return refused(name, "TestSecuredMigration", "refuses this pod's certificate", what,
			"the parked pod has shaken hands with the other servers. Put the right certificate into the Secret")
	}
	return []Fault{
		certificate("certificate-of-another-name", "Servers verify each other's names, and the pod's certificate names every host and Service, but not the pod."),
		certificate("certificate-of-another-ca", "The pod's certificate is signed by an authority that the other servers do not trust."),
		certificate("certificate-expired", "The pod's certificate has expired."),
		refused("password-between-servers", "TestSecuredMigration", "denies this pod by SASL", "The pod's JAAS file has another password for servers than the hosts' (DIGEST-MD5).",
			"the parked pod has authenticated to the leader. Put the right JAAS file into the Secret"),
		{
			Name: "password-of-clients", Test: "TestSecuredMigration", Version: Guarded, From: OnHost,
			What:    "The pod's JAAS file has another password for a client than the hosts' (DIGEST-MD5).",
			Verdict: Verdict{Exit: Waits, Says: "the server refused the credentials", Next: "kubectl zkmigrate replace {name} --id={id}"},
			Way:     "The server is in its pod and serves the others; clients cannot authenticate to it, and the operation does not end. `revert` brings the host back; put the right JAAS file into the Secret before the next replacement.",
			After:   OnHost,
		},
		refused("keytab-of-another-server", "TestKerberosMigration", "cannot log in by the section", "The pod's keytab does not have the principal that its JAAS file names.",
			"the parked pod has tried the logins of its JAAS file. Put the right keytab into the Secret"),
	}
}
