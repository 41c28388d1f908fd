package history

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-zookeeper/zk"
	"github.com/google/go-cmp/cmp"
)

func TestRecordAndRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h.jsonl")
	r, err := NewRecorder(path)
	if err != nil {
		t.Fatal(err)
	}
	seven := int32(7)
	want := []Op{
		{Process: "writer-1", Call: r.Now(), Return: r.Now(), Op: CAS, Key: "/a", Value: "x", Expected: &seven, Version: 8, Result: OK},
		{Process: "reader-1", Call: r.Now(), Return: r.Now(), Op: Read, Key: "/a", Result: Unknown, Error: "gone"},
	}
	for _, op := range want {
		r.Record(op)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"process":"writer-1","ca`); err != nil {
		t.Fatal(err)
	}
	f.Close()
	var got []Op
	if err := ReadFile(path, func(op Op) { got = append(got, op) }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
}

func TestReadRefusesABrokenLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h.jsonl")
	if err := os.WriteFile(path, []byte("{}\nnot json\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := ReadFile(path, func(Op) {}); err == nil {
		t.Error("no error for a broken line in the middle")
	}
}

func TestClassify(t *testing.T) {
	tests := []struct {
		err  error
		want Result
	}{
		{nil, OK}, {zk.ErrBadVersion, Fail}, {zk.ErrNoNode, Fail}, {zk.ErrNodeExists, Fail},
		{zk.ErrConnectionClosed, Unknown}, {zk.ErrNoServer, Unknown}, {zk.ErrSessionExpired, Unknown},
		{zk.ErrSessionMoved, Unknown}, {errors.New("anything"), Unknown},
	}
	for _, tt := range tests {
		if got := Classify(tt.err); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.err, got, tt.want)
		}
	}
}
