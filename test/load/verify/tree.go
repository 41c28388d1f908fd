// Package verify writes data whose content can be told from its path, and
// reads everything back.
package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/go-zookeeper/zk"
)

// TreeRoot is where Prepare builds.
const TreeRoot = "/zkload/tree"

// Tree describes what Prepare built; it is kept in TreeRoot itself.
type Tree struct {
	Znodes int `json:"znodes"`
	Size   int `json:"size"`
}

const perFolder = 100

func (t Tree) path(i int) string {
	return fmt.Sprintf("%s/%04d/%06d", TreeRoot, i/perFolder, i)
}

// data repeats the path until it has the size: a znode with another's content
// is noticed.
func (t Tree) data(i int) string {
	path := t.path(i)
	return strings.Repeat(path, t.Size/len(path)+1)[:t.Size]
}

// Prepare creates the tree; what exists already is kept.
func Prepare(ctx context.Context, conn *zk.Conn, t Tree) error {
	create := func(path, data string) *zk.CreateRequest {
		return &zk.CreateRequest{Path: path, Data: []byte(data), Acl: zk.WorldACL(zk.PermAll)}
	}
	about, err := json.Marshal(t)
	if err != nil {
		return err
	}
	for _, n := range []struct{ path, data string }{{"/zkload", ""}, {TreeRoot, string(about)}} {
		if err := again(ctx, func() error {
			_, err := conn.Create(n.path, []byte(n.data), 0, zk.WorldACL(zk.PermAll))
			return err
		}); err != nil && !errors.Is(err, zk.ErrNodeExists) {
			return fmt.Errorf("create %s: %w", n.path, err)
		}
	}
	var had Tree
	err = again(ctx, func() (err error) { had, err = ReadTree(conn); return err })
	if err != nil || had != t {
		return errors.Join(fmt.Errorf("%s holds another tree (%+v): delete it or ask for the same", TreeRoot, had), err)
	}
	for from := 0; from < t.Znodes; from += perFolder {
		if err := ctx.Err(); err != nil {
			return err
		}
		folder := t.path(from)[:len(t.path(from))-7]
		ops := []any{create(folder, "")}
		for i := from; i < min(from+perFolder, t.Znodes); i++ {
			ops = append(ops, create(t.path(i), t.data(i)))
		}
		// All or nothing: an existing folder has all its znodes.
		if err := again(ctx, func() error { _, err := conn.Multi(ops...); return err }); err != nil && !errors.Is(err, zk.ErrNodeExists) {
			return fmt.Errorf("create %s and what is below: %w", folder, err)
		}
	}
	return nil
}

// again repeats what a broken connection left without an answer: everything
// here may be done twice.
func again(ctx context.Context, f func() error) error {
	for {
		err := f()
		if !errors.Is(err, zk.ErrConnectionClosed) || ctx.Err() != nil {
			return err
		}
		pause(ctx)
	}
}

// ReadTree returns what Prepare built, the zero Tree when it did not.
func ReadTree(conn *zk.Conn) (Tree, error) {
	var t Tree
	data, _, err := conn.Get(TreeRoot)
	if errors.Is(err, zk.ErrNoNode) {
		return t, nil
	}
	if err != nil {
		return t, fmt.Errorf("read %s: %w", TreeRoot, err)
	}
	if err := json.Unmarshal(data, &t); err != nil {
		return t, fmt.Errorf("read %s: %w", TreeRoot, err)
	}
	return t, nil
}
