package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// outDir is a directory that we write as a whole: a file of it is complete or is
// the one of before, nothing of anybody else is written over, and no link is
// followed.
type outDir struct {
	name string
	root *os.Root
	// made are the directories that this run made.
	made []string
	// own maps the files that we wrote, now or earlier, to their checksums; a run
	// that was killed leaves two for one name.
	own map[string][]string
}

const (
	// manifestName lists what is ours.
	manifestName = ".zkmigrate-files"
	// tempSuffix ends the names of files that are being written.
	tempSuffix = ".zkmigrate-tmp"
)

// checkOutDir refuses what cannot be such a directory, before anything is asked.
func checkOutDir(name string) error {
	info, err := os.Lstat(name)
	switch {
	case name == "" || errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return usagef("--output-dir=%s cannot be a directory: %s: give another name", name, reason(err))
	case info.Mode()&fs.ModeSymlink != 0:
		return usagef("--output-dir=%s is a symbolic link, and links are not followed: give the directory itself", name)
	case !info.IsDir():
		return usagef("--output-dir=%s is not a directory: give another name", name)
	}
	return nil
}

// writeDir writes all files into a directory, or none. kept are those that are there already as
// they would be written, by name, and since when: they are not written again.
func writeDir(name string, files []outFile) (kept map[string]time.Time, err error) {
	if err := checkOutDir(name); err != nil {
		return nil, err
	}
	d := &outDir{name: name, own: map[string][]string{}}
	defer func() {
		if err != nil {
			d.undo(files)
		}
		if d.root != nil {
			_ = d.root.Close() // nothing is written through it
		}
	}()
	if err := d.open(); err != nil {
		return nil, d.failed(err)
	}
	if err := d.readManifest(); err != nil {
		return nil, err
	}
	kept = map[string]time.Time{}
	for _, f := range files {
		if err := d.free(f); err != nil {
			return nil, err
		}
	}
	for _, f := range files {
		if since, same := d.same(f); same {
			kept[f.name] = since
			_ = d.root.Remove(f.name + tempSuffix) // of a run that was killed, if any
		} else if err := d.stage(f); err != nil {
			return nil, d.failed(err)
		}
	}
	return kept, d.commit(files, kept)
}

// same reports whether a file is there already as it would be written, and since when.
func (d *outDir) same(f outFile) (since time.Time, same bool) {
	info, err := d.root.Lstat(f.name)
	if err != nil || info.Mode() != f.mode {
		return since, false
	}
	sum, err := d.sum(f.name)
	return info.ModTime(), err == nil && sum == checksum(f.data)
}

func (d *outDir) open() error {
	if _, err := os.Lstat(d.name); errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(d.name, 0o755); err != nil {
			return err
		}
		d.made = append(d.made, ".")
	}
	root, err := os.OpenRoot(d.name)
	d.root = root
	return err
}

// readManifest learns what an earlier run wrote.
func (d *outDir) readManifest() error {
	info, err := d.root.Lstat(manifestName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return d.failed(err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return d.foreign(manifestName, "it is not the list that an earlier run wrote")
	}
	data, err := d.root.ReadFile(manifestName)
	if err != nil {
		return d.failed(err)
	}
	for line := range strings.Lines(string(data)) {
		if sum, file, ok := strings.Cut(strings.TrimRight(line, "\n"), "  "); ok && filepath.IsLocal(file) {
			d.own[file] = append(d.own[file], sum)
		}
	}
	return nil
}

// free makes sure that nothing stands where the file goes but what we put there.
func (d *outDir) free(f outFile) error {
	name := filepath.ToSlash(f.name)
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		info, err := d.root.Lstat(dir)
		if err == nil && !info.IsDir() {
			return d.foreign(dir, "it is a link or a file where a directory must be")
		}
	}
	for _, n := range []string{name, name + tempSuffix} {
		info, err := d.root.Lstat(n)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return d.failed(err)
		}
		if !info.Mode().IsRegular() {
			return d.foreign(n, "it is a link or the like, and not a file")
		}
	}
	sum, err := d.sum(name)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && (sum == checksum(f.data) || slices.Contains(d.own[name], sum)):
		return nil
	case err != nil:
		return d.failed(err)
	case len(d.own[name]) > 0:
		return d.foreign(name, "it was changed since it was written")
	}
	return d.foreign(name, "it was not written by this command")
}

func (d *outDir) foreign(name, why string) error {
	return &refusedError{reason: fmt.Sprintf("%s is in the way: %s", filepath.Join(d.name, name), why),
		next: "move it away, or choose another directory with --output-dir"}
}

// stage writes a file, complete and on the disk, under the name that nobody reads.
func (d *outDir) stage(f outFile) error {
	name := filepath.ToSlash(f.name)
	var missing []string
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		missing = append(missing, dir)
	}
	for _, dir := range slices.Backward(missing) {
		switch err := d.root.Mkdir(dir, 0o755); {
		case err == nil:
			d.made = append(d.made, dir)
		case !errors.Is(err, fs.ErrExist):
			return err
		}
	}
	if err := d.root.Remove(name + tempSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	w, err := d.root.OpenFile(name+tempSuffix, os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.mode)
	if err != nil {
		return err
	}
	_, err = w.Write(f.data)
	return errors.Join(err, w.Chmod(f.mode), w.Sync(), w.Close())
}

// commit gives every file its name. What is ours is listed before, so that a run
// that is killed in between finds its own files again; then what an earlier run
// wrote and this one does not goes.
func (d *outDir) commit(files []outFile, kept map[string]time.Time) error {
	now := map[string][]string{}
	for _, f := range files {
		name := filepath.ToSlash(f.name)
		now[name] = []string{checksum(f.data)}
		d.own[name] = append(d.own[name], checksum(f.data))
	}
	if err := d.writeManifest(d.own); err != nil {
		return d.failed(err)
	}
	for _, f := range files {
		if _, there := kept[f.name]; there {
			continue
		}
		name := filepath.ToSlash(f.name)
		if err := d.root.Rename(name+tempSuffix, name); err != nil {
			return d.failed(err)
		}
	}
	for name, sums := range d.own {
		if _, kept := now[name]; kept {
			continue
		}
		if sum, err := d.sum(name); err == nil && slices.Contains(sums, sum) {
			if err := d.root.Remove(name); err != nil {
				return d.failed(err)
			}
			_ = d.root.Remove(path.Dir(name)) // stays where it is not empty
		}
	}
	return d.failed(d.writeManifest(now))
}

func (d *outDir) writeManifest(own map[string][]string) error {
	var lines []string
	for name, sums := range own {
		for _, sum := range sums {
			lines = append(lines, sum+"  "+name+"\n")
		}
	}
	slices.Sort(lines)
	if err := d.stage(outFile{manifestName, []byte(strings.Join(slices.Compact(lines), "")), 0o600}); err != nil {
		return err
	}
	if err := d.root.Rename(manifestName+tempSuffix, manifestName); err != nil {
		return err
	}
	dir, err := d.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// undo removes what is half done.
func (d *outDir) undo(files []outFile) {
	if d.root == nil {
		return
	}
	for _, f := range append(files, outFile{name: manifestName}) {
		if info, err := d.root.Lstat(f.name + tempSuffix); err == nil && info.Mode().IsRegular() {
			_ = d.root.Remove(f.name + tempSuffix) // the error that led here is told
		}
	}
	for _, dir := range slices.Backward(d.made) {
		if dir == "." {
			_ = os.Remove(d.name)
			continue
		}
		_ = d.root.Remove(dir) // stays where it is not empty
	}
}

func (d *outDir) sum(name string) (string, error) {
	f, err := d.root.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // only read from
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func checksum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// failed says why the directory cannot be written.
func (d *outDir) failed(err error) error {
	if err == nil {
		return nil
	}
	next := "choose another directory with --output-dir, and run the command again"
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		next = "make room there, or " + next
	}
	return &outputError{what: fmt.Sprintf("cannot write to %s: %s; no file was left half written", d.name, reason(err)), next: next}
}

// outputError: the output directory cannot be written.
type outputError struct{ what, next string }

func (e *outputError) Error() string { return e.what }
