module github.com/zkmigrate/kubectl-zkmigrate

go 1.25.0

require (
	github.com/go-zookeeper/zk v1.0.4
	github.com/google/go-cmp v0.7.0
	github.com/spf13/cobra v1.10.2
	k8s.io/api v0.34.4
	k8s.io/apimachinery v0.34.4
	k8s.io/cli-runtime v0.34.4
	k8s.io/client-go v0.34.4
	k8s.io/kubectl v0.34.4
	sigs.k8s.io/yaml v1.6.0
)
