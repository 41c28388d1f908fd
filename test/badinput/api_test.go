package badinput

import (
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// counted counts requests that would change something; asking what one may do,
// or who one is, does not.
func counted(next http.Handler) (http.Handler, *atomic.Int64) {
	n := new(atomic.Int64)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && !strings.HasSuffix(r.URL.Path, "selfsubjectaccessreviews") && !strings.HasSuffix(r.URL.Path, "selfsubjectreviews") {
			n.Add(1)
		}
		next.ServeHTTP(w, r)
	}), n
}

// good is an API server that works and holds nothing.
func good(t *testing.T) setup { return over(t, http.HandlerFunc(empty)) }

func over(t *testing.T, h http.Handler) setup {
	h, n := counted(h)
	s := httptest.NewServer(h)
	t.Cleanup(func() { s.CloseClientConnections(); go s.Close() })
	return setup{text: configText(s.URL, "", ""), writes: n}
}

func empty(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	last := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	lists := map[string]string{"configmaps": "ConfigMapList", "services": "ServiceList", "pods": "PodList"}
	switch {
	case r.URL.Path == "/version":
		answer(w, 200, `{"major":"1","minor":"34","gitVersion":"v1.34.0"}`)
	case last == "selfsubjectaccessreviews":
		answer(w, 201, `{"kind":"SelfSubjectAccessReview","apiVersion":"authorization.k8s.io/v1","status":{"allowed":true}}`)
	case r.Method == http.MethodGet && lists[last] != "":
		answer(w, 200, fmt.Sprintf(`{"kind":%q,"apiVersion":"v1","items":[]}`, lists[last]))
	case r.Method == http.MethodGet && last == "endpointslices":
		answer(w, 200, `{"kind":"EndpointSliceList","apiVersion":"discovery.k8s.io/v1","items":[]}`)
	default:
		answer(w, 404, status(404, "NotFound", last+" not found"))
	}
}

// zeros is a compressed stream of so many of them.
func zeros(n int) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.CopyN(z, nothing{}, int64(n)); err != nil {
		panic(err)
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

type nothing struct{}

func (nothing) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func answer(w http.ResponseWriter, code int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, body)
}

func status(code int, reason, message string) string {
	data, err := json.Marshal(map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message})
	if err != nil {
		panic(err)
	}
	return string(data)
}

// apiRows are API servers that do not do as one must, each asked by a command
// that looks and by one that acts.
func apiRows() []row {
	var out []row
	add := func(name string, code int, config func(*testing.T) setup, says ...string) {
		// One that does not answer is waited for; the others have enough time.
		limit := "--request-timeout=75s"
		if code == 124 {
			limit = "--request-timeout=2s"
		}
		for _, command := range []string{"status zk1", "replace zk1 --id=1", "wrap zk1"} {
			out = append(out, row{name: "api/" + name + "/" + command, args: append(strings.Fields(command), "-n", "zk", limit, "--timeout=80s"),
				code: code, says: append([]string{"next: "}, says...), config: func(t *testing.T, _ string) setup { return config(t) }})
		}
	}
	serve := func(name string, code int, h http.HandlerFunc, says ...string) {
		add(name, code, func(t *testing.T) setup { return over(t, h) }, append(says, "API server http://127.0.0.1:")...)
	}
	fixed := func(name string, exit, code int, media, body string, says ...string) {
		serve(name, exit, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", media)
			w.WriteHeader(code)
			_, _ = io.WriteString(w, body)
		}, says...)
	}
	const js, html = "application/json", "text/html; charset=utf-8"
	raw := func(name string, code int, talk func(net.Conn), says ...string) {
		add(name, code, func(t *testing.T) setup { return setup{text: configText("http://"+listen(t, talk), "", "")} }, says...)
	}
	wait := func(r *http.Request) { <-r.Context().Done() }
	serve("hangs before an answer", 124, func(_ http.ResponseWriter, r *http.Request) { wait(r) }, "no answer to GET", "within 2s")
	serve("hangs in the middle", 124, func(w http.ResponseWriter, r *http.Request) {
		answer(w, 200, `{"kind":"Config`)
		_ = http.NewResponseController(w).Flush()
		wait(r)
	}, "not complete within 2s")
	serve("drips", 124, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, " ")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(100 * time.Millisecond)
		}
	}, "not complete within 2s")
	raw("is silent", 124, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, "no answer to GET")
	for _, command := range []string{"status zk1", "replace zk1 --id=1", "wrap zk1"} {
		out = append(out, row{name: "api/is silent, and only --timeout is set/" + command, args: append(strings.Fields(command), "-n", "zk", "--timeout=5s"), code: 124,
			says: []string{"next: ", "timed out after 5s (--timeout) while waiting: ", "the API server did not answer in time"}, within: 20 * time.Second, config: func(t *testing.T, _ string) setup {
				return setup{text: configText("http://"+listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }), "", "")}
			}})
	}
	raw("resets", 1, func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }, "closed the connection")
	raw("closes", 1, func(c net.Conn) { _, _ = c.Read(make([]byte, 1)) }, "closed the connection")
	raw("speaks SSH", 1, func(c net.Conn) { _, _ = io.WriteString(c, "SSH-2.0-OpenSSH_9.6\r\n") }, "does not speak HTTP")
	raw("heads without end", 1, func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n")
		for {
			if _, err := io.WriteString(c, "X-A: "+strings.Repeat("a", 4000)+"\r\n"); err != nil {
				return
			}
		}
	}, "response headers exceeded")
	fixed("captive portal", 1, 200, html, "<html>Please log in</html>", "a web page", "log in to the network")
	fixed("HTML 503", 1, 503, html, "<html>503</html>", "a web page", "503")
	fixed("HTML 404", 1, 404, html, "<html>404</html>", "a web page", "404")
	fixed("text 404", 1, 404, "text/plain", "404 page not found", "instead of a Kubernetes object", "404")
	fixed("cut JSON", 1, 200, js, `{"kind":"ConfigMap","apiVersion":"v1","da`, "not JSON, or was cut off")
	fixed("text for JSON", 1, 200, "text/plain", "hello", "text/plain")
	fixed("an image", 1, 200, "image/png", "\x89PNG", "image/png")
	fixed("nothing", 1, 200, js, "", "answered with nothing")
	fixed("a list", 1, 200, js, "[]", "no kind")
	fixed("null", 1, 200, js, "null", "no kind")
	fixed("an unknown kind", 1, 200, js, `{"kind":"Foo","apiVersion":"v1"}`, "another kind of object")
	fixed("a success for an object", 1, 200, js, `{"kind":"Status","apiVersion":"v1","status":"Success"}`, "another kind of object: v1 Status")
	fixed("a failure that says 200", 1, 200, js, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`, "another kind of object: v1 Status")
	fixed("an unknown version", 1, 200, js, `{"kind":"ConfigMap","apiVersion":"v9"}`, "another kind of object")
	fixed("other types", 1, 200, js, `{"kind":"ConfigMap","apiVersion":"v1","data":[1]}`, "another kind of object")
	fixed("401", 1, 401, js, status(401, "Unauthorized", "Unauthorized"), "does not accept your login", "log in")
	fixed("403", 3, 403, js, status(403, "Forbidden", `configmaps is forbidden: User "u" cannot get resource "configmaps" in API group "" in the namespace "zk"`), "not allowed to get configmaps in namespace zk", "administrator")
	fixed("403 of something else", 3, 403, js, status(403, "Forbidden", "blocked by the proxy"), "you may not do that", "blocked by the proxy", "administrator")
	fixed("409", 1, 409, js, status(409, "Conflict", "conflict"), "409", "run the command again")
	fixed("410", 1, 410, js, status(410, "Expired", "gone"), "410", "run the command again")
	fixed("418", 1, 418, js, status(418, "", "teapot"), "418")
	fixed("422", 1, 422, js, status(422, "Invalid", "invalid"), "422")
	fixed("500", 1, 500, js, status(500, "InternalError", "etcd is away"), "500", "readyz")
	fixed("502 text", 1, 502, "text/plain", "bad gateway", "502", "readyz")
	fixed("503", 1, 503, js, status(503, "ServiceUnavailable", "no"), "503", "readyz")
	fixed("504", 124, 504, js, status(504, "Timeout", "too slow"), "504", "readyz")
	serve("429 for an hour", 1, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		answer(w, 429, status(429, "TooManyRequests", "slow down"))
	}, "429", "wait a little")
	serve("cut transfer", 1, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		answer(w, 200, `{"kind"`)
	}, "broke off")
	serve("broken gzip", 1, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		answer(w, 200, "this is not gzip")
	}, "broke off")
	bomb := zeros(100 << 20)
	serve("gzip bomb", 1, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", js)
		_, _ = w.Write(bomb)
	}, "longer than 64 MiB")
	more := elsewhere(serve)
	return append(out, more...)
}

// elsewhere adds what goes elsewhere, or speaks another protocol.
func elsewhere(serve func(string, int, http.HandlerFunc, ...string)) []row {
	serve("redirects in a circle", 1, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, "a redirect to")
	serve("redirects elsewhere", 1, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://login.invalid/", http.StatusTemporaryRedirect)
	}, "a redirect to", "login.invalid")
	var more []row
	add := func(name string, config func(*testing.T) setup, says ...string) {
		more = append(more, row{name: "api/" + name, args: []string{"status", "zk1", "--request-timeout=75s", "--timeout=80s"}, code: 1,
			says: append(says, "next: "), config: func(t *testing.T, _ string) setup { return config(t) }})
	}
	secure := func(t *testing.T, cert *tls.Certificate) string {
		s := httptest.NewUnstartedServer(http.HandlerFunc(empty))
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		if cert != nil {
			s.TLS = &tls.Config{Certificates: []tls.Certificate{*cert}}
		}
		s.StartTLS()
		t.Cleanup(s.Close)
		return s.URL
	}
	add("TLS to a plain port", func(t *testing.T) setup {
		s := over(t, http.HandlerFunc(empty))
		s.text = strings.Replace(s.text, "http://", "https://", 1)
		return s
	}, "does not speak TLS", "https://")
	add("plain to a TLS port", func(t *testing.T) setup {
		return setup{text: configText(strings.Replace(secure(t, nil), "https://", "http://", 1), "", "")}
	}, "speaks TLS", "http://")
	add("unknown authority", func(t *testing.T) setup { return setup{text: configText(secure(t, nil), "", "")} }, "authority", "certificate-authority-data")
	for name, c := range map[string]struct {
		until time.Duration
		ip    string
		says  string
	}{"expired certificate": {-time.Hour, "127.0.0.1", "expired"}, "certificate of another": {time.Hour, "192.0.2.1", "not for 127.0.0.1"}} {
		add(name, func(t *testing.T) setup {
			cert, ca := certificate(t, c.until, net.ParseIP(c.ip))
			return setup{text: configText(secure(t, &cert), ", certificate-authority-data: "+base64.StdEncoding.EncodeToString(ca), "")}
		}, c.says)
	}
	add("refused", func(*testing.T) setup { return setup{text: configText("http://127.0.0.1:1", "", "")} }, "refuses connections", "readyz")
	add("name that does not resolve", func(*testing.T) setup { return setup{text: configText("https://nowhere.invalid:6443", "", "")} }, "nowhere.invalid", "does not resolve")
	return more
}

// listen accepts connections, hands each over, and closes it afterwards.
func listen(t *testing.T, talk func(net.Conn)) string {
	t.Helper()
	return listenAt(t, "127.0.0.1", talk)
}

func listenAt(t *testing.T, ip string, talk func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				talk(c)
			}()
		}
	}()
	return l.Addr().String()
}

// certificate is one that signs itself.
func certificate(t *testing.T, until time.Duration, ip net.IP) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.Add(-48 * time.Hour), NotAfter: now.Add(until), IPAddresses: []net.IP{ip},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
