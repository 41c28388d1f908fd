package cluster

import (
	"context"
	"io"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// Seed fills the parked pod's volume with the copy that r brings.
func (c *Client) Seed(_ context.Context, _ migration.Record, id ensemble.ID, _ io.Reader) error {
	return &Error{Reason: Invalid, What: "copying data into the pod of server " + id.String() + " is not built in yet"}
}
