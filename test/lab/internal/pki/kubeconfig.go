package pki

import (
	"fmt"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Kubeconfig says who talks to which API server.
type Kubeconfig struct {
	Server, Cluster, User, Namespace string
	CA                               []byte
	Pair                             Pair
}

// Write writes a kubeconfig with everything inside, so that it can be copied.
func (k Kubeconfig) Write(path string) error {
	config := clientcmdapi.NewConfig()
	config.Clusters[k.Cluster] = &clientcmdapi.Cluster{Server: k.Server, CertificateAuthorityData: k.CA}
	config.AuthInfos[k.User] = &clientcmdapi.AuthInfo{ClientCertificateData: k.Pair.Cert, ClientKeyData: k.Pair.Key}
	config.Contexts[k.Cluster] = &clientcmdapi.Context{Cluster: k.Cluster, AuthInfo: k.User, Namespace: k.Namespace}
	config.CurrentContext = k.Cluster
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		return fmt.Errorf("write kubeconfig %s: %w", path, err)
	}
	return nil
}
