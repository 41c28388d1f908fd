// Command bench measures, in the lab, what a person waits for: the start of the
// plugin, one look at an ensemble, and the time from a pod's release to its
// ZooKeeper serving, beside a bare JVM on a host of the same run. It judges
// nothing: seconds are those of the machine it runs on.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
)

func main() {
	zk := flag.String("zk", "3.8.0", "ZooKeeper version: 3.8.0, 3.4.13 or 3.9.3")
	bin := flag.String("bin", "bin", "directory with kubectl-zkmigrate and zklab")
	name := flag.String("name", "bench", "the lab's name")
	report := flag.String("report", "bench-report.json", "where the figures go")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *zk, *bin, *name, *report); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, version, bin, name, report string) (err error) {
	if bin, err = filepath.Abs(bin); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "zkmigrate-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{lab: labkit.Lab{Name: name, Bin: bin, Dir: dir}, version: version}
	fmt.Fprintf(os.Stderr, "a lab with three ZooKeeper %s servers on hosts\n", version)
	if _, err := labkit.Must(b.lab.Zklab(ctx, "up", "--clients", "1", "--ensemble", ensemble+",version="+version)); err != nil {
		return err
	}
	defer func() {
		// Also after an interrupt: nothing stays behind.
		if _, downErr := labkit.Must(b.lab.Zklab(context.WithoutCancel(ctx), "down")); err == nil {
			err = downErr
		}
	}()
	r, err := b.measure(ctx)
	if err != nil {
		return err
	}
	r.print(os.Stdout)
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(report, append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	fmt.Printf("\nThe same figures as JSON: %s\n", report)
	return nil
}

// times calls f n times and returns how long each took.
func times(n int, f func() error) ([]time.Duration, error) {
	var took []time.Duration
	for range n {
		began := time.Now()
		if err := f(); err != nil {
			return nil, err
		}
		took = append(took, time.Since(began))
	}
	return took, nil
}
