package strict

import "testing"

func TestMeant(t *testing.T) {
	known := []string{"memory", "cpu", "storageClass", "storageSize", "image", "ZK001", "ZK002"}
	for typed, want := range map[string]string{
		"memroy": "memory", "Memory": "memory", "mem": "", "storage-class": "storageClass", "storagesiz": "storageSize", "imgae": "image", "imag": "image",
		"cp": "cpu", "gpu": "cpu", "xyz": "", "": "", "zk001": "ZK001", " ZK002 ": "ZK002", "ZK003": "", "memorymemorymemory": "", "storage": "",
	} {
		if got := Meant(typed, known); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}
