// Package vantage holds what a look at a server is about and what it brought: a target,
// how far the question came, what was said. Plain values, so that rules can
// be made far from any network; not seen is a value like the others.
package vantage
