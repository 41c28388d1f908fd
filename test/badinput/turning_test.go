package badinput

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// turningRows are API servers that work at first and then turn bad: what was
// read before must not be taken for an answer to what comes later.
func turningRows() []row {
	var out []row
	for name, c := range map[string]struct {
		code int
		then http.HandlerFunc
		// looking are the words of status, acting those of commands with checks
		// that refuse what they could not ask about.
		looking, acting string
	}{
		"an HTML 500": {1, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, "<html>500</html>")
		}, "a web page", "a web page"},
		"cut JSON": {1, func(w http.ResponseWriter, _ *http.Request) {
			answer(w, 200, `{"kind":"ConfigMap","apiVersion":"v1","da`)
		}, "not JSON, or was cut off", "not JSON, or was cut off"},
		"silence": {124, func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // before that, the end of the connection is not noticed
			<-r.Context().Done()
		}, "within 2s", "within 2s"},
		"resets": {1, func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				panic(err)
			}
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		}, "closed the connection", "closed the connection"},
		"403": {3, func(w http.ResponseWriter, r *http.Request) {
			answer(w, 403, status(403, "Forbidden", fmt.Sprintf("User \"u\" cannot %s %s", r.Method, r.URL.Path)))
		}, "have an administrator name you", "you may not"},
	} {
		for _, command := range []string{"status zk1", "replace zk1 --id=1", "wrap zk1"} {
			code, says := c.code, []string{c.looking, "API server http://127.0.0.1:"}
			if command != "status zk1" {
				code, says = 3, []string{c.acting, "Nothing was changed."}
			}
			// The journal is the first answer; with four, some of what is asked after it came, too.
			for _, n := range []int64{1, 4} {
				out = append(out, row{
					name: fmt.Sprintf("api/turns to %s after %d/%s", name, n, command), code: code, says: says, within: time.Minute,
					args: append(strings.Fields(command), "-n", "zk", "--request-timeout=2s", "--timeout=20s"),
					config: func(t *testing.T, _ string) setup {
						well, asked := wrapped(t), new(atomic.Int64)
						return over(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
							if asked.Add(1) <= n {
								well(w, r)
								return
							}
							c.then(w, r)
						}))
					},
				})
			}
		}
	}
	return out
}

// wrapped is an API server that works and holds the journal of zk1, and nothing
// else.
func wrapped(t *testing.T) http.HandlerFunc {
	record, err := os.ReadFile("../../pkg/journal/testdata/wrapped.json")
	if err != nil {
		t.Fatal(err)
	}
	journal, err := json.Marshal(map[string]any{
		"kind": "ConfigMap", "apiVersion": "v1", "data": map[string]string{"record.json": string(record)},
		"metadata": map[string]any{"name": "zk1-zkmigrate", "namespace": "zk", "resourceVersion": "1", "labels": map[string]string{"zkmigrate.io/ensemble": "zk1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/configmaps/zk1-zkmigrate") {
			answer(w, 200, string(journal))
			return
		}
		empty(w, r)
	}
}
