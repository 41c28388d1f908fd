package cluster

import (
	"errors"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// What looking again can mend must not end a command: a write of one that died
// may arrive between the look and the write of the next.
func TestWhichErrorsArePermanent(t *testing.T) {
	slices := schema.GroupResource{Group: "discovery.k8s.io", Resource: "endpointslices"}
	for name, c := range map[string]struct {
		err       error
		permanent bool
	}{
		"created meanwhile": {apierrors.NewAlreadyExists(slices, "main-1-bridge"), false},
		"changed meanwhile": {apierrors.NewConflict(slices, "main-1-bridge", errors.New("modified")), false},
		"gone":              {apierrors.NewNotFound(slices, "main-1-bridge"), false},
		"busy":              {apierrors.NewServerTimeout(slices, "create", 1), false},
		"forbidden":         {apierrors.NewForbidden(slices, "main-1-bridge", errors.New("no")), true},
		"refused":           {apierrors.NewBadRequest("what is this"), true},
	} {
		t.Run(name, func(t *testing.T) {
			err := (&Client{}).notWritten(c.err, "create", "EndpointSlice", "zk", "main-1-bridge")
			var p interface{ Permanent() bool }
			if got := errors.As(err, &p) && p.Permanent(); got != c.permanent {
				t.Errorf("%v: permanent %t, want %t", err, got, c.permanent)
			}
		})
	}
}
