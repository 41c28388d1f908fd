// Command demo performs a whole migration in the lab, with a client that holds
// one session and writes throughout, and says what happened. It exits 0 only
// when nothing was lost.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	zk := flag.String("zk", "3.8.0", "ZooKeeper version: 3.8.0, 3.4.13 or 3.9.3")
	bin := flag.String("bin", "bin", "directory with kubectl-zkmigrate, zklab and zkload")
	report := flag.String("report", "demo-report.json", "where the figures go")
	keep := flag.Bool("keep", false, "leave the lab running at the end")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	abs, err := filepath.Abs(*bin)
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
	d := &demo{ctx: ctx, bin: abs, version: *zk, start: time.Now()}
	ok, err := d.run(*report, *keep)
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
	if !ok {
		os.Exit(1)
	}
}
