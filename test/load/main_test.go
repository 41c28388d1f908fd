package main

import (
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
