//go:build linux && zk

package render

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/tcpfake"
	"github.com/zkmigrate/kubectl-zkmigrate/test/zkreal"
)

// handshake runs the program as the gate does and returns what it says.
func handshake(t *testing.T, version, zooCfg string, flags ...string) string {
	t.Helper()
	jars, err := zkreal.Fetch(t.Context(), version)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	_, rest, _ := strings.Cut(handshakeScript, "handshake_class='")
	text, _, _ := strings.Cut(rest, "'")
	class, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"Handshake.class": class, "zoo.cfg": []byte(zooCfg)} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	args := append(append([]string{"-Xmx48m"}, flags...), "-cp", dir+":"+filepath.Join(jars, "*"), "Handshake", "1", filepath.Join(dir, "zoo.cfg"))
	out, err := exec.CommandContext(ctx, "java", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	var said bytes.Buffer
	for line := range strings.Lines(string(out)) {
		switch word, _, _ := strings.Cut(strings.TrimSpace(line), " "); word {
		case "ok", "refused", "denied", "broken", "unable", "unknown", "nobody", "end":
			said.WriteString(line)
		}
	}
	if !strings.HasSuffix(said.String(), "end\n") {
		t.Fatalf("it did not come to its end:\n%s", out)
	}
	return said.String()
}

// TestHandshakeIsCutOff: who takes the connection and resets it in the middle of the handshake
// has refused, as a server does whose alert is lost with the reset.
func TestHandshakeIsCutOff(t *testing.T) {
	addr := tcpfake.Listen(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 1)) // the rest of the hello is unread: closing resets
	})
	_, port, _ := net.SplitHostPort(addr)
	said := handshake(t, "3.8.0", "sslQuorum=true\nserver.1=127.0.0.1:1:1\nserver.2=127.0.0.1:1:"+port+"\nserver.3=127.0.0.1:1:1\n")
	if !strings.Contains(said, "refused 127.0.0.1 "+port+" ") || !strings.Contains(said, "unknown 127.0.0.1 1 ") {
		t.Errorf("got\n%s", said)
	}
}

// TestRealQuorumSASL: passwords between servers, right and wrong, in one section and the other.
func TestRealQuorumSASL(t *testing.T) {
	jaas := func(t *testing.T, learner, server string) string {
		t.Helper()
		file := filepath.Join(t.TempDir(), "jaas.conf")
		text := "QuorumServer { " + server + " };\nQuorumLearner { " + learner + " };\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return "-Djava.security.auth.login.config=" + file
	}
	const module = "org.apache.zookeeper.server.auth.DigestLoginModule required "
	const says, wrong = module + `username="q" password="right";`, module + `username="q" password="wrong";`
	const takes, others = module + `user_q="right";`, module + `user_q="wrong";`
	for _, version := range zkreal.Versions() {
		t.Run(version, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			config := map[string]string{"quorum.auth.enableSasl": "true", "quorum.auth.learnerRequireSasl": "true", "quorum.auth.serverRequireSasl": "true"}
			e, err := zkreal.New(ctx, zkreal.Options{Version: version, Dir: t.TempDir(), Config: config, JVM: []string{jaas(t, says, takes)}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(e.Close)
			if err := e.Start(ctx); err != nil {
				t.Fatal(err)
			}
			cfg, err := os.ReadFile(e.Server(1).ConfigFile())
			if err != nil {
				t.Fatal(err)
			}
			leader := e.Leader(ctx)
			at := fmt.Sprintf(" 127.0.0.1 %d ", e.Server(leader).PeerPort)
			for name, c := range map[string]struct{ learner, server, says, not string }{
				"right":               {says, takes, "ok" + at, "unable"},
				"wrong here":          {wrong, others, "denied" + at, "unable"},
				"others are refused":  {says, others, "unable QuorumServer - it does not take the user and password of the section QuorumLearner", "denied"},
				"we are refused":      {wrong, takes, "denied" + at, "ok"},
				"a module is missing": {"no.such.Module required;", takes, "unable QuorumLearner - ", "denied"},
			} {
				said := handshake(t, version, string(cfg), jaas(t, c.learner, c.server))
				if !strings.Contains(said, c.says) || strings.Contains(said, c.not) {
					t.Errorf("%s: got\n%s", name, said)
				}
			}
			if now := e.Leader(ctx); now != leader {
				t.Errorf("server %d leads, and it was %d", now, leader)
			}
			if said := handshake(t, version, strings.ReplaceAll(string(cfg), fmt.Sprint(e.Server(leader).PeerPort), "1"), jaas(t, says, takes)); !strings.Contains(said, "nobody\n") {
				t.Errorf("without a leader: got\n%s", said)
			}
		})
	}
}
