package migration

// PodView is the server's pod.
type PodView struct {
	Name string `json:"name,omitempty"`
	// UID is empty where there is none.
	UID         string `json:"uid,omitempty"`
	IP          string `json:"ip,omitempty"`
	Node        string `json:"node,omitempty"`
	Terminating bool   `json:"terminating,omitempty"`
	// NodeLost: its node is gone, or does not report. What is said of the container
	// is what the node said last.
	NodeLost  bool           `json:"nodeLost,omitempty"`
	Container ContainerState `json:"container,omitempty"`
	// Restarts of the container.
	Restarts int `json:"restarts,omitempty"`
	// OutOfMemory: its container was killed for using more memory than its
	// limit when it last ended.
	OutOfMemory bool `json:"outOfMemory,omitempty"`
	// Problem is why the pod does not run (unschedulable, image, volume).
	Problem string `json:"problem,omitempty"`
	// EarlierLog is the container whose log of before its last end says more about
	// Problem.
	EarlierLog string `json:"earlierLog,omitempty"`
	// Unbound: no volume can be had for its claim, so that no node takes the pod.
	Unbound bool `json:"unbound,omitempty"`
	// Source is what it is made from.
	Source Source `json:"source,omitzero"`
	// Report is what its gate told last, zero when nothing was heard.
	Report Report `json:"report,omitzero"`
	// Log is what ZooKeeper's own log says while the server joins.
	Log ServerLog `json:"log,omitzero"`
}

// ContainerState is what Kubernetes says of the pod's container.
type ContainerState string

const (
	// ContainerDown: it does not run.
	ContainerDown ContainerState = ""
	// ContainerPreparing: it does not run, and nothing is known to keep it from that;
	// the pod is being scheduled, or its node prepares it.
	ContainerPreparing ContainerState = "preparing"
	// ContainerRunning: it runs, and its readiness probe does not pass.
	ContainerRunning ContainerState = "running"
	// ContainerReady: it runs, and its readiness probe passes.
	ContainerReady ContainerState = "ready"
)

// Claim is its volume claim, as a StatefulSet calls it.
func (p PodView) Claim() string { return PodVolume + "-" + p.Name }

// Running: the container runs.
func (p PodView) Running() bool {
	return p.Container == ContainerRunning || p.Container == ContainerReady
}

// Ready: the readiness probe passes.
func (p PodView) Ready() bool { return p.Container == ContainerReady }

// Source is what a pod is made from, held against what is recorded.
type Source struct {
	// Pod is what it was made from, Set what its successor would be.
	Pod Template `json:"pod,omitzero"`
	Set Template `json:"set,omitzero"`
	// Missing: some of it is not there and can be made again: the StatefulSet (or it is
	// too small for this pod, or of an earlier release), or the ConfigMap with its files.
	Missing bool `json:"missing,omitempty"`
	// Lost names what the pods share beside the StatefulSet and is gone, Unknown what the user
	// may not look at: the headless Service, the PodDisruptionBudget.
	Lost    []string `json:"lost,omitempty"`
	Unknown []string `json:"unknown,omitempty"`
	// Files is what is wrong with the ConfigMap its zoo.cfg and scripts come from,
	// ForeignFiles that ConfigMap's name where somebody else's has taken its place.
	Files        string `json:"files,omitempty"`
	ForeignFiles string `json:"foreignFiles,omitempty"`
}

// Template is how the template of a pod compares with the one that is recorded.
type Template struct {
	// Plain: it has no gate.
	Plain bool `json:"plain,omitempty"`
	// Outdated: it is another one, and what is recorded now would be made differently.
	Outdated bool `json:"outdated,omitempty"`
	// Drift says, in words, what somebody edited. A pod may differ although it is not
	// outdated: where admission rewrites pods, its successor would differ as well.
	Drift []string `json:"drift,omitempty"`
}

// ServerLog are words of ZooKeeper's own log. Anybody who can reach the server can
// write into it: people see them, and they decide nothing.
type ServerLog struct {
	// Says may say why it does not join.
	Says []string `json:"says,omitempty"`
	// Snapshots is how often it has begun to get one.
	Snapshots int `json:"snapshots,omitempty"`
}
