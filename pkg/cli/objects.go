package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/printer"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// objectName is an object as kubectl names it: service/zk1-1.
func objectName(o render.Object) string {
	gvk := o.GetObjectKind().GroupVersionKind()
	kind := strings.ToLower(gvk.Kind)
	if gvk.Group != "" {
		kind += "." + gvk.Group
	}
	return kind + "/" + o.GetName()
}

// printObjects prints what `kubectl apply -f -` takes.
func printObjects(w io.Writer, f printer.Format, objects []render.Object) error {
	switch f {
	case printer.Name:
		for _, o := range objects {
			if _, err := fmt.Fprintln(w, objectName(o)); err != nil {
				return err
			}
		}
		return nil
	case printer.JSON:
		for _, o := range objects {
			data, err := render.JSON(o)
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintf(w, "%s\n", data); err != nil {
				return err
			}
		}
		return nil
	default:
		data, err := render.YAML(objects)
		if err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	}
}
