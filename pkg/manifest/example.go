package manifest

// Example is a manifest with what most ensembles need.
func Example() string {
	return `apiVersion: zkmigrate.io/v1alpha1
kind: Ensemble
metadata:
  name: zk1
  namespace: zookeeper
spec:
  servers:                      # paths begin in this file's own folder
  - id: 1
    zooCfg: hosts/1/zoo.cfg     # its dynamic file lies beside it, if it has one
  - id: 2
    zooCfg: hosts/2/zoo.cfg
  - id: 3
    zooCfg: hosts/3/zoo.cfg
  address: ip
  credentials: secret/zk1-credentials   # or a file; never a password
  hosts:
    supervisor: systemd
    unit: [zookeeper]
    path: /etc/zookeeper/conf/zoo.cfg
    hook: ./hook.sh
  pods:
    image: registry.example.com/zookeeper:3.8.4
    storageClass: fast
    storageSize: 20Gi
    memory: 4Gi
    cpu: "1"
    jvmFlags: -Xmx3g -Djute.maxbuffer=4194304
    files:
      secret: zk1-files
`
}
