package kubeconn

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
)

// protobuf is an object as an API server sends it to a client that asks for protobuf.
func protobuf(t *testing.T, object runtime.Object) string {
	t.Helper()
	info, ok := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), runtime.ContentTypeProtobuf)
	if !ok {
		t.Fatal("no protobuf")
	}
	body, err := runtime.Encode(scheme.Codecs.EncoderForVersion(info.Serializer, schema.GroupVersion{Version: "v1"}), object)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestAnswersOfAnotherKind: client-go takes them for an object, or a list, with nothing in it.
func TestAnswersOfAnotherKind(t *testing.T) {
	const js = "application/json"
	list := func(kind, version string) string {
		return fmt.Sprintf(`{"kind":%q,"apiVersion":%q,"metadata":{"resourceVersion":"1"},"items":[]}`, kind, version)
	}
	status := func(status, reason string) string {
		return fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","status":%q,"reason":%q,"code":200}`, status, reason)
	}
	listed := func(ctx context.Context, c kubernetes.Interface, _ metadata.Interface) error {
		_, err := c.CoreV1().ConfigMaps("a").List(ctx, metav1.ListOptions{})
		return err
	}
	everywhere := func(ctx context.Context, c kubernetes.Interface, _ metadata.Interface) error {
		_, err := c.DiscoveryV1().EndpointSlices("").List(ctx, metav1.ListOptions{})
		return err
	}
	got := func(ctx context.Context, c kubernetes.Interface, _ metadata.Interface) error {
		_, err := c.CoreV1().Endpoints("a").Get(ctx, "b", metav1.GetOptions{}) // their name is its own plural
		return err
	}
	namespace := func(ctx context.Context, c kubernetes.Interface, _ metadata.Interface) error {
		_, err := c.CoreV1().Namespaces().Get(ctx, "a", metav1.GetOptions{})
		return err
	}
	created := func(ctx context.Context, c kubernetes.Interface, _ metadata.Interface) error {
		_, err := c.CoreV1().ConfigMaps("a").Create(ctx, &corev1.ConfigMap{}, metav1.CreateOptions{})
		return err
	}
	deleted := func(ctx context.Context, c kubernetes.Interface, _ metadata.Interface) error {
		return c.CoreV1().ConfigMaps("a").Delete(ctx, "b", metav1.DeleteOptions{})
	}
	partly := func(ctx context.Context, _ kubernetes.Interface, m metadata.Interface) error {
		_, err := m.Resource(corev1.SchemeGroupVersion.WithResource("configmaps")).Namespace("a").List(ctx, metav1.ListOptions{})
		return err
	}
	for name, row := range map[string]struct {
		ask         func(context.Context, kubernetes.Interface, metadata.Interface) error
		media, body string
		says        string
	}{
		"a list":                        {listed, js, list("ConfigMapList", "v1"), ""},
		"a list, protobuf":              {listed, runtime.ContentTypeProtobuf, protobuf(t, &corev1.ConfigMapList{}), ""},
		"a list of a group":             {everywhere, js, list("EndpointSliceList", "discovery.k8s.io/v1"), ""},
		"an object":                     {got, js, `{"kind":"Endpoints","apiVersion":"v1"}`, ""},
		"a namespace":                   {namespace, js, `{"kind":"Namespace","apiVersion":"v1"}`, ""},
		"what was created":              {created, js, `{"kind":"ConfigMap","apiVersion":"v1"}`, ""},
		"deleted":                       {deleted, js, status("Success", ""), ""},
		"metadata":                      {partly, js, list("PartialObjectMetadataList", "meta.k8s.io/v1"), ""},
		"a web page":                    {listed, "text/html", "<html>log in</html>", "a web page"},
		"a web page that says JSON":     {listed, js, "<html>log in</html>", "not JSON"},
		"an empty object":               {listed, js, "{}", "no kind and apiVersion"},
		"a list of others":              {listed, js, list("ServiceList", "v1"), "with another kind of object: v1 ServiceList instead of configmaps"},
		"a list of others, protobuf":    {listed, runtime.ContentTypeProtobuf, protobuf(t, &corev1.PodList{}), "with another kind of object: v1 PodList instead of configmaps"},
		"a list of another group":       {everywhere, js, list("EndpointSliceList", "v1"), "with another kind of object: v1 EndpointSliceList instead of endpointslices"},
		"one of them":                   {listed, js, `{"kind":"ConfigMap","apiVersion":"v1"}`, "with another kind of object: v1 ConfigMap instead of configmaps"},
		"success":                       {listed, js, status("Success", ""), "with another kind of object: v1 Status instead of configmaps"},
		"a failure that says 200":       {listed, js, status("Failure", "NotFound"), "with another kind of object: v1 Status instead of configmaps"},
		"another object":                {got, js, `{"kind":"Pod","apiVersion":"v1"}`, "with another kind of object: v1 Pod instead of endpoints"},
		"a list for one":                {got, js, list("EndpointsList", "v1"), "with another kind of object: v1 EndpointsList instead of endpoints"},
		"a status for what was created": {created, js, status("Success", ""), "with another kind of object: v1 Status instead of configmaps"},
		"metadata where all was wanted": {listed, js, list("PartialObjectMetadataList", "meta.k8s.io/v1"), "with another kind of object: meta.k8s.io/v1 PartialObjectMetadataList instead of configmaps"},
		"other than metadata":           {partly, js, status("Success", ""), "with another kind of object: v1 Status instead of configmaps"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", row.media)
				_, _ = io.WriteString(w, row.body)
			}))
			defer server.Close()
			config := &rest.Config{Host: server.URL + "/k8s/clusters/c-1"}
			http, err := Client(config, command.Via{})
			if err != nil {
				t.Fatal(err)
			}
			client, err := kubernetes.NewForConfigAndClient(config, http)
			if err != nil {
				t.Fatal(err)
			}
			meta, err := metadata.NewForConfigAndClient(metadata.ConfigFor(config), http)
			if err != nil {
				t.Fatal(err)
			}
			switch err := row.ask(t.Context(), client, meta); {
			case row.says == "" && err != nil:
				t.Error(err)
			case row.says != "" && err == nil:
				t.Error("was accepted")
			case row.says != "" && !strings.Contains(err.Error(), row.says):
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestAnswersAreJudged: only an API server says that an object does not exist.
func TestAnswersAreJudged(t *testing.T) {
	gone := &metav1.Status{Status: metav1.StatusFailure, Reason: metav1.StatusReasonNotFound, Code: http.StatusNotFound}
	object := protobuf(t, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "b"}})
	for name, row := range map[string]struct {
		code        int
		media, body string
		says        string
	}{
		"not found, JSON":     {404, "application/json", `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`, ""},
		"not found, protobuf": {404, runtime.ContentTypeProtobuf, protobuf(t, gone), ""},
		"a proxy's 404":       {404, "text/plain", "404 page not found", "instead of a Kubernetes object"},
		"a web page":          {200, "text/html", "<html>log in</html>", "a web page"},
		"cut JSON":            {200, "application/json", `{"kind":"Pod","apiVer`, "not JSON"},
		"nothing":             {200, "application/json", "", "nothing"},
		"protobuf":            {200, runtime.ContentTypeProtobuf, object, ""},
		"cut protobuf":        {200, runtime.ContentTypeProtobuf, object[:len(object)-9], "not Kubernetes' protobuf"},
		"no protobuf":         {200, runtime.ContentTypeProtobuf, "hello", "not Kubernetes' protobuf"},
		"another kind of 404": {404, runtime.ContentTypeProtobuf, "k8s\x00garbage", "instead of a Kubernetes object"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", row.media)
				w.WriteHeader(row.code)
				_, _ = io.WriteString(w, row.body)
			}))
			defer server.Close()
			client, err := Client(&rest.Config{Host: server.URL}, command.Via{})
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Get(server.URL + "/api/v1/namespaces/a/configmaps/b")
			switch {
			case row.says == "" && err != nil:
				t.Fatal(err)
			case row.says == "":
				body, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if err != nil || string(body) != row.body {
					t.Errorf("read %q, %v", body, err)
				}
			case err == nil:
				_ = resp.Body.Close()
				t.Error("was accepted")
			case !strings.Contains(err.Error(), row.says):
				t.Errorf("got %v", err)
			}
		})
	}
}
