// Package podfake runs programs on this machine as a kubelet does in a pod, for tests that
// need no cluster.
package podfake

import (
	"context"
	"io"
	"os/exec"
	"syscall"
)

// Run runs a program until it ends. When the context does, its input is closed and nothing
// is killed, as for a program whose client is gone.
func Run(ctx context.Context, program []string, stdin io.Reader, stdout, stderr io.Writer) error {
	return Started(func(int) {})(ctx, program, stdin, stdout, stderr)
}

// Started is Run with the process group that the program leads told to its caller.
func Started(tell func(group int)) func(context.Context, []string, io.Reader, io.Writer, io.Writer) error {
	return func(ctx context.Context, program []string, stdin io.Reader, stdout, stderr io.Writer) error {
		cmd := exec.CommandContext(ctx, program[0], program[1:]...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		in, err := cmd.StdinPipe()
		if err != nil {
			return err
		}
		cmd.Stdout, cmd.Stderr, cmd.Cancel = stdout, stderr, in.Close
		go func() {
			_, _ = io.Copy(in, stdin)
			_ = in.Close()
		}()
		if err := cmd.Start(); err != nil {
			return err
		}
		tell(cmd.Process.Pid)
		return cmd.Wait()
	}
}
