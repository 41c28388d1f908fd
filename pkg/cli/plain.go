package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/cluster"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/kubeconn"
)

// problem is an error in a person's words.
type problem struct {
	text, next string
	// api: it is about the connection to the API server, or its answer.
	api bool
	// usage: what the person gave cannot be used; timeout: something took too long.
	usage, timeout bool
}

// plain says what an error means without the texts of libraries.
func plain(err error) problem { return advised(err, command.Via{}) }

// advised also has the commands that help name the cluster.
func advised(err error, via command.Via) problem {
	var own *cluster.Error
	if errors.As(err, &own) {
		return plainCluster(err, own, via)
	}
	if e, ok := kubeconn.Explain(err, via); ok {
		return problem{text: e.What, next: e.Next, api: !e.Usage, usage: e.Usage, timeout: e.Timeout}
	}
	if out := (*outputError)(nil); errors.As(err, &out) {
		return problem{text: out.what, next: out.next}
	}
	text := err.Error()
	p := problem{text: text, timeout: errors.Is(err, context.DeadlineExceeded)}
	if p.timeout {
		p.text = strings.ReplaceAll(text, context.DeadlineExceeded.Error(), "no answer in time")
	}
	return p
}

// plainCluster keeps what was being done and our own advice, and puts the API
// server's answer into words.
func plainCluster(err error, own *cluster.Error, via command.Via) problem {
	head, _, _ := strings.Cut(err.Error(), own.Error())
	p := problem{text: head + own.What, next: own.Next, api: own.Err != nil}
	if own.Err == nil {
		return p
	}
	why := advised(own.Err, via)
	if why.text != own.What {
		p.text += ": " + why.text
	}
	if p.next == "" {
		p.next = why.next
	}
	p.timeout = why.timeout
	return p
}
