package hosts

import (
	"context"
	"io"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// CopyData asks the operator's program for the host's data.
func (h Hook) CopyData(context.Context, migration.ServerRecord, string) (io.ReadCloser, error) {
	return nil, nil
}

// CopyData says how to send the host's data.
func (m *Manual) CopyData(context.Context, migration.ServerRecord, string) (io.ReadCloser, error) {
	return nil, nil
}
