//go:build !model

package model

// full says that this is the long run.
const full = false
