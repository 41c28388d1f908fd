package intake

import (
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostpatch"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// imagePattern is an image reference: [registry[:port]/]path[:tag][@digest].
const imagePattern = `^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?/)?[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*(/[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@[a-z0-9]+:[a-f0-9]{32,128})?$`

// maxUID is the largest that Kubernetes accepts.
const maxUID = 1<<31 - 1

// CheckPods refuses values that no pod can be made with, as a usage error. place says where
// what a flag says was given.
func CheckPods(o migration.PodOptions, place func(flag string) string) error {
	if o.Image != "" && (len(o.Image) > 255 || !regexp.MustCompile(imagePattern).MatchString(o.Image)) {
		return usagef("%s=%q is not the name of an image: write it as registry/path:tag, for example zookeeper:3.8.4", place("image"), o.Image)
	}
	if o.StorageClass != "" && len(validation.IsDNS1123Subdomain(o.StorageClass)) > 0 {
		return usagef("%s=%q is not the name of a StorageClass: use lower-case letters, digits, dashes and dots", place("storage-class"), o.StorageClass)
	}
	for flag, name := range map[string]string{"files-secret": o.FilesSecret, "files-configmap": o.FilesConfigMap} {
		if name != "" && len(validation.IsDNS1123Subdomain(name)) > 0 {
			return usagef("%s=%q is not the name of an object: use lower-case letters, digits, dashes and dots", place(flag), name)
		}
	}
	for _, a := range []amount{
		{place("storage-size"), o.StorageSize, "16Mi", "64Pi", "20Gi"},
		{place("memory"), o.Memory, "32Mi", "16Ti", "2Gi"},
		{place("cpu"), o.CPU, "1m", "1024", "500m"},
	} {
		if err := a.check(); err != nil {
			return err
		}
	}
	before := ""
	for _, flag := range strings.Fields(o.JVMFlags) {
		if !strings.HasPrefix(flag, "-") || strings.ContainsFunc(flag, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			if ensemble.Secret(before) {
				flag = ensemble.Hidden // a password that a blank has come before
			}
			return usagef("%s: %q is not a JVM flag: give flags that begin with a dash, separated by spaces", place("jvm-flags"), ensemble.HideSecrets(flag))
		}
		before = flag
		if why := hostpatch.NotAnOption(flag); why != "" {
			return usagef("%s: %s: %s: leave it out", place("jvm-flags"), ensemble.HideSecrets(flag), why)
		}
		if why := hostpatch.UnsafeFlag(flag); why != "" {
			return usagef("%s: %s: %s: leave it out", place("jvm-flags"), flag, why)
		}
	}
	if o.AntiAffinity != "required" && o.AntiAffinity != "preferred" {
		return usagef("%s=%q: allowed are required, preferred", place("anti-affinity"), o.AntiAffinity)
	}
	switch {
	case o.RunAsUser == 0:
		return usagef("%s=0 is root, and the pods' security context does not allow root: use the uid that the image is made for, 1000 for the official one", place("run-as-user"))
	case o.RunAsUser < 0 || o.RunAsUser > maxUID:
		return usagef("%s=%d: a uid is 1 to %d", place("run-as-user"), o.RunAsUser, maxUID)
	}
	return nil
}

// Check refuses values of flags: those of CheckPods, and what others would read
// on the command line and in the pods' template.
func (f PodFlags) Check() error {
	for _, flag := range strings.Fields(f.Values.JVMFlags) {
		if shown := ensemble.HideSecrets(flag); shown != flag {
			return usagef("%s: %s would stand where many can read it: write the flag into a file named jvm-flags, and that into the Secret that --files-secret names", f.Place("jvm-flags"), shown)
		}
	}
	return CheckPods(f.Values, f.Place)
}

// DataSize reads --data-size, in bytes; 0 where it is not given.
func DataSize(value string) (int64, error) {
	if value == "" {
		return 0, nil
	}
	if err := (amount{"--data-size", value, "1", "16Ti", "800Mi"}).check(); err != nil {
		return 0, err
	}
	q := resource.MustParse(value)
	return q.Value(), nil
}

// amount is what a quantity flag may say.
type amount struct {
	place, value    string
	least, most, eg string
}

func (a amount) check() error {
	least, most := resource.MustParse(a.least), resource.MustParse(a.most)
	q, err := resource.ParseQuantity(a.value)
	switch {
	case err != nil || len(a.value) > 32:
		return usagef("%s=%q is not a Kubernetes quantity: write it as %s", a.place, quote.Typed(a.value), a.eg)
	case q.Cmp(least) < 0:
		return usagef("%s=%s is too little: at least %s, for example %s", a.place, a.value, a.least, a.eg)
	case q.Cmp(most) > 0:
		return usagef("%s=%s is too much: at most %s, for example %s", a.place, a.value, a.most, a.eg)
	}
	return nil
}
