package hostreport

import (
	"fmt"
	"math"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostscript"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/strict"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// kind is what a field holds.
type kind string

const (
	isObject kind = "an object"
	isList   kind = "a list"
	isText   kind = "a text"
	isNumber kind = "a whole number"
	isTruth  kind = "true or false"
)

// rule is what a field must look like. A field that is not needed may be null or
// missing.
type rule struct {
	kind kind
	need bool
	// text returns what was expected of a text, or nothing when it fits.
	text func(string) string
	// low and high bound a number; high bounds the length of a list.
	low, high int64
}

const kindOfReport = "HostReport"

// rules has a rule for every field, by its path; [] are the elements of a list. A
// field without a rule is refused.
func rules() map[string]rule {
	object, truth := rule{kind: isObject}, rule{kind: isTruth}
	list := func(limit int64) rule { return rule{kind: isList, high: limit} }
	text := func(fits func(string) string) rule { return rule{kind: isText, text: fits} }
	number := func(low, high int64) rule { return rule{kind: isNumber, low: low, high: high} }
	needed := func(r rule) rule { r.need = true; return r }
	// Up to the year 2200: no clock is that wrong.
	const free = math.MaxInt64
	const early, late = 946684800, 7258118400
	out := map[string]rule{
		"":         needed(object),
		"kind":     needed(text(one(kindOfReport))),
		"schema":   needed(number(hostscript.Schema, hostscript.Schema)),
		"ensemble": needed(text(strict.Name)),
		"asked":    needed(text(hex(16))),
		"time":     needed(number(early, late)),
		"hostname": text(note(253)), "uid": number(0, math.MaxUint32), "container": truth,

		"addresses": list(maxAddresses), "addresses[]": text(strict.Address),

		"listening": list(2 * hostscript.MaxNames), "listening[]": object,
		"listening[].port": needed(number(1, 65535)), "listening[].all": truth,

		"zookeeper": list(16), "zookeeper[]": object,
		"zookeeper[].started": number(early, late), "zookeeper[].container": truth, "zookeeper[].unit": text(note(255)), "zookeeper[].config": text(note(1024)),
		"zookeeper[].flags": list(16), "zookeeper[].flags[]": text(note(1024)), "zookeeper[].file": object,
		"zookeeper[].file.target": text(note(1024)), "zookeeper[].file.symlink": truth, "zookeeper[].file.modified": number(0, late), "zookeeper[].file.sha256": text(hex(64)),
		"zookeeper[].file.comments": list(5), "zookeeper[].file.comments[]": text(note(1024)),
		"zookeeper[].dataDir": text(note(1024)), "zookeeper[].dataLogDir": text(note(1024)), "zookeeper[].myid": number(0, free),
		"zookeeper[].dataDirFree": number(0, free), "zookeeper[].dataLogDirFree": number(0, free),

		"units": list(17), "units[]": object, "units[].name": needed(text(note(1024))), "units[].load": text(strict.Code), "units[].enabled": text(strict.Code),
		"units[].files": list(8), "units[].files[]": object, "units[].files[].path": needed(text(note(1024))), "units[].files[].comments": list(5), "units[].files[].comments[]": text(note(1024)),

		"kubernetes": object, "kubernetes.processes": list(32), "kubernetes.processes[]": text(strict.Object), "kubernetes.rules": truth,

		"names": needed(list(hostscript.MaxNames)), "names[]": object, "names[].name": needed(text(strict.Host)),
		"names[].result": text(one(NameFound, NameNotFound)), "names[].addresses": list(16), "names[].addresses[]": text(strict.Address),

		"paths": needed(list(hostscript.MaxPaths)), "paths[]": object,
		"paths[].server": needed(number(int64(ensemble.MinID), int64(ensemble.MaxID))),
		"paths[].via":    needed(text(one(string(vantage.ViaHost), string(vantage.ViaService), string(vantage.ViaPod)))),
		"paths[].host":   needed(text(strict.Host)), "paths[].port": needed(number(1, 65535)),
		"paths[].result": text(one(string(vantage.PortOpen), string(vantage.PortClosed), string(vantage.PortSilent), string(vantage.PortUnreachable))),
		"paths[].route":  text(note(1024)), "paths[].seenAs": text(strict.Address), "paths[].detail": text(note(1024)),
	}
	for _, at := range []string{"zookeeper[].in", "recorded"} {
		out[at] = object
		out[at+".engine"] = needed(text(one(Docker, Podman)))
		out[at+".name"], out[at+".running"], out[at+".restart"] = text(strict.Unit), truth, text(strict.Code)
		out[at+".image"], out[at+".compose"], out[at+".unit"] = text(note(1024)), text(note(1024)), text(note(255))
	}
	return out
}

// note is somebody's words: they are shown, and nothing follows from them. Parse
// makes them harmless.
func note(limit int) func(string) string {
	return func(s string) string {
		if len(s) > limit {
			return fmt.Sprintf("%d bytes at most", limit)
		}
		return ""
	}
}

func one(allowed ...string) func(string) string {
	return func(s string) string {
		for _, a := range allowed {
			if s == a {
				return ""
			}
		}
		return strings.Join(allowed, " or ")
	}
}

func hex(length int) func(string) string {
	return func(s string) string {
		if len(s) != length || strings.Trim(s, "0123456789abcdef") != "" {
			return fmt.Sprintf("%d hexadecimal digits", length)
		}
		return ""
	}
}
