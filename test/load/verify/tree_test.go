package verify

import (
	"context"
	"errors"
	"testing"

	"github.com/go-zookeeper/zk"
)

func TestAgain(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		name    string
		ctx     context.Context
		answers []error
		want    error
		calls   int
	}{
		{"at once", t.Context(), []error{nil}, nil, 1},
		{"after a broken connection", t.Context(), []error{zk.ErrConnectionClosed, nil}, nil, 2},
		{"a refusal is an answer", t.Context(), []error{zk.ErrConnectionClosed, zk.ErrNodeExists}, zk.ErrNodeExists, 2},
		{"no time left", ended, []error{zk.ErrConnectionClosed}, zk.ErrConnectionClosed, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			calls := 0
			err := again(tt.ctx, func() error {
				calls++
				return tt.answers[calls-1]
			})
			if !errors.Is(err, tt.want) || calls != tt.calls {
				t.Errorf("got %v after %d calls, want %v after %d", err, calls, tt.want, tt.calls)
			}
		})
	}
}
