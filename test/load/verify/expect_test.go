package verify

import (
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/test/load/history"
)

func TestJudgeRegister(t *testing.T) {
	r := Register{Values: map[int32]string{1: "a", 2: "b", 4: "d"}, Maybe: 2}
	tests := []struct {
		name    string
		got     znode
		want    string
		missing int
	}{
		{"the last acknowledged", znode{true, "d", 4}, "", 0},
		{"an unknown one after it", znode{true, "?", 5}, "", 0},
		{"gone altogether", znode{}, "does not exist", 3},
		{"one lost", znode{true, "?", 3}, "version 3, 4 was acknowledged", 1},
		{"two lost", znode{true, "a", 1}, "version 1, 4 was acknowledged", 2},
		{"another value", znode{true, "x", 4}, `holds "x" at version 4`, 0},
		{"more versions than writes", znode{true, "x", 6}, "3 acknowledged writes and 2 unknown", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := r.judge("/r", tt.got)
			if tt.want == "" {
				if f != nil {
					t.Errorf("got %+v, want nothing", f)
				}
				return
			}
			if f == nil || !strings.Contains(f.What, tt.want) || f.Missing != tt.missing {
				t.Errorf("got %+v, want %q, %d missing", f, tt.want, tt.missing)
			}
		})
	}
}

func TestExpectedGathers(t *testing.T) {
	e := &Expected{Registers: map[string]*Register{}, Created: map[string]string{}}
	for _, op := range []history.Op{
		{Op: history.Set, Key: "/r", Value: "a", Version: 1, Result: history.OK},
		{Op: history.CAS, Key: "/r", Value: "b", Result: history.Fail},
		{Op: history.CAS, Key: "/r", Value: "c", Result: history.Unknown},
		{Op: history.Set, Key: "/r", Value: "d", Version: 1, Result: history.OK},
		{Op: history.Create, Key: "/c-", Path: "/c-1", Value: "e", Result: history.OK},
		{Op: history.Create, Key: "/c-", Path: "/c-1", Value: "f", Result: history.OK},
		{Op: history.Create, Key: "/c-", Value: "g", Result: history.Unknown},
		{Op: history.Read, Key: "/r", Value: "a", Version: 1, Result: history.OK},
	} {
		e.add(op)
	}
	if e.Acknowledged != 4 || len(e.Conflicts) != 2 || e.Registers["/r"].Maybe != 1 || len(e.Created) != 1 {
		t.Errorf("got %+v", e)
	}
}

func TestJudgeContent(t *testing.T) {
	if f := judgeContent("/a", "x", znode{exists: true, data: "x"}); f != nil {
		t.Errorf("equal: got %+v", f)
	}
	if f := judgeContent("/a", "x", znode{}); f == nil || f.Missing != 1 {
		t.Errorf("missing: got %+v", f)
	}
	if f := judgeContent("/a", "x", znode{exists: true, data: "y"}); f == nil || f.Missing != 0 {
		t.Errorf("different: got %+v", f)
	}
}

func TestTreeContentNamesItsPath(t *testing.T) {
	tree := Tree{Znodes: 5000, Size: 100}
	if tree.path(4999) != "/zkload/tree/0049/004999" {
		t.Errorf("path: got %s", tree.path(4999))
	}
	if d := tree.data(4999); len(d) != 100 || !strings.HasPrefix(d, tree.path(4999)) || d == tree.data(4998) {
		t.Errorf("data: got %q", d)
	}
}
