package verify

import (
	"fmt"
	"maps"
	"slices"

	"github.com/zkmigrate/kubectl-zkmigrate/test/load/history"
)

// Expected is what must be there after a history.
type Expected struct {
	// Acknowledged counts all acknowledged writes.
	Acknowledged int
	// Registers by path.
	Registers map[string]*Register
	// Created holds the content of each acknowledged sequential znode by path.
	Created map[string]string
	// Conflicts are acknowledgements that contradict each other.
	Conflicts []string
}

// Register is what is known of one register: the value each acknowledged
// version had.
type Register struct {
	Values map[int32]string
	// Maybe counts writes whose outcome is unknown; each may have made a
	// version of its own.
	Maybe int
}

// Last returns the highest acknowledged version.
func (r Register) Last() int32 {
	if len(r.Values) == 0 {
		return 0
	}
	return slices.Max(slices.Collect(maps.Keys(r.Values)))
}

// Expect gathers a history.
func Expect(path string) (*Expected, error) {
	e := &Expected{Registers: map[string]*Register{}, Created: map[string]string{}}
	err := history.ReadFile(path, e.add)
	return e, err
}

func (e *Expected) add(op history.Op) {
	switch op.Op {
	case history.Create:
		if op.Result != history.OK {
			return
		}
		e.Acknowledged++
		if before, ok := e.Created[op.Path]; ok {
			e.Conflicts = append(e.Conflicts, fmt.Sprintf("%s was created twice, as %q and %q", op.Path, before, op.Value))
		}
		e.Created[op.Path] = op.Value
	case history.Set, history.CAS:
		r := e.Registers[op.Key]
		if r == nil {
			r = &Register{Values: map[int32]string{}}
			e.Registers[op.Key] = r
		}
		switch op.Result {
		case history.OK:
			e.Acknowledged++
			if before, ok := r.Values[op.Version]; ok {
				e.Conflicts = append(e.Conflicts, fmt.Sprintf("%s version %d was acknowledged twice, as %q and %q", op.Key, op.Version, before, op.Value))
			}
			r.Values[op.Version] = op.Value
		case history.Unknown:
			r.Maybe++
		}
	}
}

// Finding is one thing that is not as acknowledged.
type Finding struct {
	Path string `json:"path"`
	What string `json:"what"`
	// Missing counts acknowledged writes that are gone; a Finding without is a
	// difference.
	Missing int `json:"missing,omitempty"`
}

// znode is what a server has.
type znode struct {
	exists  bool
	data    string
	version int32
}

// judgeContent compares a znode that was written once.
func judgeContent(path, want string, got znode) *Finding {
	switch {
	case !got.exists:
		return &Finding{Path: path, What: "does not exist", Missing: 1}
	case got.data != want:
		return &Finding{Path: path, What: fmt.Sprintf("holds %.60q instead of %.60q", got.data, want)}
	}
	return nil
}

// judge compares a register: every set raises the version by one, so that a
// version lower than the last acknowledged one counts what is gone, and a
// version that was acknowledged must have its value.
func (r Register) judge(path string, got znode) *Finding {
	last := r.Last()
	switch {
	case !got.exists:
		return &Finding{Path: path, What: "does not exist", Missing: len(r.Values)}
	case got.version < last:
		gone := 0
		for v := range r.Values {
			if v > got.version {
				gone++
			}
		}
		return &Finding{Path: path, What: fmt.Sprintf("is at version %d, %d was acknowledged", got.version, last), Missing: gone}
	case int(got.version) > len(r.Values)+r.Maybe:
		return &Finding{Path: path, What: fmt.Sprintf("is at version %d after %d acknowledged writes and %d unknown ones", got.version, len(r.Values), r.Maybe)}
	}
	if want, ok := r.Values[got.version]; ok && want != got.data {
		return &Finding{Path: path, What: fmt.Sprintf("holds %q at version %d instead of %q", got.data, got.version, want)}
	}
	return nil
}
