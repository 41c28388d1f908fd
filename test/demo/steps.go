package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
)

const (
	ensemble  = "demo"
	namespace = "zk"
)

// demo is one run.
type demo struct {
	ctx     context.Context //nolint:containedctx // one run, one context
	bin     string
	version string
	start   time.Time
	// lab shows what it runs, quiet does not.
	lab, quiet *labkit.Lab
	figures    figures
}

// znodes is how many there are before the migration begins.
const znodes = 5000

// run is the whole demo. It reports whether everything holds.
func (d *demo) run(report string, keep bool) (ok bool, err error) {
	report, err = filepath.Abs(report)
	if err != nil {
		return false, err
	}
	work, err := os.MkdirTemp("", "zkmigrate-demo-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(work)
	d.lab = &labkit.Lab{Name: "demo", Bin: d.bin, Dir: work, Echo: os.Stdout}
	d.quiet = &labkit.Lab{Name: "demo", Bin: d.bin, Dir: work}
	d.figures.ZooKeeper = d.version

	d.say("a Kubernetes cluster and three ZooKeeper %s servers on hosts", d.version)
	if _, err := labkit.Must(d.lab.Zklab(d.ctx, "up", "--clients", "1", "--ensemble", ensemble+",version="+d.version+",ids=1:2:3")); err != nil {
		return false, err
	}
	if !keep {
		defer func() {
			d.say("taking the lab down")
			// Also after an interrupt: nothing stays behind.
			if _, downErr := labkit.Must(d.lab.Zklab(context.WithoutCancel(d.ctx), "down")); downErr != nil && err == nil {
				err = downErr
			}
		}()
	}
	hosts, err := d.prepare()
	if err != nil {
		return false, err
	}
	load, err := d.startLoad(hosts)
	if err != nil {
		return false, err
	}
	err = d.migrate(hosts)
	if err == nil {
		err = d.afterwards()
	}
	if err != nil {
		_ = load.Stop() // the migration's own error counts
		return false, err
	}
	d.say("stopping the client, reading everything back")
	if err := load.Stop(); err != nil {
		return false, fmt.Errorf("the client: %w", err)
	}
	if err := d.collect(); err != nil {
		return false, err
	}
	if err := d.zkmigrate("status", ensemble); err != nil {
		return false, err
	}
	d.figures.print(os.Stdout)
	data, err := json.MarshalIndent(d.figures, "", "  ")
	if err != nil {
		return false, err
	}
	if err := os.WriteFile(report, append(data, '\n'), 0o644); err != nil {
		return false, err
	}
	fmt.Printf("\nThe same figures as JSON: %s\n", report)
	return d.figures.Holds, nil
}

// prepare makes the operator's user, with just the published Role.
func (d *demo) prepare() ([]labkit.Host, error) {
	role, err := filepath.Abs("docs/rbac/role.yaml")
	if err != nil {
		return nil, err
	}
	if d.lab.Kubeconfig, err = d.quiet.Operator(d.ctx, namespace, role); err != nil {
		return nil, err
	}
	d.quiet.Kubeconfig = d.lab.Kubeconfig
	return d.quiet.Hosts(d.ctx, ensemble)
}

// startLoad fills the ensemble and starts the client that holds one session,
// an ephemeral node and watches, and writes all the time.
func (d *demo) startLoad(hosts []labkit.Host) (*labkit.Process, error) {
	d.say("%d znodes, and a client that writes throughout with one session", znodes)
	if _, err := labkit.Must(d.lab.OnClient(d.ctx, "zkload", "prepare", "--connect", labkit.Connect(hosts), "--znodes", fmt.Sprint(znodes))); err != nil {
		return nil, err
	}
	return d.lab.Start(d.ctx, "load.log", "zkload", "run", "--connect", labkit.Connect(hosts), "--report", d.file("load.json"), "--control", d.file("load.sock"))
}

// moveClient gives the client the new connection string, as a restart of a
// real one would, and keeps its session.
func (d *demo) moveClient(to string) error {
	fmt.Printf("the client's new connection string: %s\n", to)
	_, err := labkit.Must(d.lab.OnClient(d.ctx, "zkload", "ctl", "--control", d.file("load.sock"), "connect", to))
	return err
}

// zkmigrate runs the plugin through kubectl, as the operator, and shows it.
func (d *demo) zkmigrate(args ...string) error {
	fmt.Printf("$ kubectl zkmigrate %s\n", strings.Join(args, " "))
	r, err := d.lab.Zkmigrate(d.ctx, append(args, "-n", namespace)...)
	if err == nil && r.Code != 0 {
		err = fmt.Errorf("kubectl zkmigrate %s: exit code %d", args[0], r.Code)
	}
	return err
}

func (d *demo) file(name string) string { return filepath.Join(d.lab.Dir, name) }

// say prints a heading.
func (d *demo) say(format string, a ...any) {
	fmt.Printf("\n\033[1m=== [%5.1fs] %s\033[0m\n", time.Since(d.start).Seconds(), fmt.Sprintf(format, a...))
}

// migrate is what an operator types.
func (d *demo) migrate(hosts []labkit.Host) error {
	zooCfg, hook := hosts[0].ZooCfg, d.lab.HookCommand()
	var files []string
	for _, h := range hosts {
		files = append(files, "-f", fmt.Sprintf("%d=%s", h.ID, h.ZooCfg))
	}
	check := []string{"check", ensemble, "-f", zooCfg}
	wrap := append([]string{"wrap", ensemble}, append(files, labkit.PodFlags(d.version, ensemble)...)...)
	if d.version == "3.9.3" {
		// On the list of refused versions; the lab's hosts run it all the same.
		check, wrap = append(check, "--waive=ZK002"), append(wrap, "--waive=ZK002")
	}
	d.say("step 1: check")
	if err := d.zkmigrate(check...); err != nil {
		return err
	}
	d.say("step 2: wrap")
	if err := d.zkmigrate(wrap...); err != nil {
		return err
	}
	if err := d.readEpoch(&d.figures.epochAtStart); err != nil {
		return err
	}
	d.say("step 3: clients move to the Services' addresses")
	if err := d.zkmigrate("clients", ensemble); err != nil {
		return err
	}
	to, err := d.newConnection()
	if err != nil {
		return err
	}
	if err := d.moveClient(to); err != nil {
		return err
	}
	d.say("step 4: the servers' own lists, one rolling restart")
	if err := d.zkmigrate(append([]string{"reconfigure", ensemble, "--host-hook", hook, "--output-dir", d.file("patches")}, files...)...); err != nil {
		return err
	}
	if err := d.readEpoch(&d.figures.epochAfterRestart); err != nil {
		return err
	}
	d.say("days before the next step, if you like: the pods are created and proved; nothing runs in them")
	if err := d.zkmigrate("park", ensemble, "--host-hook", hook); err != nil {
		return err
	}
	d.say("step 5: one host after the other is replaced by a pod, leader last")
	began := time.Now()
	// The client has moved. If chance never leads it to a pod, no look can tell.
	if err := d.zkmigrate("replace", ensemble, "--all", "--yes", "--host-hook", hook, "--accept-client-loss=10"); err != nil {
		return err
	}
	d.figures.ReplaceSeconds = time.Since(began).Seconds()
	return d.readEpoch(&d.figures.epochAtEnd)
}

// afterwards is what comes after a migration, to its end: the host's last things, other
// settings, and pods that are like any others.
func (d *demo) afterwards() error {
	if err := d.timesAway(); err != nil {
		return err
	}
	d.say("the day after: what is left to do on a host")
	if err := d.zkmigrate("retire", ensemble, "--id=1"); err != nil {
		return err
	}
	d.say("the week after: more memory, one server at a time")
	if err := d.zkmigrate("apply", ensemble, "--yes", "--memory=640Mi"); err != nil {
		return err
	}
	d.say("the end: plain pods without a gate, which belong to Kubernetes")
	if err := d.zkmigrate("finalize", ensemble, "--yes", "--give-up-way-back="+ensemble); err != nil {
		return err
	}
	return d.readEpoch(&d.figures.epochFinalized)
}

// clientsReport is what the demo needs of clients -o json.
type clientsReport struct {
	New string `json:"new"`
}

func (d *demo) newConnection() (string, error) {
	var r clientsReport
	err := d.json(&r, "clients", ensemble, "-o", "json")
	return r.New, err
}

// status is what the demo needs of status -o json.
type status struct {
	Healthy  bool   `json:"healthy"`
	Epoch    uint32 `json:"epoch"`
	Replaced int    `json:"replaced"`
}

func (d *demo) status() (status, error) {
	var st status
	err := d.json(&st, "status", ensemble, "-o", "json")
	return st, err
}

// json runs the plugin and reads what it prints.
func (d *demo) json(to any, args ...string) error {
	r, err := labkit.Must(d.quiet.Zkmigrate(d.ctx, append(args, "-n", namespace)...))
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(r.Stdout), to); err != nil {
		return fmt.Errorf("%s -o json: %w", args[0], err)
	}
	return nil
}

func (d *demo) readEpoch(to *uint32) error {
	st, err := d.status()
	*to = st.Epoch
	return err
}
