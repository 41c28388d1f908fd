//go:build zk && linux

package quorumpeerconfig

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/test/zkreal"
)

// java is a running ReadConfig.
type java struct {
	in  io.Writer
	out *bufio.Scanner
}

// theirServer and theirConfig are what ReadConfig prints.
type theirServer struct {
	ID        int      `json:"id"`
	Role      string   `json:"role"`
	Peers     []string `json:"peers"`
	Elections []string `json:"elections"`
	Client    string   `json:"client"`
	Weight    *int     `json:"weight"`
	Group     *int     `json:"group"`
}

type theirConfig struct {
	Error          string        `json:"error"`
	DataDir        string        `json:"dataDir"`
	DataLogDir     string        `json:"dataLogDir"`
	TickTime       int           `json:"tickTime"`
	InitLimit      int           `json:"initLimit"`
	SyncLimit      int           `json:"syncLimit"`
	ListenOnAllIPs bool          `json:"listenOnAllIPs"`
	Client         string        `json:"client"`
	Secure         string        `json:"secure"`
	ObserverMaster int           `json:"observerMaster"`
	Servers        []theirServer `json:"servers"`
}

type theirProperties struct {
	Error   string      `json:"error"`
	Entries [][2]string `json:"entries"`
}

// startJava compiles ReadConfig and runs it with the jars of a release. Names
// are looked up in a file of our own, so that no name server is asked.
func startJava(t *testing.T, version string) *java {
	t.Helper()
	if _, err := exec.LookPath("javac"); err != nil {
		t.Fatalf("javac is needed to compile ReadConfig.java: install a JDK (%v)", err)
	}
	jars, err := zkreal.Fetch(t.Context(), version)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if out, err := exec.Command("javac", "-nowarn", "-d", dir, "ReadConfig.java").CombinedOutput(); err != nil {
		t.Fatalf("javac: %v\n%s", err, out)
	}
	var hosts bytes.Buffer
	for i := 1; i <= 9; i++ {
		fmt.Fprintf(&hosts, "10.9.0.%d zk%d.example.com zk%d\n", i, i, i)
	}
	hosts.WriteString("127.0.0.1 localhost\n")
	hostsFile := filepath.Join(dir, "hosts")
	if err := os.WriteFile(hostsFile, hosts.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("java", "-Xmx128m", "-Djdk.net.hosts.file="+hostsFile, "-Dorg.slf4j.simpleLogger.defaultLogLevel=off",
		"-cp", dir+":"+jars+"/*", "ReadConfig")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stdin.Close(); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("ReadConfig: %v", err)
		}
	})
	scanner := bufio.NewScanner(stdout)
	scanner.Buffer(nil, 1<<20)
	return &java{in: stdin, out: scanner}
}

func (j *java) ask(t *testing.T, question string, answer any) {
	t.Helper()
	if _, err := io.WriteString(j.in, question+"\n"); err != nil {
		t.Fatal(err)
	}
	if !j.out.Scan() {
		t.Fatalf("ReadConfig ended at %q: %v", question, j.out.Err())
	}
	if err := json.Unmarshal(j.out.Bytes(), answer); err != nil {
		t.Fatalf("%q: %v: %s", question, err, j.out.Text())
	}
}

func (j *java) properties(t *testing.T, text []byte) theirProperties {
	var out theirProperties
	j.ask(t, "P "+base64.StdEncoding.EncodeToString(text), &out)
	return out
}

// config reads a zoo.cfg; multiAddress sets the JVM flag of that name.
func (j *java) config(t *testing.T, path string, multiAddress bool) theirConfig {
	var out theirConfig
	question := "C "
	if multiAddress {
		question = "M "
	}
	j.ask(t, question+path, &out)
	return out
}
