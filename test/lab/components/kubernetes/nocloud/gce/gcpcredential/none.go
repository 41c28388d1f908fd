// Package gcpcredential has no credentials: the lab pulls no images.
package gcpcredential

import (
	"errors"
	"net/http"

	"k8s.io/cloud-provider/credentialconfig"
)

// ProvideConfigKey finds nothing.
func ProvideConfigKey(*http.Client, string) credentialconfig.RegistryConfig { return nil }

// ProvideURLKey finds nothing.
func ProvideURLKey(*http.Client, string) credentialconfig.RegistryConfig { return nil }

// ProvideContainerRegistry finds nothing.
func ProvideContainerRegistry(*http.Client, string) credentialconfig.RegistryConfig { return nil }

// ReadURL reaches nothing.
func ReadURL(string, *http.Client, *http.Header) ([]byte, error) {
	return nil, errors.New("not on a machine of that cloud")
}
