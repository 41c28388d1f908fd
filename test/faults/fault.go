// Package faults is the list of what goes wrong in a migration: what it is,
// when it happens, what the tool says, and how it ends well. The list is data;
// one runner plays each fault in the lab, on real ZooKeeper and Kubernetes,
// while a client writes. docs/faults.md is made from the same list.
package faults

import (
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// Place is where the server in question is.
type Place string

// The places a fault begins and ends with.
const (
	OnHost Place = "host"
	InPod  Place = "pod"
	// Wrapped is on its host, which was not restarted with the new list yet.
	Wrapped Place = "wrapped"
	// AllInPods is in its pod, as the others are.
	AllInPods Place = "pods"
)

func (p Place) inPod() bool { return p == InPod || p == AllInPods }

// Waits stands for an exit code: the command goes on waiting by itself.
const Waits = -1

// Goes stands for an exit code: the command goes on by itself and ends well.
const Goes = -2

// Versions the list is played on: with and without a guard against empty
// voters (ZOOKEEPER-261).
const (
	Unguarded = "3.4.13"
	Guarded   = "3.8.0"
)

// Fault is one thing that goes wrong, and its end.
type Fault struct {
	// Name is short, unique and stable.
	Name string
	// Core is set where CI plays it (go test -short), one of each kind; the others
	// are long: make test-faults.
	Core bool
	// What says in one sentence what goes wrong.
	What string
	// Version is the ZooKeeper release it is played on.
	Version string
	// From is where the server is at the beginning; the others are on hosts.
	From Place
	// When is the step of replace after which it happens; empty for before the
	// command.
	When migration.StepID
	// Args are further arguments of the command.
	Args []string
	// Command is replace --id=N where empty.
	Command []string
	// Hook is the text of a hook program that misbehaves, {zklab} the good one.
	Hook string
	// Prepare makes ready what it happens to, before the command; it may be nil.
	Prepare func(*Stage)
	// Trigger makes it happen; with When set, while the command is held.
	Trigger func(*Stage)
	Verdict Verdict
	// Way is what helps, in words, Recover the same done. It begins when the
	// verdict has been seen and ends when the migration or the revert has.
	Way     string
	Recover func(*Stage)
	// After is where the server is at the end.
	After Place
	// NoAddress says why the Service may be without its one address meanwhile;
	// empty where it must not be.
	NoAddress string
	// Large is set where there must be much data, and initLimit is short.
	Large bool
	// Alone is set where all of the lab suffers; TestFaultsOfTheLab plays it.
	Alone bool
	// Sight is set where the tool's own view is the fault: it is played where the
	// operator's machine has nothing else to do.
	Sight bool
	// Test is the one of test/e2e that plays it, where the runner of this list cannot: with a
	// lab or a network of its own. Run is how to run it, where that is not make test-e2e.
	Test, Run string
}

// Elsewhere is a fault of the list that a test of test/e2e plays; the test wants its words.
func Elsewhere(t *testing.T, name string) Fault {
	t.Helper()
	for _, f := range All() {
		if f.Name == name && f.Test != "" {
			return f
		}
	}
	t.Fatalf("no fault %s that a test of test/e2e plays", name)
	return Fault{}
}

// Verdict is what the tool must say. In its texts {name}, {id}, {other},
// {leader}, {host} and {pod} stand for those of the scene.
type Verdict struct {
	// Code is the rule's name as printed; empty for an error that no rule made.
	Code migration.Code
	// Exit is the exit code, or Waits or Goes.
	Exit int
	// Says is a part of the reason, Next of the way out that is printed.
	Says, Next string
}

// Part is a chapter of the list.
type Part struct {
	Title  string
	Faults []Fault
}

// Parts is the list in chapters, in the order in which it is played: what needs
// pods that do not exist yet first, what costs data last.
func Parts() []Part {
	return []Part{
		{"Pods that do not park", parking()},
		{"Paths between pods and servers", paths()},
		{"Certificates, passwords and keys", ofCredentials()},
		{"Other servers", voters()},
		{"The host, and who works on it", hosts()},
		{"Between release and join, and after it", syncing()},
		{"Large data", large()},
		{"Nodes that lose their power", nodes()},
		{"Hosts that lose their power", power()},
		{"Kubernetes objects changed by hand", objects()},
		{"The journal, its lock and the control plane", journals()},
		{"On the way back", back()},
		{"Servers that cannot be seen", partial()},
		{"Lost data", losses()},
	}
}

// All is the list without chapters.
func All() []Fault {
	var all []Fault
	for _, p := range Parts() {
		all = append(all, p.Faults...)
	}
	return all
}
