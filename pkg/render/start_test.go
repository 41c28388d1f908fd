package render

import (
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

func TestGateRefusesWhenStartedDataHasVanished(t *testing.T) {
	p := stoppedPod(t)
	p.remove("volume/data")
	p.start()
	p.waitRefused(migration.CauseLost, "vanished")
	t.Log("a new generation lets it begin again")
	p.release()
	p.waitZooKeeper()
}

func TestGateRefusesALostVolumeToAnotherPod(t *testing.T) {
	p := stoppedPod(t)
	p.remove("volume")
	p.mkdir("volume")
	p.uid = "uid-2"
	p.start()
	p.waitRefused(migration.CauseLost, "another pod")
	if p.exists("volume/data") {
		t.Error("the volume was touched")
	}
	p.release()
	p.waitZooKeeper()
}

// TestGateTakesNoUnreadableNoteForNone: a note that is there and cannot be read would
// otherwise say that there is no data, or that nobody has started on it.
func TestGateTakesNoUnreadableNoteForNone(t *testing.T) {
	for _, note := range []string{"generation", "started", "joined", "newest", "born"} {
		for how, spoil := range map[string]func(*pod, string){
			"empty":       func(p *pod, name string) { p.write(name, "") },
			"garbled":     func(p *pod, name string) { p.write(name, "\x00\n") },
			"a directory": func(p *pod, name string) { p.remove(name); p.mkdir(name) },
		} {
			t.Run(note+"_"+strings.ReplaceAll(how, " ", "_"), func(t *testing.T) {
				p := stoppedPod(t)
				spoil(p, "volume/zkmigrate-"+note)
				p.start()
				p.waitRefused("", "volume/zkmigrate-"+note+" cannot be read")
				if !p.exists("volume/data/myid") {
					t.Error("the data was touched")
				}
			})
		}
	}
	t.Run("the generation is gone, and ZooKeeper was started in it", func(t *testing.T) {
		p := stoppedPod(t)
		p.remove("volume/zkmigrate-generation")
		p.start()
		p.waitRefused(migration.CauseLost, "has vanished")
		if !p.exists("volume/data/myid") {
			t.Error("the data was touched")
		}
	})
}

func TestGateLetsAnotherPodGoOnWithItsData(t *testing.T) {
	p := stoppedPod(t)
	p.uid = "uid-2"
	p.start()
	p.waitZooKeeper()
	if p.exists("volume/data.stale-2") {
		t.Error("the data was put aside")
	}
}

func TestGateRefusesAnInterruptedFirstSync(t *testing.T) {
	p := startedPod(t)
	p.mkdir("volume/data/version-2")
	p.write("volume/data/version-2/snapshot.1", "half")
	p.kill()
	p.start()
	p.waitRefused(migration.CauseInterrupted, "before it had synced")
	p.release()
	p.waitZooKeeper()
	if p.exists("volume/data/version-2") || !p.exists("volume/data.stale-3/version-2/snapshot.1") {
		t.Error("the interrupted sync's data is in use, or gone")
	}
}

// TestGateStartsBesideAStranger: of a host that was declared gone, nothing at its address counts.
func TestGateStartsBesideAStranger(t *testing.T) {
	p := stoppedPod(t)
	p.client.up()
	p.election.up()
	p.start()
	p.waitState(migration.GateVetoed)
	p.kill()
	p.servers = "0 2 - 2181 3888\n1 5 10.1.0.5 2181 3888"
	p.start()
	p.waitReport("started", func(r GateReport) bool { return r.State == migration.GateStarted && r.HostClosed() })
	p.waitZooKeeper()
}

// TestGateRefusesDataFromBeforeItsHostRan: whatever a journal says that was put
// back, a line that was taken out while the host ran does not count any more.
func TestGateRefusesDataFromBeforeItsHostRan(t *testing.T) {
	p := newPod(t)
	p.hostDown()
	line := p.release()
	p.start()
	p.waitZooKeeper()
	p.joined()
	p.mkdir("volume/data/version-2")
	p.write("volume/data/version-2/currentEpoch", "1\n")
	p.kill()
	t.Log("the gate is closed and opened again, the host is down all the time: a restart")
	p.generation++
	p.gate("")
	p.start()
	p.waitReport("parked", func(r GateReport) bool {
		return r.State == migration.GateParked && r.Volume.State == migration.VolumeSynced
	})
	p.generation++
	p.gate(line)
	p.waitZooKeeper()
	p.kill()
	t.Log("the gate is closed, and the host runs for a while")
	p.generation++
	p.gate("")
	p.client.up()
	p.start()
	p.waitReport("the host", func(r GateReport) bool {
		return r.State == migration.GateParked && r.HostClient == vantage.PortOpen && r.Volume.State == migration.VolumeOutlived
	})
	p.client.down()
	p.waitReport("its end", func(r GateReport) bool { return r.HostClosed() && r.Volume.State == migration.VolumeOutlived })
	p.kill()
	p.generation++
	p.gate(line)
	p.start()
	p.waitRefused(migration.CauseLost, "has run on its host since")
	t.Log("a new proof, and with it another generation")
	p.release()
	p.waitZooKeeper()
	if !p.exists("volume/data.stale-7") {
		t.Error("the old data is in use, or gone")
	}
}

// TestGateTellsOfItsVolume: since when it is this one, and of which release its
// data is. That tells, where a revert asks, that a release was never started on it.
func TestGateTellsOfItsVolume(t *testing.T) {
	p := newPod(t)
	p.hostDown()
	says := func(what string, data, since int) {
		t.Helper()
		p.waitReport(what, func(r GateReport) bool {
			return r.State == migration.GateParked && r.Generation == p.generation && r.Volume.Generation == data && r.Volume.Since != nil && *r.Volume.Since == since
		})
	}
	p.start()
	says("a new volume", 0, 1)
	p.release()
	p.waitZooKeeper()
	p.kill()
	p.generation++
	p.gate("")
	p.start()
	says("the data of generation 2", 2, 1)
	p.kill()
	p.remove("volume")
	p.mkdir("volume")
	p.start()
	says("another volume", 0, 3)
	p.kill()
	p.remove("volume/zkmigrate-born")
	p.generation++
	p.gate("")
	p.start()
	says("one of an earlier release of the tool", 0, 3)
}

// TestGateRefusesOtherDirectories: a zoo.cfg that names other directories than
// those of the data would have the server begin with an old snapshot, or nothing.
func TestGateRefusesOtherDirectories(t *testing.T) {
	apart, together := "dataDir=/zookeeper/data\ndataLogDir = /zookeeper/datalog\r\n", "dataDir=/zookeeper/data\n"
	for name, c := range map[string]struct{ cfg, logs, word string }{
		"the logs' own directory is not named": {together, "datalog", "dataLogDir"},
		"the logs are to be elsewhere":         {apart, "data", "dataLogDir"},
		"another directory":                    {"dataDir=/zookeeper/other\n", "data", "dataDir"},
		"another one for the logs":             {"dataDir=/zookeeper/data\ndataLogDir:/zookeeper/logs", "data", "dataLogDir"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPod(t)
			good := map[string]string{"data": together, "datalog": apart}[c.logs]
			p.write("conf/zoo.cfg", good)
			p.hostDown()
			p.release()
			p.start()
			p.waitZooKeeper()
			p.mkdir("volume/" + c.logs + "/version-2")
			p.write("volume/"+c.logs+"/version-2/log.1", "what it has acknowledged")
			p.joined()
			p.kill()
			p.write("conf/zoo.cfg", c.cfg)
			p.start()
			p.waitRefused(migration.CauseNone, c.word)
			t.Log("it starts by itself once the file is right again")
			p.write("conf/zoo.cfg", good)
			p.waitZooKeeper()
		})
	}
}

// seeded puts a complete copy on the volume.
func (p *pod) seeded(token string) {
	p.write("conf/zoo.cfg", "dataDir=/zookeeper/data\ndataLogDir=/zookeeper/datalog\n")
	p.mkdir("volume/seed-" + token + "/data/version-2")
	p.mkdir("volume/seed-" + token + "/datalog/version-2")
	p.write("volume/seed-"+token+"/data/myid", "2\n")
	p.write("volume/seed-"+token+"/data/version-2/snapshot.7", "copied")
	p.write("volume/seed-"+token+"/datalog/version-2/log.8", "copied")
}

func TestGateStartsFromACopy(t *testing.T) {
	p := newPod(t)
	p.hostDown()
	p.mkdir("volume/data/version-2")
	p.write("volume/data/version-2/log.1", "stale")
	p.mkdir("volume/seed-2x0.partial")
	p.start()
	p.waitReport("parked without a copy", func(r GateReport) bool { return r.State == migration.GateParked && r.Volume.Seed == "" })
	p.seeded("2x1")
	p.waitReport("the copy", func(r GateReport) bool { return r.State == migration.GateParked && r.Volume.Seed == "2x1" })
	p.releaseFor("seed:2x1")
	p.waitZooKeeper()
	if p.read("volume/data/version-2/snapshot.7") != "copied" || p.read("volume/datalog/version-2/log.8") != "copied" {
		t.Error("the copy is not in place")
	}
	if p.exists("volume/data/version-2/log.1") || p.exists("volume/seed-2x1") {
		t.Error("stale data is in use, or the copy's folder stays")
	}
	p.kill()
	t.Log("an interrupted sync on top of complete data is an ordinary restart")
	p.start()
	p.waitZooKeeper()
	p.kill()
	t.Log("a lost volume is not")
	p.remove("volume")
	p.mkdir("volume")
	p.start()
	p.waitRefused(migration.CauseLost, "not on this volume")
}

func TestGateRefusesAnotherCopy(t *testing.T) {
	p := newPod(t)
	p.hostDown()
	p.seeded("2x1")
	p.releaseFor("seed:2x2")
	p.start()
	p.waitRefused(migration.CauseLost, "2x2")
	if !p.exists("volume/seed-2x1/data/myid") || p.exists("volume/data") {
		t.Error("the copy was touched")
	}
}

func TestGateCompletesAnInterruptedPlanting(t *testing.T) {
	p := newPod(t)
	p.hostDown()
	p.seeded("2x1")
	p.release() // generation 2, never seen
	p.releaseFor("seed:2x1")
	p.write("volume/zkmigrate-generation", "3\n")
	p.mkdir("volume/data")
	p.write("volume/data/myid", "2\n")
	p.remove("volume/seed-2x1/data")
	p.start()
	p.waitZooKeeper()
	if p.read("volume/datalog/version-2/log.8") != "copied" || p.exists("volume/data.stale-3") {
		t.Error("the second half was not moved in place")
	}
}

// TestGateTakesNoOlderView: what was closed stays closed for whoever has seen
// it closed, also for the next pod on that volume, whatever its kubelet shows.
func TestGateTakesNoOlderView(t *testing.T) {
	p := newPod(t)
	p.hostDown()
	first := p.release()
	p.start()
	p.waitZooKeeper()
	p.joined()
	p.kill()
	open := p.generation
	p.generation++
	p.gate("")
	p.start()
	p.waitReport("parked, having seen the gate closed", func(r GateReport) bool {
		return r.State == migration.GateParked && r.Generation == open+1
	})
	p.forget()
	p.generation = open
	p.gate(first)
	p.waitRefused(migration.CauseNone, "old view")
	p.kill()
	p.uid = "uid-2"
	p.start()
	p.waitRefused(migration.CauseNone, "old view")
}
