package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUsage(t *testing.T) {
	tests := []struct {
		args []string
		code int
		text string
	}{
		{nil, 2, "usage"},
		{[]string{"dance"}, 2, "unknown command"},
		{[]string{"prepare"}, 2, "--connect"},
		{[]string{"prepare", "--connect", "a"}, 2, "expected host:port"},
		{[]string{"prepare", "--connect", "a:1", "b"}, 2, `unexpected "b"`},
		{[]string{"run", "--connect", "a:1"}, 2, "--report"},
		{[]string{"verify", "--connect", "a:1"}, 2, "--report"},
		{[]string{"ctl", "status"}, 2, "--control"},
		{[]string{"run", "-h"}, 0, ""},
		{[]string{"verify", "--connect", "a:1", "--report", "/nonexistent/report"}, 1, "report"},
		{[]string{"ctl", "--control", "/nonexistent/socket", "status"}, 1, "control socket"},
		{[]string{"check"}, 2, "histories"},
		{[]string{"check", "/nonexistent/history"}, 1, "history"},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			err := command(t.Context(), tt.args, io.Discard, io.Discard)
			if got := exit(err, io.Discard); got != tt.code {
				t.Errorf("exit code: got %d, want %d (%v)", got, tt.code, err)
			}
			if tt.text != "" && (err == nil || !strings.Contains(err.Error(), tt.text)) {
				t.Errorf("got %v, want %q", err, tt.text)
			}
		})
	}
}

func TestStartEndsWhenNobodyAnswers(t *testing.T) {
	report := filepath.Join(t.TempDir(), "report.json")
	err := command(t.Context(), []string{"run", "--connect", "127.0.0.1:1", "--report", report, "--timeout", "300ms"}, io.Discard, io.Discard)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(report); err == nil {
		t.Error("a report of nothing was written")
	}
}

// TestCheck: figures as JSON, words beside them, a picture, and exit code 1
// for what is out of order.
func TestCheck(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, lines ...string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	first := `{"process":"a","call":1,"return":2,"op":"set","key":"/r","value":"x","version":1,"zxid":1,"result":"ok"}`
	second := `{"process":"a","call":3,"return":4,"op":"set","key":"/r","value":"y","version":2,"zxid":2,"result":"ok"}`
	stale := `{"process":"b","call":5,"return":6,"op":"read","key":"/r","value":"x","version":1,"zxid":1,"result":"ok"}`
	good, bad := write("good.jsonl", first, second), write("bad.jsonl", first, second, stale)
	page := filepath.Join(dir, "page.html")

	var out, words bytes.Buffer
	if err := command(t.Context(), []string{"check", "--visualize", page, good, good}, &out, &words); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), `"verdict": "linearizable"`) || !strings.Contains(out.String(), `"histories": 2`) || !strings.Contains(words.String(), "4 writes") {
		t.Errorf("got %s%s", &out, &words)
	}
	if _, err := os.Stat(page); err == nil {
		t.Error("a picture of nothing was drawn")
	}
	out.Reset()
	words.Reset()
	err := command(t.Context(), []string{"check", "--visualize", page, good, bad}, &out, &words)
	if exit(err, io.Discard) != 1 || !strings.Contains(out.String(), `"verdict": "violated"`) || !strings.Contains(words.String(), "no order of the operations explains the read of b") {
		t.Errorf("got %v: %s%s", err, &out, &words)
	}
	if _, err := os.Stat(page); err != nil {
		t.Error(err)
	}
}
