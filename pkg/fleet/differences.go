package fleet

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Differences says what has changed from one plan to another, in words; at most 20 lines.
func Differences(was, is Plan) []string {
	var out []string
	for _, t := range was.Targets {
		if now, ok := is.Target(t.ID); !ok {
			out = append(out, fmt.Sprintf("ensemble %s is not in it any more", t.ID))
		} else if what := changed(t, now); len(what) > 0 {
			out = append(out, fmt.Sprintf("ensemble %s has another %s", t.ID, strings.Join(what, ", ")))
		}
	}
	for _, t := range is.Targets {
		if _, ok := was.Target(t.ID); !ok {
			out = append(out, fmt.Sprintf("ensemble %s is new", t.ID))
		}
	}
	for _, s := range was.Stages {
		i := slices.IndexFunc(is.Stages, func(o Stage) bool { return o.Name == s.Name })
		if i < 0 {
			out = append(out, fmt.Sprintf("stage %s is not in it any more", s.Name))
		} else if what := changed(s, is.Stages[i]); len(what) > 0 {
			out = append(out, fmt.Sprintf("stage %s has another %s", s.Name, strings.Join(what, ", ")))
		}
	}
	for _, s := range is.Stages {
		if !slices.ContainsFunc(was.Stages, func(o Stage) bool { return o.Name == s.Name }) {
			out = append(out, fmt.Sprintf("stage %s is new", s.Name))
		}
	}
	was.Targets, is.Targets, was.Stages, is.Stages = nil, nil, nil, nil
	if what := changed(was, is); len(what) > 0 {
		out = append(out, "the strategy has another "+strings.Join(what, ", "))
	}
	if len(out) == 0 {
		out = []string{"the order of ensembles or stages is another one"}
	}
	if n := len(out); n > 20 {
		out = append(out[:19], fmt.Sprintf("and %d more", n-19))
	}
	return out
}

// changed names the fields that differ; of files, those whose content does.
func changed(a, b any) []string {
	was, is := fields(a), fields(b)
	for key := range is {
		if _, ok := was[key]; !ok {
			was[key] = nil
		}
	}
	var out []string
	for key, value := range was {
		if reflect.DeepEqual(value, is[key]) {
			continue
		}
		if key != "digests" {
			out = append(out, key)
			continue
		}
		old, _ := value.(map[string]any)
		now, _ := is[key].(map[string]any)
		for _, file := range []string{"manifest", "hostFiles", "hook"} {
			if old[file] != now[file] {
				out = append(out, "content of "+file)
			}
		}
	}
	slices.Sort(out)
	return out
}

func fields(v any) map[string]any {
	data, _ := json.Marshal(v) // plans have nothing that JSON does not have
	out := map[string]any{}
	_ = json.Unmarshal(data, &out)
	return out
}
