package kubeconn

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
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

// TestAnswersAreJudged: only an API server says that an object does not exist.
func TestAnswersAreJudged(t *testing.T) {
	gone := &metav1.Status{Status: metav1.StatusFailure, Reason: metav1.StatusReasonNotFound, Code: http.StatusNotFound}
	pod := protobuf(t, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "zk1-pod-0"}})
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
		"protobuf":            {200, runtime.ContentTypeProtobuf, pod, ""},
		"cut protobuf":        {200, runtime.ContentTypeProtobuf, pod[:len(pod)-9], "not Kubernetes' protobuf"},
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
