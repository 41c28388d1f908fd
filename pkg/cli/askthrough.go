package cli

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/access"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/tunnel"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkprobe"
)

// The values of --probe-via.
const (
	viaAuto   = "auto"
	viaDirect = "direct"
	viaPod    = "pod"
)

// probeFlags say where ZooKeeper is asked from.
type probeFlags struct {
	via, image, credentials string
	// tls, sasl and called are what credentials say.
	tls    *tls.Config
	sasl   *zkprobe.SASL
	called map[ensemble.ID]string
}

func (d *deps) addProbeFlags(cmd *cobra.Command) *cobra.Command {
	fs := cmd.Flags()
	fs.StringVar(&d.probe.via, "probe-via", viaAuto, "Ask ZooKeeper from here (direct), from a pod through the API server (pod), or from a pod of the ensemble where no server answers here (auto)")
	fs.StringVar(&d.probe.image, "probe-image", "", "Image of the pod that --probe-via=pod makes where no pod of the ensemble runs (default: that of the pods, or zookeeper:VERSION)")
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !slices.Contains([]string{viaAuto, viaDirect, viaPod}, d.probe.via) {
			return usagef("--probe-via=%q: allowed are auto, direct, pod", d.probe.via)
		}
		if d.probe.image != "" && d.probe.via != viaPod {
			return usagef("--probe-image is for a pod that is made: use it with --probe-via=pod")
		}
		return run(cmd, args)
	}
	return cmd
}

// tunnelWait bounds the time until a pod takes part.
const tunnelWait = 15 * time.Second

// goneWait is how long a pod that was asked from before has to run a program again.
const goneWait = 5 * time.Second

// askThrough chooses where the servers of the record are asked from, once a command and
// ensemble: moved is the server whose own pod must not be the one, for it is a witness of
// its own.
func (s *session) askThrough(ctx context.Context, rec migration.Record, moved ensemble.MaybeID) error {
	if s.deps == nil || s.deps.probe.via != viaAuto && s.deps.probe.via != viaPod {
		return nil
	}
	if moved.IsZero() && rec.Flight != nil {
		moved = rec.Flight.ID.Known()
	}
	if at, ok := s.deps.asking.of(s.named()); ok && !at.gone(ctx) {
		s.askFrom(at)
		if at.from.IsPod() && s.askElsewhere(ctx, rec, moved) != nil {
			return ctx.Err() // the one that is there goes on
		}
		return nil
	}
	at, err := s.choose(ctx, rec, moved)
	if err != nil {
		return err
	}
	s.deps.asking.keep(s.named(), at)
	s.askFrom(at)
	return nil
}

// throughPods reports whether this command was told to ask through pods, or does.
func (s *session) throughPods() bool {
	return s.deps != nil && s.deps.probe.via == viaPod || s.engine != nil && s.engine.From.IsPod()
}

func (s *session) named() ensembleName { return ensembleName{s.kube.namespace, s.name} }

func (s *session) askFrom(at place) {
	s.prober = at.prober
	s.engine.Prober, s.engine.From = at.prober, at.from
}

func (s *session) choose(ctx context.Context, rec migration.Record, moved ensemble.MaybeID) (place, error) {
	here := place{prober: s.prober}
	auto := s.deps.probe.via == viaAuto
	if auto && s.reached(ctx, rec) {
		return here, nil
	}
	points, err := s.points(ctx, rec, moved)
	if err != nil && !auto {
		return here, err
	}
	var failed error
	for _, p := range points {
		at, err := s.through(ctx, p)
		if err == nil || ctx.Err() != nil {
			return at, ctx.Err()
		}
		failed = err
	}
	switch {
	case auto && failed != nil:
		fmt.Fprintf(s.kube.warn, "Warning: no server answers this machine, and none can be asked through a pod: %s\n", plain(failed).text)
		return here, nil
	case auto:
		return here, nil
	case s.onlyPods:
		return here, fmt.Errorf("--probe-via=pod: no pod of ensemble %s in namespace %s runs to ask through", s.name, s.kube.namespace)
	}
	return s.throughProbePod(ctx, rec)
}

// pointsWait is how long auto looks for pods: what keeps it from that is told by what
// the command does next, in its own words.
const pointsWait = 2 * time.Second

func (s *session) points(ctx context.Context, rec migration.Record, moved ensemble.MaybeID) ([]vantage.Point, error) {
	if s.deps.probe.via == viaAuto {
		limited, cancel := context.WithTimeout(ctx, pointsWait)
		defer cancel()
		ctx = limited
	}
	return s.kube.cluster().Points(ctx, rec, moved)
}

// askElsewhere leaves the moved server's own pod, and one on its node, for a better one.
func (s *session) askElsewhere(ctx context.Context, rec migration.Record, moved ensemble.MaybeID) error {
	points, err := s.kube.cluster().Points(ctx, rec, moved)
	if len(points) == 0 || slices.Contains(points, s.engine.From) {
		return err // rules know where it asks from
	}
	for _, p := range points {
		at, throughErr := s.through(ctx, p)
		if throughErr == nil {
			s.deps.asking.keep(s.named(), at)
			s.askFrom(at)
			return nil
		}
		err = throughErr
	}
	return err
}

// reachedWait is how long a server has to answer this machine before a pod is asked.
const reachedWait = time.Second

// reached reports whether any server answers this machine.
func (s *session) reached(ctx context.Context, rec migration.Record) bool {
	ctx, cancel := context.WithTimeout(ctx, reachedWait)
	defer cancel()
	answers := make(chan bool, len(rec.Servers))
	for _, srv := range rec.Servers {
		at := srv.AtService()
		if srv.ClusterIP == "" {
			at = srv.AtHost()
		}
		go func() { answers <- s.prober.Ask(ctx, at, zkprobe.Srvr).Reach.Alive() }()
	}
	for range rec.Servers {
		if <-answers {
			return true
		}
	}
	return false
}

// throughProbePod makes a pod for it; it goes with the command.
func (s *session) throughProbePod(ctx context.Context, rec migration.Record) (place, error) {
	fmt.Fprintf(s.kube.warn, "Making a pod in namespace %s to ask ZooKeeper from; it goes with this command.\n", s.kube.namespace)
	p, err := s.probePod(ctx, rec)
	if err != nil {
		return place{}, err
	}
	return s.through(ctx, p)
}

// probePod makes a pod to ask from, and waits until it runs; it goes with the command.
func (s *session) probePod(ctx context.Context, rec migration.Record) (vantage.Point, error) {
	image := s.deps.probe.image
	switch {
	case image != "":
	case rec.Pods.Image != "":
		image = rec.Pods.Image
	case rec.Settings.Version != "":
		image = intake.DefaultImage(rec.Settings.Version)
	default:
		return vantage.Point{}, usagef("no pod of %s runs to ask through, and no image is known to make one of: name an image with bash in it with --probe-image", s.name)
	}
	rec.Namespace, rec.Name = s.kube.namespace, s.name
	p, drop, err := s.kube.cluster().ProbePod(ctx, rec, image, func(text string) {
		fmt.Fprintf(s.kube.warn, "Waiting to make a pod to ask from: %s.\n", text)
	})
	if err != nil {
		return vantage.Point{}, err
	}
	s.deps.asking.atEnd(func() {
		if err := drop(); err != nil {
			s.warnLeft(p, err)
		}
	})
	return p, nil
}

// warnLeft tells of a probe pod that could not be deleted.
func (s *session) warnLeft(p vantage.Point, err error) {
	why, next := plain(err).text, ""
	if d, denied := access.DenialIn(err); denied {
		why, next = d.String(), "; "+denialHint(d, s.name, s.kube.namespace, "")
	}
	fmt.Fprintf(s.kube.warn, "Warning: pod %s is not deleted, and ends by itself in a minute: %s%s\n", p.Pod, why, next)
}

// through opens a tunnel from that pod.
func (s *session) through(ctx context.Context, p vantage.Point) (place, error) {
	t, err := s.tunnel(ctx, p)
	if err != nil {
		return place{}, err
	}
	s.deps.asking.atEnd(t.Close)
	if p == s.engine.From {
		return place{prober: s.deps.prober(t), from: p, open: t.Open}, nil
	}
	why := "as --probe-via=pod says"
	if s.deps.probe.via == viaAuto {
		why = "for no server answers this machine"
	}
	fmt.Fprintf(s.kube.warn, "Asking ZooKeeper from %s, %s.\n", p, why)
	return place{prober: s.deps.prober(t), from: p, open: t.Open}, nil
}

// tunnel opens one; the caller closes it.
func (s *session) tunnel(ctx context.Context, p vantage.Point) (*tunnel.Tunnel, error) {
	program, denied := s.kube.cluster().Program(s.kube.namespace, p), make(chan error, 1)
	t := tunnel.New(context.WithoutCancel(ctx), p.Pod, func(ctx context.Context, words []string, stdin io.Reader, stdout, stderr io.Writer) error {
		err := program(ctx, words, stdin, stdout, stderr)
		if isDenied(err) {
			select {
			case denied <- err:
			default: // one is enough
			}
		}
		return err
	})
	limited, cancel := context.WithTimeout(ctx, tunnelWait)
	defer cancel()
	if err := t.Open(limited); err != nil {
		t.Close()
		select {
		case err := <-denied: // a broken stream has words alone
			return nil, err
		default:
		}
		return nil, fmt.Errorf("no program runs in pod %s of namespace %s: %s", p.Pod, s.kube.namespace, plain(err).text)
	}
	return t, nil
}

// place is where one ensemble is asked from.
type place struct {
	prober prober
	from   vantage.Point
	// open fails where no program runs in that pod any more; nil for this machine.
	open func(context.Context) error
}

// gone reports whether nobody can be asked from there any more.
func (p place) gone(ctx context.Context) bool {
	if p.open == nil {
		return false
	}
	limited, cancel := context.WithTimeout(ctx, goneWait)
	defer cancel()
	return p.open(limited) != nil && ctx.Err() == nil
}

// asking is where ensembles are asked from in this command, and what must be cleared away
// when it is over, however it ended.
type asking struct {
	mu     sync.Mutex
	places map[ensembleName]place
	ends   []func()
}

func (a *asking) of(n ensembleName) (place, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p, ok := a.places[n]
	return p, ok
}

func (a *asking) keep(n ensembleName, p place) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.places == nil {
		a.places = map[ensembleName]place{}
	}
	a.places[n] = p
}

func (a *asking) atEnd(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ends = append(a.ends, f)
}

// end clears away; the last first.
func (a *asking) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, f := range slices.Backward(a.ends) {
		f()
	}
	a.ends = nil
}
