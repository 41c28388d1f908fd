package hostpatch

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseCommandLine(t *testing.T) {
	words := []string{
		"/usr/bin/java", "-Dzookeeper.log.dir=/var/log/zookeeper", "-Dzookeeper.root.logger=INFO,ROLLINGFILE",
		"-cp", "/etc/zookeeper/conf:/usr/share/java/zookeeper.jar", "-Xmx4g", "-XX:+UseG1GC", "-Djute.maxbuffer=8388608",
		"-Dcom.sun.management.jmxremote.port=9999", "-Dzookeeper.DigestAuthenticationProvider.superDigest=super:abc=",
		"-Dzookeeper.ssl.keyStore.password=geheim", "-Dzookeeper.cnxTimeout=500", "-Dour.own=1", "-javaagent:/j.jar=port=1,password=geheim",
		"org.apache.zookeeper.server.quorum.QuorumPeerMain", "/etc/zookeeper/conf/zoo.cfg",
	}
	got := ParseCommandLine([]byte(strings.Join(words, "\x00") + "\x00"))
	if got.Main != "org.apache.zookeeper.server.quorum.QuorumPeerMain" || got.Config != "/etc/zookeeper/conf/zoo.cfg" {
		t.Errorf("main %q, config %q", got.Main, got.Config)
	}
	want := []string{
		"map -Dzookeeper.log.dir=/var/log/zookeeper", "map -Dzookeeper.root.logger=INFO,ROLLINGFILE", "carry -Xmx4g", "carry -XX:+UseG1GC",
		"carry -Djute.maxbuffer=8388608", "map -Dcom.sun.management.jmxremote.port=9999",
		"carry -Dzookeeper.DigestAuthenticationProvider.superDigest=<hidden>", "map -Dzookeeper.ssl.keyStore.password=<hidden>",
		"carry -Dzookeeper.cnxTimeout=500", "carry -Dour.own=1", "map -javaagent:/j.jar=port=1,password=<hidden>",
	}
	var lines []string
	for _, f := range got.Flags {
		lines = append(lines, string(f.Action)+" "+f.Text)
		if f.Action != FlagCarry && f.Why == "" {
			t.Errorf("%s: no reason", f.Text)
		}
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("flags (-want +got):\n%s", diff)
	}
	if raw := got.Flags[7].Raw; raw != "-Dzookeeper.ssl.keyStore.password=geheim" {
		t.Errorf("raw flag %q", raw)
	}
}

func TestFlagDifferences(t *testing.T) {
	line := func(words ...string) CommandLine {
		return ParseCommandLine([]byte("java\x00" + strings.Join(words, "\x00") + "\x00"))
	}
	got := FlagDifferences(map[string]CommandLine{
		"a": line("-Xmx4g", "-Djute.maxbuffer=1"), "b": line("-Xmx4g", "-Djute.maxbuffer=2"), "c": line("-Xmx4g", "-Djute.maxbuffer=1", "-Xloggc:/x"),
	})
	if diff := cmp.Diff(map[string][]string{"-Djute.maxbuffer=1": {"a", "c"}, "-Djute.maxbuffer=2": {"b"}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzCommandLine(f *testing.F) {
	f.Add([]byte("java\x00-cp\x00x\x00-Dzookeeper.a.password=b\x00Main\x00zoo.cfg\x00"))
	f.Add([]byte("-cp"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, flag := range ParseCommandLine(data).Flags {
			if !strings.HasPrefix(flag.Raw, "-") || flag.Action == "" {
				t.Fatalf("%q: %+v", data, flag)
			}
		}
	})
}

// TestUnsafeFlag: what Java reads as the same is the same.
func TestUnsafeFlag(t *testing.T) {
	for flag, want := range map[string]bool{
		"-Dzookeeper.forceSync=no": true, "-Dzookeeper.snapshot.trust.empty=true": true, "-Dzookeeper.snapshot.trust.empty=TRUE": true, "-Dzookeeper.snapshot.trust.empty=True": true,
		"-Dzookeeper.forceSync=yes": false, "-Dzookeeper.forceSync=No": false, "-Dzookeeper.snapshot.trust.empty=false": false, "-Dzookeeper.snapshot.trust.empty": false, "-Xmx1g": false,
	} {
		if got := UnsafeFlag(flag) != ""; got != want {
			t.Errorf("%s: unsafe %t", flag, got)
		}
	}
}

// TestNotAnOption: with such a word in its command line java runs no server, or another one.
func TestNotAnOption(t *testing.T) {
	for flag, want := range map[string]bool{
		"-version": true, "--version": true, "-?": true, "-cp": true, "--class-path=/x": true, "-jar": true, "-XX:VMOptionsFile=/x": true, "-XX:Flags=/x": true, "--list-modules": true,
		"-Xmx1g": false, "-showversion": false, "-XX:+PrintFlagsFinal": false, "-Dversion=1": false, "--add-opens=a/b=c": false, "-server": false, "-ea": false, "-XX:+UseG1GC": false, "-javaagent:/a.jar=p": false,
	} {
		if got := NotAnOption(flag) != ""; got != want {
			t.Errorf("%s: %t", flag, got)
		}
	}
}
