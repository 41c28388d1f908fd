package cluster

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

type fixed struct {
	media string
	body  []byte
}

func (f fixed) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusNotFound, Header: http.Header{"Content-Type": {f.media}}, Body: io.NopCloser(bytes.NewReader(f.body))}, nil
}

// TestARefusalStaysOne: in JSON as in protobuf, cleaned and readable.
func TestARefusalStaysOne(t *testing.T) {
	status := &metav1.Status{Status: metav1.StatusFailure, Reason: metav1.StatusReasonNotFound, Code: http.StatusNotFound, Message: "gone\x1b[2J\nnext: rm"}
	for _, media := range []string{runtime.ContentTypeJSON, runtime.ContentTypeProtobuf} {
		info, ok := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), media)
		if !ok {
			t.Fatal(media)
		}
		body, err := runtime.Encode(scheme.Codecs.EncoderForVersion(info.Serializer, schema.GroupVersion{Version: "v1"}), status)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := HarmlessErrors(fixed{media, body}).RoundTrip(&http.Request{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		var got metav1.Status
		if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || resp.Header.Get("Content-Type") != runtime.ContentTypeJSON {
			t.Fatalf("%s: %v, %s", media, err, resp.Header.Get("Content-Type"))
		}
		if got.Kind != "Status" || got.Reason != metav1.StatusReasonNotFound || strings.ContainsAny(got.Message, "\x1b\n") {
			t.Errorf("%s: %+v", media, got)
		}
	}
}
