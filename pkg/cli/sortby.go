package cli

import (
	"encoding/json"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/kubectl/pkg/cmd/get"
	"k8s.io/kubectl/pkg/scheme"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// sortBy sorts what is printed as JSON by a JSONPath, as kubectl get does.
func sortBy[T any](items []T, path string) error {
	if path == "" || len(items) == 0 {
		return nil
	}
	objects := make([]runtime.Object, len(items))
	for i, item := range items {
		data, err := json.Marshal(item)
		if err != nil {
			return err
		}
		if objects[i], err = runtime.Decode(unstructured.UnstructuredJSONScheme, data); err != nil {
			return err
		}
	}
	field, err := get.RelaxedJSONPathExpression(path)
	if err != nil {
		return usagef("--sort-by=%s: %w", quote.Typed(path), err)
	}
	order, err := get.SortObjects(scheme.Codecs.UniversalDecoder(), objects, field)
	if err != nil {
		return usagef("--sort-by=%s: %s", quote.Typed(path), quote.Short(quote.Line(err.Error()), 300))
	}
	sorted := make([]T, len(items))
	for i := range items {
		sorted[i] = items[order.OriginalPosition(i)]
	}
	copy(items, sorted)
	return nil
}
