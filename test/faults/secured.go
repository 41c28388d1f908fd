package faults

import "github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"

// ofCertificates are what can be wrong with the certificate that a pod would join with.
func ofCertificates() []Fault {
	refused := func(name, what string) Fault {
		return Fault{
			Name: name, Test: "TestSecuredMigration", What: what, Version: Guarded, From: OnHost,
			Verdict: Verdict{
				Code: migration.CodePodNotParked, Exit: Waits, Says: "refuses this pod's certificate",
				Next: "kubectl logs {pod} -c gate",
			},
			Way:   "Nothing was stopped: the parked pod has shaken hands with the other servers. Put the right certificate into the Secret; the pod tries it again, and the command goes on.",
			After: InPod,
		}
	}
	return []Fault{
		refused("certificate-of-another-name", "Servers verify each other's names, and the pod's certificate names every host and Service, but not the pod."),
		refused("certificate-of-another-ca", "The pod's certificate is signed by an authority that the other servers do not trust."),
		refused("certificate-expired", "The pod's certificate has expired."),
	}
}
