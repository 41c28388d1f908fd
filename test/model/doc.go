// Package model explores what a migration can run into. It runs the production
// decisions (migration.Decide, Record.Before, Record.After) against a small
// model of the world: ZooKeeper servers with logs and elections, hosts with
// their supervisors, Kubernetes with its controllers, an operator who errs,
// and the tool itself, which may die at any instant or run twice. Every
// reachable state is checked against the invariants of docs/safety.md.
//
// The model is small where ZooKeeper and Kubernetes are trusted and honest
// where the tool could be fooled. What it leaves out stands in docs/safety.md.
package model
