// Package tunnel opens connections from inside a pod: many conversations over the one
// stream of a program that runs there. It knows nothing of ZooKeeper. What comes back is
// input: lines of a bounded length, checked one by one; whatever does not fit ends the
// stream, and with it every conversation, as an error and never as an answer.
package tunnel
