package cli

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/access"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/cluster"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkprobe"
)

// collectFacts asks everybody; it writes nothing but a canary session. Whom it has
// to ask again is told to out.
func collectFacts(ctx context.Context, s *session, rec migration.Record, desc intake.Description, wrapped bool, out io.Writer) preflight.Facts {
	p := patientProber{prober: s.prober, pause: clock{}.Sleep, out: out}
	f := preflight.Facts{
		Servers: rec.Servers, Record: rec, Wrapped: wrapped,
		Direct: map[ensemble.ID]vantage.Sighting{}, Through: map[ensemble.ID]vantage.Sighting{}, Election: map[ensemble.ID]vantage.PortState{},
		FileConfig: map[ensemble.ID]string{}, LiveConfig: map[ensemble.ID]string{},
		InitLimit: rec.Settings.InitLimit, TickTimeMillis: rec.Settings.TickTimeMillis, Via: s.kube.via,
	}
	ids := rec.Ensemble().IDs()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, srv := range rec.Servers {
		if srv.Replaced == nil {
			wg.Go(func() {
				raw := p.learn(ctx, srv.AtHost())
				live := s.prober.named(ctx, ids, srv.AtHost(), raw.Sighting())
				port := p.port(ctx, srv.ElectionAtHost())
				mu.Lock()
				defer mu.Unlock()
				f.Direct[srv.ID], f.Election[srv.ID] = live, port
				sizeFacts(srv.ID, raw, &f)
			})
		}
		if srv.ClusterIP != "" {
			wg.Go(func() {
				raw := p.learn(ctx, srv.AtService())
				live := s.prober.named(ctx, ids, srv.AtService(), raw.Sighting())
				mu.Lock()
				defer mu.Unlock()
				f.Through[srv.ID] = live
				sizeFacts(srv.ID, raw, &f)
			})
		}
	}
	wg.Wait()
	commitFact(ctx, s, rec, &f)
	sessionFacts(ctx, s, rec, desc, &f)
	tlsFacts(ctx, s, rec, desc, &f)
	fileFacts(desc, rec, &f)
	storedFacts(ctx, s.kube, rec, desc.Hosts, &f)
	for _, d := range desc.Differences {
		f.Differences = append(f.Differences, d.String())
	}
	f.Waivers = rec.WaivedChecks()
	clusterFacts(ctx, s, rec, &f)
	twins, unlooked, err := s.kube.twins(ctx, rec)
	if f.TwinsUnlooked = unlooked; err != nil {
		f.TwinsError = "nobody could look: " + plain(err).text
	}
	for _, t := range twins {
		f.Twins = append(f.Twins, t.String())
	}
	if wrapped {
		leftOverFacts(ctx, s.kube, rec, &f)
		roomFacts(ctx, s.kube, rec, &f)
	}
	return f
}

// named completes a look with the server's id where conf does not say it (only
// srvr is whitelisted from 3.5.3 on): the sessions a server hands out tell it among the
// ids of the ensemble. That costs the ensemble three writes.
func (p prober) named(ctx context.Context, ids []ensemble.ID, t vantage.Target, live vantage.Sighting) vantage.Sighting {
	if !live.Serving() || !live.ServerID.IsZero() {
		return live
	}
	// One that takes no session is found by the check of commits.
	if r, err := p.canary(ctx, t); err == nil {
		live.ServerID = r.Origin.Of(ids)
	}
	return live
}

// snapshotBytesPerNode is what a snapshot holds for each znode besides its path
// and data: its Stat and lengths (DataNode.serialize).
const snapshotBytesPerNode = 100

// snapshotBytes estimates the size of a snapshot, 0 when mntr is not answered.
func snapshotBytes(s zkprobe.Answers) int64 {
	if s.DataSize <= 0 {
		return 0
	}
	return s.DataSize + snapshotBytesPerNode*max(s.Nodes, 0)
}

// sizeFacts takes what only the raw answers hold.
func sizeFacts(id ensemble.ID, s zkprobe.Answers, f *preflight.Facts) {
	f.DataBytes = max(f.DataBytes, snapshotBytes(s))
	if s.ConfigVersion != "" {
		f.LiveConfig[id] = s.ConfigVersion
	}
	if f.InitLimit == 0 && s.InitLimit > 0 {
		f.InitLimit, f.TickTimeMillis = s.InitLimit, int(s.TickTime.Milliseconds())
	}
}

// fileFacts judges the hosts' files against the version that runs now.
func fileFacts(desc intake.Description, rec migration.Record, f *preflight.Facts) {
	var some ensemble.Version
	live := map[ensemble.ID]ensemble.Version{}
	for _, srv := range rec.Servers {
		for _, s := range []vantage.Sighting{f.Direct[srv.ID], f.Through[srv.ID]} {
			if s.Serving() && !s.Version.IsZero() {
				live[srv.ID], some = s.Version, s.Version
			}
		}
	}
	version := func(h ensemble.HostConfig) ensemble.Version {
		if id, known := h.ID.Get(); known && !live[id].IsZero() {
			return live[id]
		}
		return some
	}
	f.Lint = desc.LintBy(version)
	for _, h := range desc.Hosts {
		f.Lint = append(f.Lint, ensemble.LintPeers(h.Config, version(h))...)
	}
	f.Files, f.FileSHA256 = len(desc.Hosts), map[ensemble.ID]string{}
	if f.Files > 0 {
		f.Said = desc.Ensemble.Servers
	}
	for _, h := range desc.Hosts {
		id, known := h.ID.Get()
		if known {
			f.FileSHA256[id] = fmt.Sprintf("%x", sha256.Sum256(h.Config.Props.Bytes()))
		}
		if known && h.Config.Dynamic != nil {
			f.FileConfig[id] = h.Config.DynamicVersion()
		}
	}
	if c := desc.Config; c != nil && f.InitLimit == 0 {
		f.InitLimit, f.TickTimeMillis = c.InitLimit, c.TickTime
	}
}

// release is the one that a server said it runs, or that is recorded.
func release(rec migration.Record, f preflight.Facts) ensemble.Version {
	for _, live := range f.Direct {
		if !live.Version.IsZero() {
			return live.Version
		}
	}
	v, _ := ensemble.ParseVersion(rec.Settings.Version) // unknown is the zero version
	return v
}

// tlsFacts looks at the certificates that servers show, each at its host: at the secure
// client port and, where servers speak TLS to each other, at the election port.
func tlsFacts(ctx context.Context, s *session, rec migration.Record, desc intake.Description, f *preflight.Facts) {
	text := rec.Pods.ZooCfg
	if desc.Config != nil {
		text = string(desc.Config.Props.Bytes())
	}
	f.Now, f.QuorumTLS = clock{}.Now(), preflight.QuorumTLSOf(text, release(rec, *f))
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, srv := range rec.Servers {
		for _, p := range srv.Ports() {
			if srv.Replaced != nil || p.Name != ensemble.PortSecureClient && (p.Name != ensemble.PortElection || !f.QuorumTLS.On) {
				continue
			}
			wg.Go(func() {
				shown := preflight.Shown{Server: srv.ID, Port: p.Name}
				chain, err := s.prober.Certificates(ctx, ensemble.JoinHostPort(srv.HostIP, p.Number))
				if err != nil {
					shown.Why = plain(err).text
				} else {
					shown.Leaf = chain[0]
				}
				mu.Lock()
				defer mu.Unlock()
				f.Certificates = append(f.Certificates, shown)
			})
		}
	}
	wg.Wait()
	slices.SortFunc(f.Certificates, func(a, b preflight.Shown) int {
		return cmp.Or(cmp.Compare(a.Server, b.Server), cmp.Compare(a.Port, b.Port))
	})
}

// storedFacts looks whether the files that the configuration names are where the pods get
// them from.
func storedFacts(ctx context.Context, k kube, rec migration.Record, hosts []ensemble.HostConfig, f *preflight.Facts) {
	f.Named = intake.NamedFiles(rec, hosts)
	if !rec.Pods.FilesNamed() {
		return
	}
	keys, missing, err := k.cluster().Entries(ctx, rec.Namespace, rec.Pods.FilesSecret, rec.Pods.FilesConfigMap)
	if f.Stored = (preflight.Stored{Keys: keys, Missing: missing}); err != nil {
		f.Stored.Unlooked = "nobody could look, and a parked pod tells before its host is stopped: " + plain(err).text
	}
}

// leftOverFacts looks for what former settings have left, while nothing is under way.
func leftOverFacts(ctx context.Context, k kube, rec migration.Record, f *preflight.Facts) {
	if rec.Flight != nil || rec.Pods.Image == "" {
		f.LeftOverUnlooked = "the pods' settings are not settled yet"
		return
	}
	var err error
	if f.LeftOver, err = k.cluster().LeftOver(ctx, k.meta, rec); err != nil {
		f.LeftOverUnlooked = "nobody could look, which takes list on secrets and configmaps: " + plain(err).text
	}
}

// commitFact writes a canary through the first server that serves.
func commitFact(ctx context.Context, s *session, rec migration.Record, f *preflight.Facts) {
	for _, srv := range rec.Servers {
		var at vantage.Target
		switch {
		case f.Through[srv.ID].Serving():
			at = srv.AtService()
		case f.Direct[srv.ID].Serving():
			at = srv.AtHost()
		default:
			continue
		}
		f.CommitAsked = true
		if _, err := s.prober.Canary(ctx, at); err != nil {
			f.CommitError = err.Error()
			var canary *zkprobe.CanaryError
			if errors.As(err, &canary) {
				var refused *zkprobe.SASLError
				f.CommitAuth, f.CommitStuck = canary.AuthDemanded() || errors.As(err, &refused), canary.NoCommit
			}
		}
		return
	}
}

// sessionFacts opens a session with each server where clients must authenticate, or this command
// does: their JAAS files and trust stores may differ.
func sessionFacts(ctx context.Context, s *session, rec migration.Record, desc intake.Description, f *preflight.Facts) {
	host := ""
	if desc.Config != nil {
		host = string(desc.Config.Props.Bytes())
	}
	f.ClientAuth = preflight.ClientAuthOf(rec.Pods, host, release(rec, *f))
	if len(f.ClientAuth.Schemes) == 0 && s.prober.SASL == nil {
		return
	}
	f.Sessions = map[ensemble.ID]preflight.SessionTry{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, srv := range rec.Servers {
		at := srv.AtHost()
		if srv.ClusterIP != "" {
			at = srv.AtService()
		}
		wg.Go(func() {
			_, err := s.prober.Canary(ctx, at)
			mu.Lock()
			defer mu.Unlock()
			f.Sessions[srv.ID] = sessionTry(err)
		})
	}
	wg.Wait()
}

// sessionTry tells a refusal from what has nothing to do with who asks.
func sessionTry(err error) preflight.SessionTry {
	var canary *zkprobe.CanaryError
	var sasl *zkprobe.SASLError
	switch {
	case err == nil:
		return preflight.SessionTry{}
	case errors.As(err, &sasl), errors.As(err, &canary) && canary.AuthDemanded():
		return preflight.SessionTry{Refused: plain(err).text}
	}
	return preflight.SessionTry{Unseen: plain(err).text}
}

func clusterFacts(ctx context.Context, s *session, rec migration.Record, f *preflight.Facts) {
	c := cluster.New(s.kube.client, cluster.WithVia(s.kube.via))
	minor, err := c.KubernetesMinor()
	if err != nil {
		f.PermissionsError = "the API server does not say what it is: " + plain(err).text
		f.ClashesError = f.PermissionsError
		return
	}
	f.KubernetesMinor = minor
	permissionFacts(ctx, s, rec, access.For(access.Migration()...), false, f)
	clashes, err := c.Clashes(ctx, rec)
	if f.Clashes = clashes; err != nil {
		f.ClashesError = "nobody could look: " + plain(err).text
	}
}

// lookFacts takes a look as status does, and has its problems checked. A server
// that is away as planned is nobody's concern besides.
func lookFacts(ctx context.Context, s *session, f *preflight.Facts) {
	var o migration.Observation
	var err error
	_ = wait.ExponentialBackoffWithContext(ctx, wait.Backoff{Duration: lookPause, Factor: 1, Steps: looks}, func(ctx context.Context) (bool, error) { // err holds the error of a look
		o, err = s.engine.Observe(ctx)
		return len(o.Unseen()) == 0, err
	})
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		f.LookError = plain(err).text
		return
	}
	f.Looked, f.Problems = true, migration.Problems(o)
	parkedFacts(o, f)
	for _, p := range f.Problems {
		id, known := p.Server.Get()
		if v, _ := o.View(id); known && p.Class == migration.ClassPlanned && !v.Live.Serving() {
			f.Unasked = map[ensemble.ID]bool{id: o.Record.Flight.TakenAway()}
		}
	}
}

// refuseFailed turns failed checks into a refusal that lists them.
func refuseFailed(f preflight.Facts) error {
	failed := preflight.Failed(preflight.Run(f))
	if len(failed) == 0 {
		return nil
	}
	e := &refusedError{reason: "checks failed"}
	for _, fd := range failed {
		for _, d := range fd.Detail {
			e.evidence = append(e.evidence, fd.ID+" "+fd.Title+": "+d)
		}
		if fd.Hint != "" {
			e.evidence = append(e.evidence, fd.ID+" hint: "+fd.Hint)
		}
	}
	return e
}

// wrappedFacts are those that the record alone tells, of what is wrapped.
func wrappedFacts(rec migration.Record) preflight.Facts {
	return preflight.Facts{Servers: rec.Servers, Record: rec, Wrapped: true, Waivers: rec.WaivedChecks()}
}
