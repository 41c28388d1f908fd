package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	utilexec "k8s.io/client-go/util/exec"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkdata"
)

// receiveScript takes the clean tar into the pod's volume: VOLUME TOKEN. It says
// first how many KiB there is room for. The
// copy shows up under its name by one rename, after everything is on the disk. A
// second one at the same time is possible (two terminals): each writes into a
// folder it has opened itself, and only who still finds that very folder under
// the name may rename it.
const receiveScript = `set -u
volume=$1 token=$2
partial=$volume/seed-$token.partial final=$volume/seed-$token mine=$volume/seed-$token.$$.partial
fail() {
  echo "$*" >&2
  [[ . -ef $partial ]] && rm -rf -- "$partial"
  exit 1
}
cd "$volume" || fail "there is no $volume"
if [[ -e $final ]]; then exit 3; fi
[[ ! -e $partial ]] || mv -T "$partial" "$mine" || fail "cannot put the rest of an earlier copy aside"
rm -rf -- "$volume"/seed-*.partial
read -ra room <<<"$(df -Pk "$volume" | tail -n 1)"
[[ ${room[-3]:-} =~ ^[0-9]+$ ]] || fail "df does not say how much room is on $volume"
mkdir "$partial" && cd "$partial" || fail "cannot make $partial"
echo "room ${room[-3]}"
tar -xf - || fail "tar could not write the copy"
got=
[[ -f complete ]] && read -r got <complete
[[ $got == "$token" ]] || fail "the copy ended before it was complete"
rm complete || fail "cannot write to $partial"
shopt -s nullglob globstar
# In slices: a program takes no more than some MiB of arguments.
files=(. **)
for ((i = 0; i < ${#files[@]}; i += 500)); do
  sync -- "${files[@]:i:500}" || fail "the copy could not be brought to the disk"
done
mv -T "$partial" "$mine" || fail "another copy took this one's place"
if ! [[ . -ef $mine ]]; then
  mv -T "$mine" "$partial"
  echo "another copy took this one's place" >&2
  exit 1
fi
mv -T "$mine" "$final" && sync "$volume" || fail "cannot write to $volume"
for old in "$volume"/seed-*; do
  [[ $old == "$final" ]] || rm -rf -- "$old"
done
`

// ErrSeeded says that the complete copy is there already.
var ErrSeeded = errors.New("the pod holds the complete copy already")

// exitSeeded is receiveScript's exit code for that.
const exitSeeded = 3

// Seed streams a copy of the host's data, a tar, into the parked pod of server
// id, under the flight's token. It is there, complete and as a whole, only when
// Seed returns no error; it is judged by what the flight has proved before the
// stop.
func (c *Client) Seed(ctx context.Context, rec migration.Record, id ensemble.ID, r io.Reader) error {
	_, err := c.Receive(ctx, rec, id, r, nil)
	if err != nil && !errors.Is(err, ErrSeeded) {
		return err
	}
	return c.awaitSeeded(ctx, rec, id)
}

// Receive is Seed that says what it has received. Before the copy is kept,
// confirm (if any) is asked.
func (c *Client) Receive(ctx context.Context, rec migration.Record, id ensemble.ID, r io.Reader, confirm func(zkdata.Report) error) (zkdata.Report, error) {
	s, err := server(rec, id)
	if err != nil {
		return zkdata.Report{}, err
	}
	want, err := c.seedWant(rec, s)
	if err != nil {
		return zkdata.Report{}, err
	}
	want.Confirm = confirm
	if err := c.seedable(ctx, rec, s, want.Token); err != nil {
		return zkdata.Report{}, err
	}
	pod := render.PodName(rec.Name, s.Ordinal)
	rep, err := c.receive(ctx, rec.Namespace, pod, migration.PodVolumePath, want, r)
	if err != nil {
		return rep, fmt.Errorf("copying the data of server %s into pod %s/%s: %w", id, rec.Namespace, pod, err)
	}
	return rep, nil
}

// awaitSeeded waits for the gate's own word, so that nobody asks for the copy
// again; without it, looking again is all there is to do.
func (c *Client) awaitSeeded(ctx context.Context, rec migration.Record, id ensemble.ID) error {
	s, err := server(rec, id)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, seededWait)
	defer cancel()
	var failed error
	_ = wait.PollUntilContextCancel(ctx, 200*time.Millisecond, true, func(ctx context.Context) (bool, error) { // a time-out is not an error here
		var pod *corev1.Pod
		if pod, failed = c.pod(ctx, rec, s); failed != nil {
			return false, failed
		}
		var v migration.PodView
		v, failed = c.podView(ctx, rec, s, pod, c.shared(ctx, rec, nil))
		return v.Report.Volume.Seed == rec.Flight.Seed, failed
	})
	return failed
}

// seededWait is longer than the gate takes for a report.
const seededWait = 8 * time.Second

// seedWant is what the flight lets a copy be judged by.
func (c *Client) seedWant(rec migration.Record, s migration.ServerRecord) (zkdata.Want, error) {
	f := rec.Flight
	if f == nil || f.Kind != migration.Replace || f.ID != s.ID || f.Data != migration.DataCopy || f.Before == nil || f.Seed == "" {
		return zkdata.Want{}, &Error{Reason: Precondition, What: fmt.Sprintf("no copy is asked for of server %s", s.ID),
			Next: c.at(rec.Namespace).Ours("replace %s --id=%d --data=copy", rec.Name, s.ID) + " asks for it once the server is stopped"}
	}
	file, err := ensemble.ReadPodFile(rec.Pods.ZooCfg)
	if err != nil {
		return zkdata.Want{}, fmt.Errorf("the pods' zoo.cfg: %w", err)
	}
	return zkdata.Want{ID: s.ID, Token: f.Seed, Zxid: f.Before.Zxid, DataLogDir: file.DataLogDir == migration.PodDataLogDir}, nil
}

// seedable: the pod waits at its closed gate and has no copy yet.
func (c *Client) seedable(ctx context.Context, rec migration.Record, s migration.ServerRecord, token string) error {
	name := render.PodName(rec.Name, s.Ordinal)
	pod, err := c.pod(ctx, rec, s)
	if err != nil {
		return err
	}
	v, err := c.podView(ctx, rec, s, pod, c.shared(ctx, rec, nil))
	if err != nil {
		return err
	}
	cm, g, err := c.gate(ctx, rec)
	if err != nil {
		return err
	}
	_, released := g.Release(s.ID)
	switch {
	case cm == nil || released:
		return &Error{Reason: Precondition, What: fmt.Sprintf("the gate of server %s is not there or not closed: its pod %s/%s may run", s.ID, rec.Namespace, name)}
	case !v.Parked():
		return &Error{Reason: Precondition, What: fmt.Sprintf("pod %s/%s does not wait at its gate: %s", rec.Namespace, name, join(string(v.Report.State), join(v.Report.Detail, v.Problem))),
			Next: c.at(rec.Namespace).Kubectl("describe pod %s", name)}
	case v.Report.Volume.Seed == token:
		return ErrSeeded
	}
	return nil
}

// receive runs both ends: the judge of the copy here, tar in the pod.
func (c *Client) receive(ctx context.Context, namespace, pod, volume string, want zkdata.Want, r io.Reader) (zkdata.Report, error) {
	type verdict struct {
		rep zkdata.Report
		err error
	}
	done := make(chan verdict, 1)
	out, in := io.Pipe()
	said := newRoomLine()
	want.Room = said.room
	go func() {
		rep, err := zkdata.Copy(in, r, want)
		// Sent before the pod's end can know that there is no more.
		done <- verdict{rep, err}
		_ = in.Close() // never fails
	}()
	complaints := &bounded{limit: 64 << 10}
	err := c.exec(ctx, namespace, pod, []string{"bash", "-c", receiveScript, "receive", volume, want.Token}, out, said, complaints)
	heard := said.end()
	if err != nil {
		_ = out.CloseWithError(err) // never fails
		if exit := utilexec.ExitError(nil); errors.As(err, &exit) && exit.ExitStatus() == exitSeeded {
			return zkdata.Report{}, ErrSeeded
		}
		if text := complaints.String(); strings.Contains(text, "No space left on device") || strings.Contains(text, "Disk quota exceeded") {
			return zkdata.Report{}, zkdata.NoRoomError("the pod's volume is full: " + lastLine(text))
		}
		select {
		case v := <-done:
			// The pod's end fails when ours has refused. Ours refuses when it has not heard
			// of any room, which is not why.
			if v.err != nil && heard {
				return zkdata.Report{}, v.err
			}
		default:
			// Ours may hang on its input for long.
		}
		return zkdata.Report{}, execError(err, namespace, pod, complaints.String())
	}
	v := <-done
	return v.rep, v.err
}

func execError(err error, namespace, pod, complaints string) error {
	if text := strings.TrimSpace(complaints); text != "" {
		return fmt.Errorf("in the pod: %s (%w)", quote.LastLine(text), err)
	}
	return failed(err, "run a program in", "Pod", namespace, pod)
}
