package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/cluster"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// differences ends a diff that found some: exit code 1, and nothing else to say.
type differences struct{}

func (differences) Error() string { return "there are differences" }

// comparedError is an error of diff, whose exit code is above 1.
type comparedError struct{ err error }

func (e *comparedError) Error() string { return e.err.Error() }
func (e *comparedError) Unwrap() error { return e.err }

func newDiffCommand(d *deps) *cobra.Command {
	var f *said
	limit := time.Minute
	cmd := &cobra.Command{
		Use:                   "diff [NAME] [--pod-template=FILE]",
		DisableFlagsInUseLine: true,
		Short:                 "Show what applying the objects would change in the cluster",
		Long: long(`
			Compares every object that wrap and replace apply with the one in the cluster, as
			kubectl's diff does: the API server is asked what it would make of each, and keeps
			nothing. With flags it shows what they would change. The program is diff -u -N,
			or the one that KUBECTL_EXTERNAL_DIFF names.

			Exit codes: 0 no differences; 1 differences; above 1 an error.`),
		Example: examples(`
			# Has somebody changed anything?
			%[1]s diff zk1

			# What would a template change?
			%[1]s diff zk1 --pod-template=pods.yaml`),
		Args: atMostName,
		RunE: func(cmd *cobra.Command, args []string) error {
			err := within(cmd.Context(), limit, func(ctx context.Context) error { return runDiff(ctx, d, args, f.pods()) })
			if err != nil && !errors.Is(err, differences{}) {
				return &comparedError{err}
			}
			return err
		},
	}
	f = d.says(cmd, "spec.pods")
	lookFlag(cmd, &limit)
	return cmd
}

func runDiff(ctx context.Context, d *deps, args []string, pods intake.PodFlags) error {
	s, rec, err := d.load(ctx, args)
	if err != nil {
		return err
	}
	if rec.Pods, err = pods.Over(rec.Pods, rec.Settings.Version); err != nil {
		return err
	}
	c := s.kube.cluster()
	all, err := c.PreviewWrap(ctx, rec)
	if err != nil {
		return s.about(err)
	}
	if rec.Pods.ZooCfg != "" {
		more, err := c.PreviewPods(ctx, rec)
		if err != nil {
			return s.about(err)
		}
		all = append(all, more...)
	}
	return d.compare(ctx, all)
}

// compare runs the program that shows differences over two directories, LIVE and MERGED.
func (d *deps) compare(ctx context.Context, all []cluster.Preview) error {
	root, err := os.MkdirTemp("", "zkmigrate-diff-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(root) }() // nothing secret is in it
	live, merged := filepath.Join(root, "LIVE"), filepath.Join(root, "MERGED")
	if err := errors.Join(os.Mkdir(live, 0o700), os.Mkdir(merged, 0o700)); err != nil {
		return err
	}
	for _, p := range all {
		gvk := p.Want.GetObjectKind().GroupVersionKind()
		name := strings.Join([]string{gvk.Group, gvk.Version, gvk.Kind, p.Want.GetNamespace(), p.Want.GetName()}, ".")
		before, err := shown(p.Before, p.Want)
		if err != nil {
			return err
		}
		after, err := shown(p.After, p.Want)
		if err != nil {
			return err
		}
		render.HideDifference(before.Object, after.Object)
		if err := errors.Join(writeShown(filepath.Join(live, name), before), writeShown(filepath.Join(merged, name), after)); err != nil {
			return err
		}
	}
	program, args := diffProgram(os.Getenv("KUBECTL_EXTERNAL_DIFF"))
	cmd := exec.CommandContext(ctx, program, append(args, live, merged)...)
	cmd.Stdout, cmd.Stderr = d.streams.Out, d.streams.ErrOut
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() == 1:
		return differences{}
	case err != nil:
		return fmt.Errorf("%s, which shows the differences, has failed: %w", program, err)
	}
	return nil
}

// diffProgram is kubectl's: what KUBECTL_EXTERNAL_DIFF says, of its words after the first
// those that are plain options (kubectl/pkg/cmd/diff, getCommand).
func diffProgram(external string) (program string, args []string) {
	words := strings.Fields(external)
	if len(words) == 0 {
		return "diff", []string{"-u", "-N"}
	}
	plain := regexp.MustCompile(`^[a-zA-Z0-9-=]+$`)
	return words[0], slices.DeleteFunc(words[1:], func(w string) bool { return !plain.MatchString(w) })
}

// writeShown writes no file where there is no object.
func writeShown(path string, o *unstructured.Unstructured) error {
	if o.Object == nil {
		return nil
	}
	text, err := render.YAML([]render.Object{o})
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// shown is an object of the API server's as it is printed: with the kind of the one that
// was rendered, without its status and what every write changes. Of none it is empty.
func shown(o, as render.Object) (*unstructured.Unstructured, error) {
	if o == nil {
		return &unstructured.Unstructured{}, nil
	}
	data, err := render.JSON(o)
	if err != nil {
		return nil, err
	}
	out := &unstructured.Unstructured{}
	if err := json.Unmarshal(data, &out.Object); err != nil {
		return nil, err
	}
	out.SetGroupVersionKind(as.GetObjectKind().GroupVersionKind())
	out.SetManagedFields(nil)
	out.SetResourceVersion("")
	out.SetGeneration(0)
	out.SetUID("")
	out.SetCreationTimestamp(metav1.Time{})
	return out, nil
}
