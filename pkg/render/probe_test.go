package render

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// fourLetter answers four-letter words on a local port.
func fourLetter(t *testing.T, replies map[string]string) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
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
				defer c.Close()
				word := make([]byte, 4)
				if _, err := io.ReadFull(bufio.NewReader(c), word); err == nil {
					_, _ = io.WriteString(c, replies[string(word)])
				}
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

func TestProbe(t *testing.T) {
	const (
		srvrLeader   = "Zookeeper version: 3.8.0, built on x\nZxid: 0x1\nMode: leader\nNode count: 5\n"
		srvrObserver = "Zookeeper version: 3.8.0, built on x\nZxid: 0x1\nMode: observer\nNode count: 5\n"
		standalone   = "Zookeeper version: 3.8.0, built on x\nZxid: 0x1\nMode: standalone\nNode count: 5\n"
		notServing   = "This ZooKeeper instance is not currently serving requests\n"
		unlisted     = " is not executed because it is not in the whitelist.\n"
		gateRuns     = "bash\x00/zkmigrate/conf/gate.sh\x00zkServer.sh\x00"
		zkRuns       = "java\x00org.apache.zookeeper.server.quorum.QuorumPeerMain\x00"
	)
	tests := map[string]struct {
		process     string
		replies     map[string]string // nil: nothing listens
		started     time.Duration     // ago; 0: never
		live, ready bool
	}{
		"gate waits":           {process: gateRuns, live: true},
		"leads":                {process: zkRuns, started: time.Minute, replies: map[string]string{"ruok": "imok", "srvr": srvrLeader}, live: true, ready: true},
		"observes":             {process: zkRuns, replies: map[string]string{"ruok": "imok", "srvr": srvrObserver}, live: true, ready: true},
		"no quorum":            {process: zkRuns, replies: map[string]string{"ruok": "imok", "srvr": notServing}, live: true},
		"standalone":           {process: zkRuns, replies: map[string]string{"ruok": "imok", "srvr": standalone}, live: true},
		"ruok not whitelisted": {process: zkRuns, replies: map[string]string{"ruok": "ruok" + unlisted, "srvr": srvrLeader}, live: true, ready: true},
		"loading":              {process: zkRuns, started: time.Minute, live: true},
		"silent for long":      {process: zkRuns, started: 11 * time.Minute},
		"dead listener":        {process: zkRuns},
		"empty answers":        {process: zkRuns, replies: map[string]string{}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write := func(name, text string) {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			port := 1 // nothing listens there
			if tc.replies != nil {
				port = fourLetter(t, tc.replies)
			}
			write("probe.sh", probeScript)
			write("process", tc.process)
			if tc.started != 0 {
				write("zkmigrate-started", "2 "+strconv.FormatInt(time.Now().Add(-tc.started).Unix(), 10)+"\n")
			}
			ask := func(question, path string) (string, error) {
				cmd := exec.Command("bash", filepath.Join(dir, "probe.sh"), question)
				cmd.Env = []string{"PATH=" + path, "POD_NAME=main-pod-1",
					"ZKMIGRATE_SERVERS=" + fmt.Sprintf("0 2 10.1.0.2 1 3888\n1 5 10.1.0.5 %d 3888", port), "ZKMIGRATE_VOLUME=" + dir, "ZKMIGRATE_PROCESS=" + filepath.Join(dir, "process")}
				out, err := cmd.CombinedOutput()
				return string(out), err
			}
			for question, want := range map[string]bool{"live": tc.live, "ready": tc.ready} {
				out, err := ask(question, os.Getenv("PATH"))
				if (err == nil) != want {
					t.Errorf("%s: %v, want success %t: %s", question, err, want, out)
				}
				if err != nil && strings.TrimSpace(out) == "" {
					t.Errorf("%s fails without a word", question)
				}
				// Asked again, it starts no program: many pods are asked all the time.
				if out, err := ask(question, dir); (err == nil) != want {
					t.Errorf("%s without any program: %v, want success %t: %s", question, err, want, out)
				}
			}
			// Ready means that the volume was flushed since the start.
			if _, err := os.Stat(filepath.Join(dir, "zkmigrate-synced")); (err == nil) != tc.ready {
				t.Errorf("flushed: %v, want %t", err, tc.ready)
			}
			// And that a restart may build on its data.
			joined, err := os.ReadFile(filepath.Join(dir, "zkmigrate-joined"))
			if (err == nil) != tc.ready || tc.ready && tc.started != 0 && string(joined) != "2\n" {
				t.Errorf("joined: %q, %v", joined, err)
			}
		})
	}
}

// The defaults in the scripts are the paths that the pods mount.
func TestScriptsUseThePodsPaths(t *testing.T) {
	for _, want := range []string{"{ZKMIGRATE_GATE:-" + gatePath + "}", "{ZKMIGRATE_CONF:-" + confPath + "}", "{ZKMIGRATE_VOLUME:-/zookeeper}", "{ZKMIGRATE_REPORT:-" + reportPath + "}", "{" + serversEnv + "-}"} {
		if !strings.Contains(gateScript, want) {
			t.Errorf("gate.sh has no %s", want)
		}
	}
	for want, script := range map[string]string{"{ZKMIGRATE_REPORT:-" + reportPath + "}": relayScript, "{" + serversEnv + "-}": probeScript} {
		if !strings.Contains(script, want) {
			t.Errorf("a script has no %s", want)
		}
	}
}
