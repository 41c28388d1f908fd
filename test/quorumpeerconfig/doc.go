// Package quorumpeerconfig compares how this project reads a zoo.cfg with how
// ZooKeeper itself does: the tests (build tag zk) hand the same files to
// QuorumPeerConfig of several real releases.
package quorumpeerconfig
