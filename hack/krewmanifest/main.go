// Command krewmanifest renders .krew.yaml into plugins.yaml, offline: it offers
// the template function of krew-release-bot, but sums the archives in dist/.
// With -check it compares everything but version, uri and sha256.
package main

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"
)

const header = "# The manifest of the last release, rendered from .krew.yaml by hack/package.sh; do not edit.\n"

func main() {
	tag := flag.String("tag", "v0.1.0", "release")
	dist := flag.String("dist", "dist", "directory of the archives")
	out := flag.String("out", "plugins.yaml", "where the manifest goes")
	partial := flag.Bool("partial", false, "write a sum of zeros for an archive that was not built")
	check := flag.Bool("check", false, "compare plugins.yaml with the template instead of writing it")
	flag.Parse()
	if err := run(*tag, *dist, *out, *check, *partial); err != nil {
		fmt.Fprintln(os.Stderr, "krewmanifest:", err)
		os.Exit(1)
	}
}

func run(tag, dist, to string, check, partial bool) error {
	none := strings.Repeat("0", 64)
	sum := func(uri string) (string, error) {
		data, err := os.ReadFile(filepath.Join(dist, path.Base(uri)))
		if partial && os.IsNotExist(err) {
			return none, nil
		}
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%x", sha256.Sum256(data)), nil
	}
	if check {
		sum = func(string) (string, error) { return none, nil }
	}
	out, err := render(tag, sum)
	if err != nil {
		return err
	}
	if !check {
		return os.WriteFile(to, out, 0o644)
	}
	have, err := os.ReadFile("plugins.yaml")
	if err != nil {
		return err
	}
	if mask(have) != mask(out) {
		return fmt.Errorf("plugins.yaml does not match .krew.yaml: run hack/package.sh")
	}
	return nil
}

// mask blanks what differs between releases.
func mask(data []byte) string {
	s := regexp.MustCompile(`(?m)^(\s*)(version|uri|sha256): .*$`).ReplaceAllString(string(data), "$1$2: -")
	return s
}

// render drops the template's own comments and fills in what the bot would.
func render(tag string, sum func(uri string) (string, error)) ([]byte, error) {
	text, err := os.ReadFile(".krew.yaml")
	if err != nil {
		return nil, err
	}
	body := regexp.MustCompile(`(?m)^#.*\n`).ReplaceAllString(string(text), "")
	funcs := template.FuncMap{"addURIAndSha": func(uri, tag string) (string, error) {
		inner, err := template.New("uri").Parse(uri)
		if err != nil {
			return "", err
		}
		var b bytes.Buffer
		if err := inner.Execute(&b, map[string]string{"TagName": tag}); err != nil {
			return "", err
		}
		s, err := sum(b.String())
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("uri: %s\n    sha256: %q", b.String(), s), nil
	}}
	t, err := template.New("krew").Funcs(funcs).Parse(body)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.WriteString(header)
	if err := t.Execute(&out, map[string]string{"TagName": tag}); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
