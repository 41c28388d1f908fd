package command

import "github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"

// Via are the flags that say which cluster is meant, and by whom, as they were
// given: a command that is printed for one cluster and run without them works on
// another, where an ensemble of that name may be as well. The zero value has none.
type Via struct {
	// both are flags of kubectl and of ours, own those of ours alone.
	both, own string
}

// With adds a flag that kubectl has as well, unless its value is empty.
func (v Via) With(name, value string) Via {
	v.both = joined(v.both, name, value)
	return v
}

// WithOwn adds a flag that only our commands have, unless its value is empty.
func (v Via) WithOwn(name, value string) Via {
	v.own = joined(v.own, name, value)
	return v
}

func joined(words, name, value string) string {
	if value == "" {
		return words
	}
	return before(words) + "--" + name + "=" + quote.Shell(value)
}

// String is what kubectl gets.
func (v Via) String() string { return v.both }

// before is words in front of other words.
func before(words string) string {
	if words == "" {
		return ""
	}
	return words + " "
}

// Equal lets tests compare what has one.
func (v Via) Equal(o Via) bool { return v == o }
