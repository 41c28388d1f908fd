package quote

import (
	"bytes"
	"encoding/json"

	"sigs.k8s.io/yaml"
)

// YAML turns JSON into YAML. JSON may hold characters that the library refuses
// (DEL), so they are escaped first. It leaves others as they are that a terminal
// acts on, such as those that reverse the order of letters. Where one is left the
// document stays JSON, which is YAML too and has an escape for it.
func YAML(doc []byte) ([]byte, error) {
	doc = []byte(Visible(string(doc)))
	out, err := yaml.JSONToYAML(doc)
	if err != nil || Visible(string(out)) == string(out) {
		return out, err
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, bytes.TrimSpace(doc), "", "  "); err != nil {
		return nil, err
	}
	indented.WriteByte('\n')
	return indented.Bytes(), nil
}
