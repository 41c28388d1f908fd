//go:build kubernetes1.27

package main

import (
	"github.com/spf13/cobra"
	"k8s.io/kubernetes/cmd/kubelet/app"
)

func newKubelet() *cobra.Command { return app.NewKubeletCommand() }
