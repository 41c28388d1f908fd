package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// Object is any of our typed objects, with its TypeMeta set.
type Object interface {
	runtime.Object
	metav1.Object
}

// JSON is the object as it is sent and printed: without a status and without
// the empty fields that the Go types carry.
func JSON(o Object) ([]byte, error) {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", o.GetObjectKind().GroupVersionKind().Kind, o.GetName(), err)
	}
	delete(fields, "status")
	prune(fields)
	return json.Marshal(fields)
}

// YAML prints the objects as one stream that `kubectl apply -f -` takes.
func YAML(objects []Object) ([]byte, error) {
	var out bytes.Buffer
	for i, o := range objects {
		data, err := JSON(o)
		if err != nil {
			return nil, err
		}
		text, err := quote.YAML(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.GetName(), err)
		}
		if i > 0 {
			out.WriteString("---\n")
		}
		out.Write(text)
	}
	return out.Bytes(), nil
}

// prune drops what is null: "creationTimestamp: null" tells nobody anything.
// Empty strings, lists and objects stay, they can be meant.
func prune(v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if value == nil {
				delete(v, key)
				continue
			}
			prune(value)
		}
	case []any:
		for _, item := range v {
			prune(item)
		}
	}
}

// sortObjects orders objects by kind (what others refer to first) and then in
// the order given, so that output never depends on a map.
func sortObjects(objects []Object) []Object {
	rank := func(o Object) int {
		for i, kind := range []string{"ConfigMap", "Secret", "Service", "EndpointSlice", "Endpoints", "PodDisruptionBudget", "StatefulSet"} {
			if o.GetObjectKind().GroupVersionKind().Kind == kind {
				return i
			}
		}
		return -1
	}
	sort.SliceStable(objects, func(i, j int) bool { return rank(objects[i]) < rank(objects[j]) })
	return objects
}
