package hostreport

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// whole is a report with a value in every field.
const whole = `{"kind":"HostReport","schema":1,"ensemble":"main","asked":"0123456789abcdef","time":1764400000,"hostname":"zk1","uid":0,"container":false,` +
	`"addresses":["10.0.0.1"],"listening":[{"port":2181,"all":true}],` +
	`"zookeeper":[{"started":1764300000,"container":false,"unit":"zookeeper.service","in":{"engine":"docker","name":"zk1","running":true,"restart":"always","image":"zookeeper:3.8","compose":"/srv/zk","unit":"x.service"},"config":"/etc/zoo.cfg","flags":["-Djava.net.preferIPv4Stack=true"],` +
	`"file":{"target":"/etc/zk/zoo.cfg","symlink":true,"modified":1764200000,"sha256":"` + sha + `","comments":["# Puppet"]},` +
	`"dataDir":"/data","dataLogDir":"/logs","myid":1,"dataDirFree":1000,"dataLogDirFree":2000}],` +
	`"units":[{"name":"zookeeper","load":"loaded","enabled":"enabled","files":[{"path":"/etc/systemd/system/zookeeper.service","comments":["# Ansible managed"]}]}],` +
	`"recorded":{"engine":"podman","name":"zk","running":false,"restart":"no","image":"x","compose":"/x","unit":"y.service"},` +
	`"kubernetes":{"processes":["kube-proxy"],"rules":true},` +
	`"names":[{"name":"zk1.example.com","result":"found","addresses":["10.96.0.1"]}],` +
	`"paths":[{"server":1,"via":"service","host":"10.96.0.1","port":2181,"result":"open","route":"10.96.0.1 via 10.0.0.254 dev eth0","seenAs":"10.0.0.1","detail":"x"}]}`

const sha = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// least has only what a report must have.
const least = `{"kind":"HostReport","schema":1,"ensemble":"main","asked":"0123456789abcdef","time":1764400000,"names":[],"paths":[]}`

func TestWholeReport(t *testing.T) {
	reports, err := Parse(strings.NewReader("\n"+whole+"\r\n\n"+least), "f")
	if err != nil {
		t.Fatal(err)
	}
	if len(reports) != 2 {
		t.Fatalf("%d reports", len(reports))
	}
	// What comes out says the same as what went in.
	again, err := json.Marshal(reports[0])
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := errors.Join(json.Unmarshal(again, &got), json.Unmarshal([]byte(whole), &want)); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", again, whole)
	}
	r, none := reports[0], reports[1]
	if p, ok := r.Path(vantage.Target{Server: 1, Via: vantage.ViaService, Host: "10.96.0.1", Port: 2181}); !ok || p.Result != vantage.PortOpen {
		t.Errorf("%+v", p)
	}
	if _, ok := r.Path(vantage.Target{Server: 2, Via: vantage.ViaService, Host: "10.96.0.1", Port: 2181}); ok {
		t.Error("the path to another server is found")
	}
	if own := r.Own("10.0.0.1"); own == nil || !*own {
		t.Error("its address is not its own")
	}
	if own := r.Own("10.0.0.2"); own == nil || *own {
		t.Error("another address is its own")
	}
	if none.Own("10.0.0.1") != nil || none.Container != nil || none.ZooKeeper != nil || none.Listening != nil || none.Kubernetes.Rules != nil || none.UID != nil {
		t.Errorf("what was not told is known: %+v", none)
	}
}

// TestEveryFieldHasARule, and every rule a field.
func TestEveryFieldHasARule(t *testing.T) {
	seen := map[string]bool{"": true}
	var walk func(key string, of reflect.Type)
	walk = func(key string, of reflect.Type) {
		seen[key] = true
		if _, ok := rules()[key]; !ok {
			t.Errorf("%s has no rule", key)
		}
		switch of.Kind() {
		case reflect.Pointer:
			walk(key, of.Elem())
		case reflect.Slice:
			walk(key+"[]", of.Elem())
		case reflect.Struct:
			for i := range of.NumField() {
				name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
				walk(join(key, name), of.Field(i).Type)
			}
		}
	}
	walk("", reflect.TypeFor[Report]())
	for key, r := range rules() {
		if !seen[key] {
			t.Errorf("the rule of %s has no field", key)
		}
		if r.kind == isText && r.text == nil || r.kind == isNumber && r.high == 0 || r.kind == isList && r.high == 0 {
			t.Errorf("the rule of %s bounds nothing", key)
		}
	}
}

func TestBadReports(t *testing.T) {
	with := func(old, replacement string) string {
		t.Helper()
		if strings.Count(whole, old) != 1 {
			t.Fatalf("%q is there %d times", old, strings.Count(whole, old))
		}
		return strings.Replace(whole, old, replacement, 1)
	}
	list := func(n int, element string) string {
		return "[" + strings.TrimSuffix(strings.Repeat(element+",", n), ",") + "]"
	}
	for name, c := range map[string]struct{ file, want string }{
		"empty":               {"", "host report f: the file is empty (expected the line of JSON that the host script prints)"},
		"blank":               {" \n\n", "the file is empty"},
		"words":               {"sh: 1: Syntax error", "line 1: the line is not a report, or only part of one"},
		"second line":         {least + "\noops\n", "line 2: the line is not a report"},
		"cut off":             {whole[:len(whole)-40], "line 1: the line is not a report, or only part of one"},
		"two on a line":       {least + least, "line 1: something follows the report on its line (expected one report per line)"},
		"words behind it":     {least + " done", "line 1: something follows the report on its line"},
		"trailing comma":      {strings.TrimSuffix(least, "}") + ",}", "the line is not a report"},
		"a list":              {"[" + least + "]", "the line is not a report"},
		"a text":              {`"HostReport"`, "the line is not a report"},
		"null":                {"null", "the line is not a report"},
		"a number":            {"1", "the line is not a report"},
		"not a report":        {"{}", "asked is missing (expected a text)"},
		"another kind":        {with(`"kind":"HostReport"`, `"kind":"Observation"`), `kind is "Observation" (expected HostReport)`},
		"another schema":      {with(`"schema":1`, `"schema":2`), "schema is 2 (expected 1)"},
		"unknown field":       {with(`"uid":0`, `"uid":0,"password":"x"`), "password is not a field of a report"},
		"unknown inside":      {with(`"load":`, `"exec":"/bin/sh","load":`), "units[0].exec is not a field of a report"},
		"other case":          {with(`"uid":0`, `"UID":0`), "UID is not a field of a report"},
		"dotted name":         {with(`"rules":true`, `"rules":true,"a.b":1`), "kubernetes.a.b is not a field"},
		"name of a path":      {with(`"uid":0`, `"kubernetes.rules":true`), "kubernetes.rules is not a field"},
		"name of an element":  {with(`"uid":0`, `"paths[]":{}`), "paths[] is not a field"},
		"empty name":          {with(`"uid":0`, `"":0`), "not a field of a report"},
		"hostile name":        {with(`"uid":0`, `"\u001b[2J":0`), `\u001b[2J is not a field`},
		"twice":               {with(`"uid":0`, `"uid":0,"uid":1`), "uid is there twice (expected each field once)"},
		"no paths":            {with(`,"paths":[{"server":1,"via":"service","host":"10.96.0.1","port":2181,"result":"open","route":"10.96.0.1 via 10.0.0.254 dev eth0","seenAs":"10.0.0.1","detail":"x"}]`, ``), "paths is missing (expected a list)"},
		"null paths":          {strings.Replace(least, `"paths":[]`, `"paths":null`, 1), "paths is null (expected a list)"},
		"paths as object":     {strings.Replace(least, `"paths":[]`, `"paths":{}`, 1), "paths is an object (expected a list)"},
		"null in a list":      {with(`["-Djava.net.preferIPv4Stack=true"]`, `["-Djava.net.preferIPv4Stack=true",null]`), "zookeeper[0].flags[1] is null (expected a text)"},
		"list in a list":      {with(`["-Djava.net.preferIPv4Stack=true"]`, `[[]]`), "zookeeper[0].flags[0] is a list (expected a text)"},
		"hostile ensemble":    {with(`"ensemble":"main"`, `"ensemble":"$(x)"`), `ensemble is "$(x)" (expected lower-case letters`},
		"digest":              {with("0123456789abcdef\",\"time", "0123\",\"time"), `asked is "0123" (expected 16 hexadecimal digits)`},
		"time in words":       {with("1764400000", `"now"`), `time is "now" (expected a whole number)`},
		"time in the past":    {with("1764400000", `12`), "time is 12 (expected a number from 946684800 to 7258118400)"},
		"fraction":            {with("1764400000", `1764400000.5`), "time is 1764400000.5 (expected"},
		"exponent":            {with("1764400000", `1e99`), "time is 1e99 (expected"},
		"huge number":         {with("1764400000", strings.Repeat("9", 400)), "time is 9999"},
		"negative":            {with(`"myid":1`, `"myid":-1`), "zookeeper[0].myid is -1 (expected a number from 0 to 9223372036854775807)"},
		"truth in words":      {with(`"uid":0,"container":false`, `"uid":0,"container":"no"`), `container is "no" (expected true or false)`},
		"number for truth":    {with(`"rules":true`, `"rules":0`), "kubernetes.rules is 0 (expected true or false)"},
		"truth for number":    {with(`"uid":0`, `"uid":true`), "uid is true (expected a whole number)"},
		"address":             {with(`["10.0.0.1"]`, `["10.0.0.1/24"]`), `addresses[0] is "10.0.0.1/24" (expected an IP address without a zone)`},
		"zone":                {with(`["10.0.0.1"]`, `["fe80::1%eth0"]`), "addresses[0]"},
		"listening port":      {with(`"port":2181,"all"`, `"port":0,"all"`), "listening[0].port is 0 (expected a number from 1 to 65535)"},
		"sha256":              {with(sha, "xyz"), "zookeeper[0].file.sha256 is \"xyz\" (expected 64 hexadecimal digits)"},
		"six comments":        {with(`["# Puppet"]`, list(6, `"#"`)), "zookeeper[0].file.comments is too long (expected at most 5 entries)"},
		"long comment":        {with(`# Puppet`, strings.Repeat("x", 2000)), "zookeeper[0].file.comments[0] is"},
		"many flags":          {with(`["-Djava.net.preferIPv4Stack=true"]`, list(17, `"-a"`)), "zookeeper[0].flags is too long (expected at most 16 entries)"},
		"myid":                {with(`"myid":1`, `"myid":"1"`), `zookeeper[0].myid is "1" (expected a whole number)`},
		"unit's state":        {with(`"load":"loaded"`, `"load":"a\nb"`), "units[0].load is"},
		"no name of unit":     {with(`{"name":"zookeeper",`, `{`), "units[0].name is missing (expected a text)"},
		"seen as":             {with(`"seenAs":"10.0.0.1"`, `"seenAs":"zk1"`), `paths[0].seenAs is "zk1" (expected an IP address without a zone)`},
		"name":                {with("zk1.example.com", "a b"), `names[0].name is "a b" (expected a host name or an IP address without a zone)`},
		"name's result":       {with(`"result":"found"`, `"result":"maybe"`), `names[0].result is "maybe" (expected found or not-found)`},
		"name's address":      {with(`"addresses":["10.96.0.1"]`, `"addresses":["x"]`), "names[0].addresses[0]"},
		"server":              {with(`"server":1`, `"server":4294967296`), "paths[0].server is 4294967296 (expected a number from 0 to 4294967295)"},
		"no server":           {with(`"server":1,`, ``), "paths[0].server is missing (expected a whole number)"},
		"via":                 {with(`"via":"service"`, `"via":"air"`), `paths[0].via is "air" (expected host or service or pod)`},
		"hostile host":        {with(`"host":"10.96.0.1"`, `"host":"-oProxyCommand=x"`), "paths[0].host"},
		"port":                {with(`"port":2181,"result"`, `"port":70000,"result"`), "paths[0].port is 70000 (expected a number from 1 to 65535)"},
		"result":              {with(`"result":"open"`, `"result":"yes"`), `paths[0].result is "yes" (expected open or closed or silent or unreachable)`},
		"long detail":         {with(`"detail":"x"`, `"detail":"`+strings.Repeat("x", 1025)+`"`), "paths[0].detail is"},
		"many paths":          {strings.Replace(least, `"paths":[]`, `"paths":`+list(513, `{"server":1,"via":"pod","host":"a","port":1}`), 1), "paths is too long (expected at most 512 entries)"},
		"many reports":        {strings.Repeat(least+"\n", 65), "line 65: too many reports (expected 64 per file at most)"},
		"large file":          {strings.Repeat(" ", MaxBytes+1), "the file is too large (expected 8 MiB at most)"},
		"deep":                {strings.Repeat("[", 20000), "the line is not a report"},
		"deep in an object":   {strings.Replace(least, `"paths":[]`, `"paths":`+strings.Repeat(`[`, 20000), 1), "paths[0] is a list (expected an object)"},
		"single quotes":       {strings.ReplaceAll(least, `"`, `'`), "the line is not a report"},
		"output of a manager": {"10.0.0.1 | CHANGED | rc=0 >>\n" + least, "line 1: the line is not a report"},
	} {
		t.Run(name, func(t *testing.T) {
			reports, err := Parse(strings.NewReader(c.file), "f")
			var wrong *Error
			if !errors.As(err, &wrong) || reports != nil {
				t.Fatalf("%d reports, %v", len(reports), err)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("it says %q, want %q", err, c.want)
			}
			if !strings.HasPrefix(err.Error(), "host report f") || len(err.Error()) > 2000 || quote.Visible(err.Error()) != err.Error() || strings.Contains(err.Error(), "\n") {
				t.Errorf("the message is no message: %q", err)
			}
		})
	}
}

// TestNotesAreHarmless: what is somebody's words comes as one line, without what a
// terminal acts on, and without passwords.
func TestNotesAreHarmless(t *testing.T) {
	file := strings.Replace(whole, `"# Puppet"`, `"\u001b[2J\nnext\u202e","a\tb","ssl.keyStore.password=hunter2"`, 1)
	file = strings.Replace(file, `"-Djava.net.preferIPv4Stack=true"`, `"-Dzookeeper.ssl.keyStore.password=hunter2"`, 1)
	file = strings.Replace(file, `"unit":"zookeeper.service"`, "\"unit\":\"\xff\"", 1)
	reports, err := Parse(strings.NewReader(file), "f")
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("%+v %+v %+v", reports[0], reports[0].ZooKeeper, *reports[0].ZooKeeper[0].File)
	if quote.Visible(text) != text || strings.Contains(text, "\n") || strings.Contains(text, "hunter2") {
		t.Errorf("%q", text)
	}
	if got, want := reports[0].ZooKeeper[0].File.Comments[0], `\u001b[2J\nnext\u202e`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestUnreadableFile(t *testing.T) {
	if _, err := Parse(iotest.ErrReader(errors.New("broken")), "a\x1bb"); err == nil || err.Error() != `host report a\u001bb cannot be read: broken` {
		t.Error(err)
	}
}

func TestRoutes(t *testing.T) {
	for answer, want := range map[string]struct {
		none    bool
		gateway string
	}{
		"": {}, "10.1.1.1 dev eth0 src 10.0.0.1 uid 0": {}, "10.1.1.1 via 10.0.0.254 dev eth0": {false, "10.0.0.254"}, "local 10.1.1.1 dev lo src 10.1.1.1": {},
		"RTNETLINK answers: Network is unreachable": {true, ""}, "unreachable 10.1.1.1 dev lo": {true, ""}, "blackhole 10.1.1.1": {true, ""}, "RTNETLINK answers: No route to host": {true, ""},
		"sh: 1: ip: not found": {}, "10.1.1.1 via inet6 dev": {}, "via": {},
	} {
		if p := (Path{Route: answer}); p.NoRoute() != want.none || p.Gateway() != want.gateway {
			t.Errorf("%q: %t, %q", answer, p.NoRoute(), p.Gateway())
		}
	}
}

// FuzzParse: no input makes it panic, and what it takes it takes again as it prints it.
func FuzzParse(f *testing.F) {
	f.Add(whole)
	f.Add(least)
	f.Add("[[")
	f.Fuzz(func(t *testing.T, s string) {
		reports, err := Parse(strings.NewReader(s), "f")
		if err != nil && reports != nil {
			t.Error("reports and an error")
		}
		for _, r := range reports {
			if text := fmt.Sprintf("%+v", r); quote.Visible(text) != text {
				t.Errorf("%q", text)
			}
			line, err := json.Marshal(r)
			again, parseErr := Parse(bytes.NewReader(line), "again")
			if err != nil || parseErr != nil || !reflect.DeepEqual(again, []Report{r}) {
				t.Errorf("%s: %v %v", line, err, parseErr)
			}
		}
	})
}
