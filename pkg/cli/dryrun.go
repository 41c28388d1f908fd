package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/cluster"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/printer"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// Values of --dry-run, as kubectl has them.
const (
	dryRunClient = "client"
	dryRunServer = "server"
)

func checkDryRun(value string) error {
	switch value {
	case "none", dryRunClient, dryRunServer:
		return nil
	}
	return usagef("--dry-run=%q: allowed are none, client, server", value)
}

// dryRunOutput checks --dry-run, and -o that goes with it. revert has neither.
func dryRunOutput(dryRun, output string) (printer.Format, error) {
	if dryRun == "" {
		return printer.Table, nil
	}
	if err := checkDryRun(dryRun); err != nil {
		return "", err
	}
	if output != "" && dryRun == "none" {
		return "", usagef("--output=%s is for --dry-run=client and --dry-run=server: add one of them", output)
	}
	return formatOf(output, printer.JSON, printer.Name, printer.YAML)
}

// preview prints the objects of the pods as this command would apply them.
func (o *MoveOptions) preview(ctx context.Context) error {
	s, rec, err := o.deps.load(ctx, o.args)
	if err != nil {
		return err
	}
	if _, ok := rec.ServerOf(o.id); !ok && !o.all {
		return usagef("ensemble %s has no server %s; it has %v", s.name, o.id, rec.Ensemble().IDs())
	}
	if rec, _, err = o.pods.change(rec, o.id, s.kube.at()); err != nil {
		return err
	}
	if o.dryRun == dryRunServer {
		all, err := s.kube.cluster().PreviewPods(ctx, rec)
		if err != nil {
			return err
		}
		return o.deps.printPreviews(all, o.format)
	}
	objects, err := render.Pods(rec)
	if err != nil {
		return err
	}
	objects = append([]render.Object{render.Gate(rec, firstGate())}, objects...)
	if o.format != printer.Table {
		return printObjects(o.deps.streams.Out, o.format, objects)
	}
	for _, obj := range objects {
		fmt.Fprintf(o.deps.streams.Out, "%s applied (dry run)\n", objectName(obj))
	}
	return nil
}

// firstGate is a closed gate as it would be made now.
func firstGate() render.GateData { return render.GateData{Generation: int(time.Now().Unix())} }

// printPreviews prints what the API server would make of the objects.
func (d *deps) printPreviews(all []cluster.Preview, format printer.Format) error {
	var objects []render.Object
	for _, p := range all {
		if format == printer.Table {
			fmt.Fprintf(d.streams.Out, "%s %s (server dry run)\n", objectName(p.Want), p.Result)
			continue
		}
		o, err := shown(p.After, p.Want)
		if err != nil {
			return err
		}
		objects = append(objects, o)
	}
	if format == printer.Table {
		return nil
	}
	return printObjects(d.streams.Out, format, objects)
}
