package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
)

// fleetSize is how many ensembles of three servers status -A looks at.
const fleetSize = 300

// ourObjects are those that a look at an ensemble on hosts reads.
const ourObjects = "configmaps,services,endpoints,endpointslices,pods,statefulsets"

// fleet times a look at hundreds of ensembles, and kubectl's at the same objects.
func (b *bench) fleet(ctx context.Context) (status, get []time.Duration, err error) {
	admin := *b
	admin.lab.Kubeconfig = ""
	if err := admin.clone(ctx); err != nil {
		return nil, nil, err
	}
	for range 3 {
		one, err := times(1, func() error { return admin.onClient(ctx, "kubectl-zkmigrate", "status", "-A") })
		if err != nil {
			return nil, nil, err
		}
		other, err := times(1, func() error {
			return admin.onClient(ctx, "kubectl", "get", ourObjects, "-A", "-l", "app.kubernetes.io/managed-by=kubectl-zkmigrate")
		})
		if err != nil {
			return nil, nil, err
		}
		status, get = append(status, one...), append(get, other...)
	}
	return status, get, admin.onClient(ctx, "kubectl", "delete", "namespace", fleetNamespace, "--wait=false")
}

const fleetNamespace = "fleet"

// clone makes fleetSize ensembles of the wrapped one: their objects under other
// names, with hosts of their own that are not there. Their servers are those of the one.
func (b *bench) clone(ctx context.Context) error {
	fmt.Fprintf(os.Stderr, "making %d ensembles\n", fleetSize)
	r, err := labkit.Must(b.lab.OnClient(ctx, "kubectl", "get", "configmaps,services,endpointslices", "-n", ensemble, "-o", "json",
		"-l", "app.kubernetes.io/managed-by=kubectl-zkmigrate"))
	if err != nil {
		return err
	}
	var list struct {
		Items []map[string]any `json:"items"`
	}
	if err := json.Unmarshal([]byte(r.Stdout), &list); err != nil {
		return fmt.Errorf("what kubectl says: %w", err)
	}
	var all []json.RawMessage
	for _, item := range list.Items {
		forget(item)
		text, err := json.Marshal(item)
		if err != nil {
			return err
		}
		for n := range fleetSize {
			all = append(all, json.RawMessage(b.renamed(string(text), n)))
		}
	}
	data, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "List", "items": all})
	if err != nil {
		return err
	}
	file := filepath.Join(b.lab.Dir, "fleet.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return err
	}
	if err := b.onClient(ctx, "kubectl", "create", "namespace", fleetNamespace); err != nil {
		return err
	}
	return b.onClient(ctx, "kubectl", "create", "-f", file)
}

// forget drops what the API server gives.
func forget(item map[string]any) {
	if meta, ok := item["metadata"].(map[string]any); ok {
		for _, key := range []string{"uid", "resourceVersion", "creationTimestamp", "managedFields"} {
			delete(meta, key)
		}
	}
	if spec, ok := item["spec"].(map[string]any); ok {
		delete(spec, "clusterIP")
		delete(spec, "clusterIPs")
	}
	delete(item, "status")
}

// renamed is the text of one object as that of the n-th ensemble. The journal is
// JSON in JSON, so there are backslashes before its quotes.
func (b *bench) renamed(text string, n int) string {
	text = regexp.MustCompile(`(\\*"namespace\\*":\s*\\*")`+ensemble).ReplaceAllString(text, "${1}"+fleetNamespace)
	text = regexp.MustCompile(`(\\*")`+ensemble+`\b`).ReplaceAllString(text, fmt.Sprintf("${1}e%03d", n))
	for i, h := range b.hosts {
		text = strings.ReplaceAll(text, h.Address+`"`, fmt.Sprintf(`10.77.%d.%d"`, n%250, 10*(n/250)+i+1))
		text = strings.ReplaceAll(text, h.Address+`\"`, fmt.Sprintf(`10.77.%d.%d\"`, n%250, 10*(n/250)+i+1))
	}
	return text
}
