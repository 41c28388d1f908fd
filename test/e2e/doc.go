// Package e2e holds whole migrations in the lab: real Kubernetes, real
// ZooKeeper, a client writing throughout. Run with -tags e2e, as root.
package e2e
