package zkprobe

import "testing"

func TestSmallWordsOfRealServers(t *testing.T) {
	for _, version := range []string{"3.4.13", "3.8.0", "3.9.3"} {
		for _, role := range []string{"leader", "follower", "observer", "not-serving"} {
			ro, known := ParseIsro(recorded(t, version, role, Isro))
			if ro || known != (role != "not-serving") {
				t.Errorf("%s %s: isro says read-only %t, known %t", version, role, ro, known)
			}
			if !ParseRuok(recorded(t, version, role, Ruok)) {
				t.Errorf("%s %s: ruok not understood", version, role)
			}
			want := WchsReply{}
			if role == "not-serving" {
				want = WchsReply{-1, -1, -1}
			}
			if got := ParseWchs(recorded(t, version, role, Wchs)); got != want {
				t.Errorf("%s %s: wchs: got %+v", version, role, got)
			}
		}
		if _, known := ParseIsro(recorded(t, version, "not-whitelisted", Isro)); known {
			t.Errorf("%s: a refused isro is known", version)
		}
	}
	if got := ParseWchs("3 connections watching 40 paths\nTotal watches:41\n"); got != (WchsReply{3, 40, 41}) {
		t.Errorf("wchs: got %+v", got)
	}
	if got := ParseEnvi("Environment:\njava.version=1.8.0\nos.name=Linux\n"); len(got) != 2 || got["java.version"] != "1.8.0" {
		t.Errorf("envi: got %v", got)
	}
}

func FuzzSmallWords(f *testing.F) {
	f.Add("3 connections watching 40 paths\nTotal watches:41\n")
	f.Add("a=b\nrw")
	f.Fuzz(func(_ *testing.T, text string) {
		ParseEnvi(text)
		ParseWchs(text)
		_, _ = ParseIsro(text)
		_ = ParseRuok(text)
		classifyText(text)
	})
}
