package manifest

import (
	"bytes"

	"go.yaml.in/yaml/v3"
)

// Print is an ensemble as Parse reads it.
func Print(e Ensemble) ([]byte, error) {
	var b bytes.Buffer
	out := yaml.NewEncoder(&b)
	out.SetIndent(2)
	if err := out.Encode(e); err != nil {
		return nil, err
	}
	err := out.Close()
	return b.Bytes(), err
}
