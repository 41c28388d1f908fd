package render

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TemplateAnnotation marks a pod with what it was made from: a StatefulSet with
// OnDelete leaves the pods of an earlier template alone, and one that waits for
// an image that does not exist would wait for ever.
const TemplateAnnotation = "zkmigrate.io/template"

// TemplateMark is the mark of a pod as the record wants it now.
func TemplateMark(rec migration.Record) (string, error) {
	template, err := podTemplate(rec)
	if err != nil {
		return "", err
	}
	return templateMark(template)
}

// templateMark covers the configuration and the scripts as well: the template names
// them by their content.
func templateMark(template corev1.PodTemplateSpec) (string, error) {
	data, err := json.Marshal(template)
	if err != nil {
		return "", fmt.Errorf("the pods' template: %w", err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8]), nil
}
