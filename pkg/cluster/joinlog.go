package cluster

import (
	"bytes"
	"context"
	"regexp"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

const (
	joinLines = int64(300)
	// clueMax bounds what is shown of one line, cluesMax how many are.
	clueMax  = 240
	cluesMax = 3
)

// readJoin completes the view of a server that was started and does not serve yet
// with what its own log says. Anybody who can reach the server can write there
// (see readGate): it is shown to people, and decides nothing.
func (c *Client) readJoin(ctx context.Context, pod *corev1.Pod, v *migration.PodView) {
	// The node whose relay could not be read does not answer for this container.
	if v.Ready() || v.Problem != "" || v.Report.State != migration.GateStarted && v.Restarts == 0 {
		return
	}
	for _, previous := range []bool{false, true} {
		if previous && v.Restarts == 0 {
			return
		}
		n, limit := joinLines, logBytes
		log, err := c.readLog(ctx, pod.Namespace, pod.Name, &corev1.PodLogOptions{
			Container: render.ContainerName, TailLines: &n, LimitBytes: &limit, Previous: previous,
		})
		if err != nil {
			return // a hint less
		}
		v.Log.Snapshots += bytes.Count(log, []byte("Getting a snapshot from leader"))
		if v.Log.Says = clues(log); len(v.Log.Says) > 0 {
			return
		}
	}
}

// clues are the latest different lines of ZooKeeper's log (3.4 to 3.9) that name
// what keeps a server from joining: the peer it cannot reach, a certificate or key
// store, a file or directory, a full volume, a refused login.
func clues(log []byte) []string {
	clue := regexp.MustCompile(`Cannot open (?:secure )?channel to \d+ at election address \S+` +
		`|(?:SSL|Cert|KeyStore|UnrecoverableKey|KeyManager|TrustManager|Validator|FileNotFound|NoSuchFile|AccessDenied|` +
		`Login|GSS|Sasl|UnknownHost|UnresolvedAddress|Config|Datadir|Bind|Krb)\w*Exception: .*` +
		`|Exception: .*(?:No space left on device|Permission denied|password was incorrect|[Kk]ey ?store|[Tt]rust ?store|Unable to (?:create|load|access)).*`)
	var out []string
	for _, line := range slices.Backward(bytes.Split(log, []byte("\n"))) {
		found := quote.Short(quote.Line(string(clue.Find(line))), clueMax)
		if found != "" && !slices.Contains(out, found) {
			out = append(out, found)
		}
		if len(out) == cluesMax {
			break
		}
	}
	return out
}
