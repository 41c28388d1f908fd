package kubeconn

import (
	"fmt"
	"net/http"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// judgeKind refuses an answer of another kind than what was asked for. client-go makes a list of
// something else, or a Status that says success, an object with nothing in it and no error
// (rest.Result.Into): "there is none".
func (t *transport) judgeKind(req *http.Request, resp *http.Response, head runtime.TypeMeta) error {
	want, many, ok := resourceOf(req.URL.Path)
	if !ok || req.Method == http.MethodDelete { // which is answered with a Status, or with the object
		return nil
	}
	kind := head.GroupVersionKind()
	one, isList := strings.CutSuffix(kind.Kind, "List")
	is, _ := meta.UnsafeGuessKindToResource(kind.GroupVersion().WithKind(one))
	partial := strings.Contains(req.Header.Get("Accept"), "as=PartialObjectMetadata") && kind.Group == "meta.k8s.io" && one == "PartialObjectMetadata"
	if isList == (many && req.Method == http.MethodGet) && (is == want || partial) {
		return nil
	}
	return &Error{
		What: fmt.Sprintf("%s was answered with another kind of object: %s %s instead of %s (%s)", asked(req), clip(head.APIVersion), clip(head.Kind), clip(want.Resource), resp.Status),
		Next: notKubernetes(t.via),
	}
}

// resourceOf is the resource of an API server's path, which may stand behind a path of a proxy's;
// many says that it names none of its objects. ok is false for other paths, such as those of
// subresources.
func resourceOf(path string) (of schema.GroupVersionResource, many, ok bool) {
	words := strings.Split(strings.Trim(path, "/"), "/")
	for len(words) > 1 && words[0] != "apis" && (words[0] != "api" || words[1] != "v1") {
		words = words[1:]
	}
	if words[0] == "apis" {
		words = words[1:]
	} else {
		words[0] = "" // the group of v1
	}
	if len(words) < 3 {
		return of, false, false
	}
	of.Group, of.Version, words = words[0], words[1], words[2:]
	if len(words) > 2 && words[0] == "namespaces" {
		words = words[2:]
	}
	of.Resource = words[0]
	return of, len(words) == 1, len(words) <= 2
}
