// In place of a module that Kubernetes 1.27 requires, and of which the build (with the tag
// providerless) needs one package: that version of it is in no checksum database.
module k8s.io/legacy-cloud-providers

go 1.20

require k8s.io/cloud-provider v0.27.16
