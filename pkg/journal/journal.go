// Package journal keeps the record of an ensemble in a ConfigMap, under an
// optimistic lock, and a Lease that lets one command at a time work on it. What
// can be seen in the cluster or in ZooKeeper is not kept here.
package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

const (
	// FieldManager names us in the managed fields of what we write.
	FieldManager = "kubectl-zkmigrate"
	// Key holds the record in the ConfigMap.
	Key = "record.json"
	// Kind is the record's kind.
	Kind = "Record"
)

// NotFoundError says that an ensemble has no journal.
type NotFoundError struct {
	Namespace, Name string
	// Via is put into the command that is named.
	Via command.Via
}

func (e *NotFoundError) Error() string {
	return fmt.Sprintf("namespace %s has no ensemble %q; %s lists what there is, wrap makes one", e.Namespace, e.Name, command.At{Via: e.Via}.Ours("status -A"))
}

// Permanent says that trying again does not help.
func (e *NotFoundError) Permanent() bool { return true }

// ExistsError says that an ensemble has a journal already.
type ExistsError struct{ Namespace, Name string }

func (e *ExistsError) Error() string {
	return fmt.Sprintf("ensemble %q exists in namespace %s already", e.Name, e.Namespace)
}

// StaleError says that somebody else wrote the journal since it was read.
type StaleError struct {
	Namespace, Name string
	Err             error
}

func (e *StaleError) Error() string {
	return fmt.Sprintf("the journal of ensemble %q in namespace %s was written by somebody else since it was read; nothing was changed, run the command again", e.Name, e.Namespace)
}

// Unwrap returns the API server's answer.
func (e *StaleError) Unwrap() error { return e.Err }

// FormatError says that a journal cannot be read.
type FormatError struct {
	Namespace, Name, Reason string
	// Next says what to do.
	Next string
	Err  error
}

func (e *FormatError) Error() string {
	text := fmt.Sprintf("the journal in ConfigMap %s/%s %s", e.Namespace, e.Name, e.Reason)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	if e.Next != "" {
		text += "\nnext: " + e.Next
	}
	return text
}

// Unwrap returns the cause.
func (e *FormatError) Unwrap() error { return e.Err }

// Permanent reports that reading it again does not help.
func (e *FormatError) Permanent() bool { return true }

// IsNotFound, IsExists and IsStale tell the typed errors.
func IsNotFound(err error) bool {
	var e *NotFoundError
	return errors.As(err, &e)
}

// IsExists reports whether err says that the journal exists.
func IsExists(err error) bool {
	var e *ExistsError
	return errors.As(err, &e)
}

// IsStale reports whether err says that somebody else wrote.
func IsStale(err error) bool {
	var e *StaleError
	return errors.As(err, &e)
}

// IsBroken reports whether err says that the journal is there and cannot be read.
func IsBroken(err error) bool {
	var e *FormatError
	return errors.As(err, &e) && e.Err != nil
}

// Journal is the journal of one ensemble. It remembers the version it read or
// wrote last; Save replaces only that one. It may be used by several
// goroutines.
type Journal struct {
	// Via is put into the commands that errors name. It is set before anything else.
	Via command.Via

	kube      kubernetes.Interface
	namespace string
	name      string

	mu   sync.Mutex
	seen *corev1.ConfigMap
}

// New returns the journal of that ensemble, whether it exists or not.
func New(kube kubernetes.Interface, namespace, name string) *Journal {
	return &Journal{kube: kube, namespace: namespace, name: name}
}

// Create writes the first record; it fails with ExistsError when there is one.
func (j *Journal) Create(ctx context.Context, rec migration.Record) error {
	data, err := j.encode(rec)
	if err != nil {
		return err
	}
	cm := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: render.JournalName(j.name), Namespace: j.namespace, Labels: render.Labels(j.name)},
		Data:       map[string]string{Key: data},
	}
	cm.Labels[render.RoleLabel] = render.RoleJournal
	made, err := j.kube.CoreV1().ConfigMaps(j.namespace).Create(ctx, cm, metav1.CreateOptions{FieldManager: FieldManager})
	if apierrors.IsAlreadyExists(err) {
		return &ExistsError{Namespace: j.namespace, Name: j.name}
	}
	if err != nil {
		return fmt.Errorf("cannot create the journal in ConfigMap %s/%s: %w", j.namespace, cm.Name, err)
	}
	j.remember(made)
	return j.keep(ctx, rec, data, made.ResourceVersion)
}

// Load reads the record; it fails with NotFoundError when there is none, and
// with FormatError when it was written by a later release or damaged.
func (j *Journal) Load(ctx context.Context) (migration.Record, error) {
	name := render.JournalName(j.name)
	cm, err := j.kube.CoreV1().ConfigMaps(j.namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return migration.Record{}, &NotFoundError{Namespace: j.namespace, Name: j.name, Via: j.Via}
	}
	if err != nil {
		return migration.Record{}, fmt.Errorf("cannot read the journal in ConfigMap %s/%s: %w", j.namespace, name, err)
	}
	rec, err := decode(cm, render.JournalName, j.Via)
	if err != nil {
		return migration.Record{}, err
	}
	j.remember(cm)
	return rec, nil
}

// Save replaces the record; it fails with StaleError when somebody else wrote
// since the last Load, Create or Save of this journal.
func (j *Journal) Save(ctx context.Context, rec migration.Record) error {
	data, err := j.encode(rec)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.seen == nil {
		return fmt.Errorf("the journal of ensemble %q must be read before it is written", j.name)
	}
	next := j.seen.DeepCopy()
	if next.Data == nil {
		next.Data = map[string]string{}
	}
	next.Data[Key] = data
	written, err := j.kube.CoreV1().ConfigMaps(j.namespace).Update(ctx, next, metav1.UpdateOptions{FieldManager: FieldManager})
	switch {
	case apierrors.IsConflict(err):
		return &StaleError{Namespace: j.namespace, Name: j.name, Err: err}
	case apierrors.IsNotFound(err):
		return &NotFoundError{Namespace: j.namespace, Name: j.name, Via: j.Via}
	case err != nil:
		return fmt.Errorf("cannot write the journal in ConfigMap %s/%s: %w", j.namespace, next.Name, err)
	}
	j.seen = written
	return j.keep(ctx, rec, data, written.ResourceVersion)
}

func (j *Journal) remember(cm *corev1.ConfigMap) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.seen = cm
}

// encode writes the record in the place and the version that are ours.
func (j *Journal) encode(rec migration.Record) (string, error) {
	if rec.Name != j.name || rec.Namespace != j.namespace {
		return "", fmt.Errorf("record of %s/%s in the journal of %s/%s", rec.Namespace, rec.Name, j.namespace, j.name)
	}
	rec.APIVersion, rec.Kind = migration.RecordVersion, Kind
	rec.TidyNotes()
	// What no later command could read is not written.
	if err := rec.Validate(); err != nil {
		return "", fmt.Errorf("the journal of ensemble %q is not written: %w", j.name, err)
	}
	data, err := json.MarshalIndent(rec, "", "  ")
	if err != nil {
		return "", fmt.Errorf("record of ensemble %q: %w", j.name, err)
	}
	return string(data) + "\n", nil
}

// maxRecord bounds a journal, as the API server bounds a ConfigMap.
const maxRecord = 1 << 20

// decode reads a record, but none that a later release wrote: what this one
// does not know it would drop at the next save. Whoever may write ConfigMaps can
// have written it: it is refused as a whole when one field does not fit, or when
// it is not that of the object it was read from (nameOf says which it should be).
func decode(cm *corev1.ConfigMap, nameOf func(ensemble string) string, via command.Via) (migration.Record, error) {
	bad := func(reason string, err error) (migration.Record, error) {
		e := &FormatError{Namespace: cm.Namespace, Name: cm.Name, Reason: reason, Err: err}
		if err != nil {
			wrap := command.At{Namespace: cm.Namespace, Via: via}.Ours("wrap %s", strings.TrimSuffix(cm.Name, nameOf("")))
			e.Next = "restore what was there, from a backup of the ConfigMap; or, without one, " + wrap + " restores its copy, made when nothing was under way last"
		}
		return migration.Record{}, e
	}
	later := func(reason string) (migration.Record, error) {
		return migration.Record{}, &FormatError{Namespace: cm.Namespace, Name: cm.Name, Reason: reason, Next: "use the release that wrote it, or a later one"}
	}
	text, ok := cm.Data[Key]
	if !ok {
		return bad("has no key "+Key, nil)
	}
	if len(text) > maxRecord {
		return bad("cannot be true", fmt.Errorf("%s has %d bytes (expected %d at most)", Key, len(text), maxRecord))
	}
	var rec migration.Record
	unread := strictly(text, &rec)
	if unread != nil || rec.APIVersion != migration.RecordVersion {
		var head struct {
			APIVersion string `json:"apiVersion"`
		}
		switch err := json.Unmarshal([]byte(text), &head); {
		case err != nil && !json.Valid([]byte(text)):
			return bad("is not JSON", jsonFault(text, err))
		case err != nil:
			return bad("cannot be read", jsonFault(text, err))
		case head.APIVersion == "":
			// No release wrote that.
			return bad("cannot be read", errors.New("it has no apiVersion"))
		case head.APIVersion != migration.RecordVersion:
			return later(fmt.Sprintf("has version %s, this release reads %q only", quote.Text(head.APIVersion), migration.RecordVersion))
		}
		var known migration.Record
		if err := json.Unmarshal([]byte(text), &known); err != nil {
			return bad("cannot be read", jsonFault(text, err))
		}
		return later(fmt.Sprintf("has something that this release does not know and would lose (%s)", quote.Line(strings.TrimPrefix(unread.Error(), "json: "))))
	}
	if rec.Namespace != cm.Namespace {
		return bad(fmt.Sprintf("says it belongs to namespace %s: it was copied from there", quote.Text(rec.Namespace)), nil)
	}
	if nameOf(rec.Name) != cm.Name {
		return bad(fmt.Sprintf("is that of ensemble %s, whose journal has another name: it was copied from there", quote.Text(rec.Name)), nil)
	}
	if label := cm.Labels[render.EnsembleLabel]; label != rec.Name {
		return bad(fmt.Sprintf("has label %s=%s and is that of ensemble %s: restore the label", render.EnsembleLabel, quote.Text(label), quote.Text(rec.Name)), nil)
	}
	if err := rec.Validate(); err != nil {
		return bad("cannot be true", err)
	}
	rec.TidyNotes()
	return rec, nil
}

// strictly reads a text if this release knows every field of it, and nothing follows.
func strictly(text string, into any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the record")
	}
	return nil
}

// jsonFault says where a text is not the JSON it should be. The words of
// encoding/json would pass for those of an API server that answers something else.
func jsonFault(text string, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case strings.TrimSpace(text) == "":
		return errors.New("it is empty")
	case errors.Is(json.NewDecoder(strings.NewReader(text)).Decode(new(json.RawMessage)), io.ErrUnexpectedEOF):
		return errors.New("it breaks off")
	case errors.As(err, &syntax):
		return fmt.Errorf("it is garbled at byte %d of %d", syntax.Offset, len(text))
	case errors.As(err, &kind) && kind.Field == "":
		return fmt.Errorf("it is one %s (expected an object)", kind.Value)
	case errors.As(err, &kind):
		return fmt.Errorf("%s cannot be a JSON %s", quote.Line(kind.Field), kind.Value)
	}
	return errors.New(quote.Line(err.Error()))
}
