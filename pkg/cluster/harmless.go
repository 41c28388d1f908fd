package cluster

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// maxRefusal bounds what is read of an answer that is an error.
const maxRefusal = 64 << 10

// HarmlessErrors is for a client's transport: the words of an error that the API
// server, a webhook or something in front of it answers with end up in our
// messages. They are bounded and put on one line, so that they cannot look like
// ours.
func HarmlessErrors(next http.RoundTripper) http.RoundTripper { return harmless{next} }

type harmless struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (h harmless) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := h.next.RoundTrip(req)
	if err != nil || resp.StatusCode < http.StatusBadRequest {
		return resp, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
	_ = resp.Body.Close() // what was read counts
	if err != nil {
		return nil, err
	}
	body, ok := cleanStatus(body)
	if ok {
		resp.Header.Set("Content-Type", runtime.ContentTypeJSON)
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	resp.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return resp, nil
}

// WrappedRoundTripper lets client-go find the transport below.
func (h harmless) WrappedRoundTripper() http.RoundTripper { return h.next }

// cleanStatus cleans a Status, in whatever form the API server sent it, and returns it
// as JSON; or else, and not ok, whatever came in its place.
func cleanStatus(body []byte) (out []byte, ok bool) {
	object, _, err := scheme.Codecs.UniversalDeserializer().Decode(body, nil, nil)
	status, isStatus := object.(*metav1.Status)
	if err != nil || !isStatus {
		return []byte(quote.Line(string(body))), false
	}
	status.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
	status.Message = quote.Line(status.Message)
	if d := status.Details; d != nil {
		d.Name = quote.Line(d.Name)
		for i := range d.Causes {
			d.Causes[i].Message, d.Causes[i].Field = quote.Line(d.Causes[i].Message), quote.Line(d.Causes[i].Field)
		}
	}
	if out, err = json.Marshal(status); err != nil {
		return []byte(quote.Line(string(body))), false
	}
	return out, true
}
