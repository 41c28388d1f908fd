// Package printer writes results for people and for programs. It decides
// nothing and asks nobody.
package printer

import (
	"encoding/json"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/printers"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// Format is an output format.
type Format string

// The formats that are our own; the others are kubectl's, by Printer.Objects.
const (
	Table Format = ""
	Wide  Format = "wide"
	JSON  Format = "json"
	YAML  Format = "yaml"
	Name  Format = "name"
	// Saved is everything that one look has seen, as a file.
	Saved Format = "observation"
	// Ensemble is a manifest that wrap -f takes.
	Ensemble Format = "ensemble"
)

// Printer writes things in the form that -o names.
type Printer struct {
	Format Format
	// NoHeaders leaves out the first line of a table.
	NoHeaders bool
	// Objects prints what is asked for by a JSONPath, a template or columns; nil where
	// Format says it all.
	Objects printers.ResourcePrinter
}

// ForPeople reports whether text for people is asked for.
func (p Printer) ForPeople() bool {
	return p.Objects == nil && (p.Format == Table || p.Format == Wide)
}

// Structured prints any value that has an apiVersion and a kind, as JSON or YAML, or what is
// asked for of it.
func (p Printer) Structured(w io.Writer, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	switch {
	case p.Objects != nil:
		o, err := runtime.Decode(unstructured.UnstructuredJSONScheme, data)
		if err != nil {
			return err
		}
		return p.Objects.PrintObj(o, w)
	case p.Format == YAML:
		if data, err = quote.YAML(data); err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", data)
	return err
}
