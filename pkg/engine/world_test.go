package engine_test

import (
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/engine"
	"github.com/zkmigrate/kubectl-zkmigrate/test/simworld"
)

// world is what the loop works on.
type world struct{ *simworld.World }

func newWorld() *world { return &world{simworld.New()} }

func (w *world) engine() *engine.Engine { return w.Engine() }
