package command

import "github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"

// Via are the flags that say which cluster is meant, and by whom, as they were
// given: a command that is printed for one cluster and run without them works on
// another, where an ensemble of that name may be as well. It is empty where none
// were given.
type Via string

// With adds a flag, unless its value is empty.
func (v Via) With(name, value string) Via {
	if value == "" {
		return v
	}
	return Via(v.before()) + Via("--"+name+"="+quote.Shell(value))
}

// before is v in front of other words.
func (v Via) before() string {
	if v == "" {
		return ""
	}
	return string(v) + " "
}
