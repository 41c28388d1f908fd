package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/manifest"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// sealed adds up exactly the files that the commands of an ensemble read, in their order: what
// else lies beside them, as patches of the run itself, changes nothing. Links are followed.
type sealed struct {
	sum hash.Hash
	any bool
}

// sealLength is how much of a SHA-256 is kept, in hexadecimal digits.
const sealLength = 16

func seal() *sealed { return &sealed{sum: sha256.New()} }

// begin sets a file off from the one before it.
func (s *sealed) begin(name string, size int64) {
	s.any = true
	fmt.Fprintf(s.sum, "%q %d\n", name, size)
}

func (s *sealed) add(name string, data []byte) {
	s.begin(name, int64(len(data)))
	s.sum.Write(data)
}

func (s *sealed) String() string {
	if !s.any {
		return ""
	}
	return hex.EncodeToString(s.sum.Sum(nil))[:sealLength]
}

// seal reads and judges what an entry of the fleet names, as wrap and replace would, and keeps
// its digests.
func (r *resolver) seal(ctx context.Context, path, hostFiles, hook string, into map[string]string) error {
	if hostFiles != "" {
		sum := seal()
		in := &input{files: []string{hostFiles}}
		if err := sum.hosts(ctx, in, filepath.Dir(hostFiles)); err != nil {
			return usagef("%s: %w", r.doc.At(path+".hostFiles"), err)
		}
		into["hostFiles"] = sum.String()
	}
	sum := seal()
	if err := sum.program(r.doc.At(path+".hook"), hook); err != nil {
		return err
	}
	if got := sum.String(); got != "" {
		into["hook"] = got
	}
	return nil
}

// sealManifest does the same for an Ensemble manifest, with what it names.
func (r *resolver) sealManifest(ctx context.Context, path string, doc manifest.Document, into map[string]string) error {
	data, err := readInput(ctx, doc.File, nil)
	if err != nil {
		return usagef("%s: %w", r.doc.At(path+".manifest"), err)
	}
	dir := filepath.Dir(doc.File)
	doc.Spec.Servers = slices.Clone(doc.Spec.Servers)
	s := &said{doc: &doc}
	s.anchor(dir)
	sum := seal()
	sum.add(filepath.Base(doc.File), data)
	in := &input{files: []string{doc.File}, doc: s.doc}
	if !in.empty() && !doc.ByAddress() {
		if err := sum.hosts(ctx, in, dir); err != nil {
			return usagef("%s: %w", r.doc.At(path+".manifest"), err)
		}
	}
	if err := sum.program(doc.At("spec.hosts.hook"), doc.Spec.Hosts.Hook); err != nil {
		return err
	}
	if file := doc.Spec.Pods.Template; file != "" {
		if err := sum.file(ctx, dir, file); err != nil {
			return usagef("%s: %w", doc.At("spec.pods.template"), err)
		}
	}
	into["manifest"] = sum.String()
	return nil
}

func (s *sealed) file(ctx context.Context, dir, file string) error {
	data, err := readInput(ctx, file, nil)
	if err == nil {
		s.add(relative(dir, file), data)
	}
	return err
}

// hosts adds the hosts' files with what stands beside them, and has them judged.
func (s *sealed) hosts(ctx context.Context, in *input, dir string) error {
	files, err := in.expand()
	if err != nil {
		return err
	}
	for _, f := range files {
		data, err := readInput(ctx, f.path, nil)
		if err != nil {
			return err
		}
		s.add(relative(dir, f.path), data)
		if id, ok := myid(f.path); ok {
			s.add(relative(dir, filepath.Join(filepath.Dir(f.path), "myid")), []byte(id))
		}
		name, err := ensemble.DynamicFileName(f.path, data)
		if err != nil {
			return err
		}
		if name == "" {
			continue
		}
		dynamic := f.dynamic
		if dynamic == "" {
			dynamic = filepath.Join(filepath.Dir(f.path), filepath.Base(name))
		}
		if err := s.file(ctx, dir, dynamic); err != nil {
			return err
		}
	}
	_, err = in.parse(ctx, "ensemble")
	return err
}

// program adds a hook's program; one without a slash is one of the PATH's, and not of the fleet.
func (s *sealed) program(place, hook string) error {
	if err := checkHook(place, hook); err != nil || hook == "" {
		return err
	}
	words, _ := quote.Split(hook) // checkHook has judged it
	program := words[0]
	if !strings.Contains(program, "/") {
		return nil
	}
	info, err := os.Stat(program)
	if err != nil || !info.Mode().IsRegular() {
		return usagef("%s: %s is not a file", place, program)
	}
	f, err := os.Open(program)
	if err != nil {
		return usagef("%s: %w", place, fileError(program, err))
	}
	defer func() { _ = f.Close() }() // only read from
	// A compiled program may have hundreds of megabytes: they are not held in memory.
	s.begin(filepath.Base(program), info.Size())
	if _, err := io.Copy(s.sum, f); err != nil {
		return usagef("%s: %w", place, fileError(program, err))
	}
	return nil
}

// relative is a file's name within the fleet's folder, so that another checkout of it is the same.
func relative(dir, file string) string {
	if name, err := filepath.Rel(dir, file); err == nil {
		return name
	}
	return filepath.Base(file)
}
