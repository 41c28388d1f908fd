package replay

import (
	"regexp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// hiddenValue stands for a value that is not shown.
const hiddenValue = "(hidden)"

// hidden leaves out what nobody should see of the pods' settings.
func hidden(o migration.PodOptions) migration.PodOptions {
	o.ZooCfg, o.JVMFlags = withoutSecrets(o.ZooCfg), flagsWithoutSecrets(o.JVMFlags)
	return o
}

// withoutSecrets hides the values in a zoo.cfg, those in comments, too.
func withoutSecrets(text string) string {
	if p, err := ensemble.ParseProperties("zoo.cfg", []byte(text)); err == nil {
		for _, key := range p.Keys() {
			if ensemble.Secret(key) {
				// An earlier line of the same key would show the other value.
				p.Delete(key)
				p.Set(key, hiddenValue)
			}
		}
		text = string(p.Bytes())
	}
	comment := regexp.MustCompile(`(?m)^(\s*[#!].*?([\w.]+)\s*[=:])\s*\S.*$`)
	return comment.ReplaceAllStringFunc(text, func(line string) string {
		if part := comment.FindStringSubmatch(line); ensemble.Secret(part[1]) {
			return part[1] + hiddenValue
		}
		return line
	})
}

// flagsWithoutSecrets hides the values of system properties. Quotes keep a value
// with blanks together.
func flagsWithoutSecrets(flags string) string {
	property := regexp.MustCompile(`(-D[^=\s]+)=(?:"[^"]*"?|'[^']*'?|\S)*`)
	return property.ReplaceAllStringFunc(flags, func(flag string) string {
		if name := property.FindStringSubmatch(flag)[1]; ensemble.Secret(name) {
			return name + "=" + hiddenValue
		}
		return flag
	})
}
