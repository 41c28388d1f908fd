// Package strict says what a value that somebody else may have written must look
// like: in the journal, on the command line, in a host's zoo.cfg, in a server's
// answer. Each function returns what was expected, or nothing when the value
// fits. It is pure.
package strict

import (
	"net/netip"
	"path"
	"strings"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// Bounds of lengths, in bytes.
const (
	maxPath  = 1024
	maxWord  = 4096
	maxFlags = 16 << 10
	maxNote  = 16 << 10
	maxFile  = 256 << 10
	// MaxTemplate bounds a pod template: the journal keeps it up to three times.
	MaxTemplate = 32 << 10
)

const (
	lower   = "abcdefghijklmnopqrstuvwxyz"
	upper   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits  = "0123456789"
	letters = lower + upper + digits
)

// of reports whether s has at least one character, at most limit, and only
// those.
func of(s, characters string, limit int) bool {
	return s != "" && len(s) <= limit && strings.Trim(s, characters) == ""
}

// printable reports whether s is text on one line that a terminal shows as it is.
func printable(s string, limit int) bool {
	return len(s) <= limit && utf8.ValidString(s) && quote.Visible(s) == s && !strings.ContainsAny(s, "\n\t")
}

// Name is the name of an ensemble or a Service.
func Name(s string) string {
	if len(validation.IsDNS1035Label(s)) > 0 {
		return "lower-case letters, digits and dashes, starting with a letter and not ending with a dash, 63 at most"
	}
	return ""
}

// Namespace is the name of a namespace.
func Namespace(s string) string {
	if len(validation.IsDNS1123Label(s)) > 0 {
		return "the name of a namespace: lower-case letters, digits and dashes, 63 at most"
	}
	return ""
}

// Object is the name of an object of Kubernetes, such as a StorageClass or a node.
func Object(s string) string {
	if len(validation.IsDNS1123Subdomain(s)) > 0 {
		return "a Kubernetes name: lower-case letters, digits, dashes and dots, 253 at most"
	}
	return ""
}

// Domain is a DNS domain.
func Domain(s string) string {
	if len(validation.IsDNS1123Subdomain(strings.TrimSuffix(s, "."))) > 0 {
		return "a DNS domain such as cluster.local"
	}
	return ""
}

// Address is an IP address. A zone names an interface of one machine only.
func Address(s string) string {
	if a, err := netip.ParseAddr(s); err != nil || a.Zone() != "" {
		return "an IP address without a zone"
	}
	return ""
}

// Host is a host's name as zoo.cfg has it, or its address.
func Host(s string) string {
	if Address(s) == "" || of(s, letters+"-_.", 253) && !strings.HasPrefix(s, "-") {
		return ""
	}
	return "a host name or an IP address without a zone"
}

// UID is what the API server names an object by.
func UID(s string) string {
	if !of(s, letters+"-", 64) {
		return "an object's uid: letters, digits and dashes, 64 at most"
	}
	return ""
}

// Token is a word of ours.
func Token(s string) string {
	if !of(s, lower+digits, 64) {
		return "a token: lower-case letters and digits, 64 at most"
	}
	return ""
}

// Code is the id of a step, a check or a digest.
func Code(s string) string {
	if !of(s, letters+"-_:", 128) {
		return "an id: letters, digits and dashes, 128 at most"
	}
	return ""
}

// Path is an absolute path on a host.
func Path(s string) string {
	if !strings.HasPrefix(s, "/") || !printable(s, maxPath) || hasParent(s) {
		return "an absolute path without \"..\" and without control characters, 1024 bytes at most"
	}
	return ""
}

func hasParent(s string) bool {
	for _, part := range strings.Split(s, "/") {
		if part == ".." {
			return true
		}
	}
	return false
}

// File is the name of a file, which can be a key of a ConfigMap.
func File(s string) string {
	if len(validation.IsConfigMapKey(s)) > 0 || path.Base(s) != s {
		return "a file name: letters, digits, dashes, dots and underscores, 253 at most"
	}
	return ""
}

// Unit is a systemd unit, a program of supervisord, or the path of zkServer.sh.
func Unit(s string) string {
	if of(s, letters+`:_.@\-`, 255) && !strings.HasPrefix(s, "-") || Path(s) == "" {
		return ""
	}
	return `a unit or program (letters, digits and :_.@\-, 255 at most), or an absolute path`
}

// Version is a release of ZooKeeper, with what distributions append.
func Version(s string) string {
	const want = "a version such as 3.8.4"
	if !of(s, letters+".+~_-", 64) {
		return want
	}
	parts := strings.SplitN(s, ".", 3)
	if len(parts) < 3 || !of(parts[0], digits, 4) || !of(parts[1], digits, 4) || strings.Trim(parts[2][:min(1, len(parts[2]))], digits) != "" || parts[2] == "" {
		return want
	}
	return ""
}

// Quantity is a Kubernetes quantity above zero.
func Quantity(s string) string {
	const want = "a Kubernetes quantity above zero, such as 20Gi or 500m"
	if !of(s, letters+".", 24) {
		return want
	}
	q, err := resource.ParseQuantity(s)
	// No machine has an exbibyte; far beyond it quantities are capped and lie.
	if err != nil || q.Sign() <= 0 || q.AsApproximateFloat64() > 1<<60 {
		return want
	}
	return ""
}

// Value is a line of a configuration file.
func Value(s string) string {
	if !printable(strings.ReplaceAll(s, "\t", " "), maxFlags) {
		return "text on one line without control characters, 16 KiB at most"
	}
	return ""
}

// Argument is one word of a command.
func Argument(s string) string {
	if s == "" || !printable(s, maxWord) {
		return "a word without control characters, 4096 bytes at most"
	}
	return ""
}

// JVMFlags are options of a JVM, separated by blanks.
func JVMFlags(s string) string {
	if !printable(s, maxFlags) || !strings.HasPrefix(strings.TrimSpace(s), "-") {
		return "flags such as -Xmx1g, separated by blanks, without control characters, 16 KiB at most"
	}
	return ""
}

// Config is the content of a configuration file.
func Config(s string) string {
	if len(s) > maxFile || !utf8.ValidString(s) || quote.Visible(s) != s {
		return "a configuration file without control characters, 256 KiB at most"
	}
	return ""
}

// Template is a pod template in JSON; what it may say is judged where it is used.
func Template(s string) string {
	if !printable(s, MaxTemplate) {
		return "a pod template in JSON on one line, 32 KiB at most"
	}
	return ""
}

// Note is somebody's words: they are kept and shown, and nothing follows from
// them.
func Note(s string) string {
	if len(s) > maxNote {
		return "at most 16 KiB"
	}
	return ""
}
