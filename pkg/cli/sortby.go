package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/client-go/util/jsonpath"
	"k8s.io/kubectl/pkg/cmd/get"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// sortBy sorts what is printed as JSON by a JSONPath, as kubectl get does; those without the field
// come first. kubectl's own sorter ends the process where values cannot be compared.
func sortBy[T any](items []T, path string) error {
	if path == "" || len(items) == 0 {
		return nil
	}
	field, err := get.RelaxedJSONPathExpression(path)
	if err != nil {
		return usagef("--sort-by=%s: %w", quote.Typed(path), err)
	}
	parser := jsonpath.New("sort-by").AllowMissingKeys(true)
	if err := parser.Parse(field); err != nil {
		return usagef("--sort-by=%s: %s", quote.Typed(path), quote.Short(quote.Line(err.Error()), 300))
	}
	type keyed struct {
		item T
		key  sortKey
	}
	all, found := make([]keyed, len(items)), false
	for i, item := range items {
		data, err := json.Marshal(item)
		if err != nil {
			return err
		}
		var plain any
		if err := json.Unmarshal(data, &plain); err != nil {
			return err
		}
		results, err := parser.FindResults(plain)
		if err != nil {
			return usagef("--sort-by=%s: %s", quote.Typed(path), quote.Short(quote.Line(err.Error()), 300))
		}
		all[i].item = item
		if len(results) == 0 || len(results[0]) == 0 {
			continue
		}
		found = true
		if all[i].key, err = keyFrom(results[0][0].Interface()); err != nil {
			return usagef("--sort-by=%s: %w", quote.Typed(path), err)
		}
	}
	if !found {
		return usagef("--sort-by=%s: no ensemble has such a field (-o json shows them)", quote.Typed(path))
	}
	slices.SortStableFunc(all, func(a, b keyed) int { return a.key.compare(b.key) })
	for i, k := range all {
		items[i] = k.item
	}
	return nil
}

// sortKey is a value to sort by: a kind, none first, and one of the others.
type sortKey struct {
	kind   int
	number float64
	text   string
}

func keyFrom(value any) (sortKey, error) {
	switch v := value.(type) {
	case nil:
		return sortKey{}, nil
	case bool:
		if v {
			return sortKey{kind: 1, number: 1}, nil
		}
		return sortKey{kind: 1}, nil
	case float64:
		return sortKey{kind: 2, number: v}, nil
	case string:
		return sortKey{kind: 3, text: v}, nil
	}
	return sortKey{}, fmt.Errorf("it is a list or an object: name one of its fields")
}

func (k sortKey) compare(o sortKey) int {
	return cmp.Or(cmp.Compare(k.kind, o.kind), cmp.Compare(k.number, o.number), cmp.Compare(k.text, o.text))
}
