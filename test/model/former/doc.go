// Package former is where hack/former puts the rules of an earlier commit, for make
// test-same. In the repository it is empty.
package former
