package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	core "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/util/exec"
	"k8s.io/streaming/pkg/httpstream"

	"github.com/setopsco/setops/internal/engine/kubernetes/object"
)

// Exit codes of programs that were not run.
const (
	codeNotFound      = 127
	codeNotExecutable = 126
)

// mostOutput is how much of what a check writes is kept.
const mostOutput = 4 << 10

// execOutput runs a program inside and gives the beginning of what it wrote.
func (e *Engine) execOutput(ctx context.Context, namespace, pod string, argv []string) (code int, output []byte, err error) {
	var b capped
	code, err = e.exec(ctx, namespace, pod, argv, remotecommand.StreamOptions{Stdout: &b, Stderr: &b})
	if code == codeNotFound || code == codeNotExecutable {
		return code, b.bytes(), nil
	}
	return code, b.bytes(), err
}

// capped keeps the beginning of what two streams write.
type capped struct {
	mu   sync.Mutex
	text []byte
}

func (c *capped) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	room := max(mostOutput-len(c.text), 0)
	c.text = append(c.text, p[:min(room, len(p))]...)
	return len(p), nil
}

func (c *capped) bytes() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text
}

// exec runs a program inside.
func (e *Engine) exec(ctx context.Context, namespace, pod string, argv []string, o remotecommand.StreamOptions) (code int, err error) {
	request := e.api.Core.Pods(namespace).Exec(pod, &core.PodExecOptions{
		Container: object.Container, Command: argv, TTY: o.Tty,
		Stdin: o.Stdin != nil, Stdout: o.Stdout != nil, Stderr: o.Stderr != nil,
	})
	either, err := e.executor(request)
	if err != nil {
		return 0, fmt.Errorf("run a program in a pod: %w", err)
	}
	return exitCode(either.StreamWithContext(ctx, o), argv[0], o)
}

// connect carries the streams of the program of a pod's container until it ends.
func (e *Engine) connect(ctx context.Context, namespace, pod string, o remotecommand.StreamOptions) error {
	either, err := e.executor(e.api.Core.Pods(namespace).Attach(pod, &core.PodAttachOptions{
		Container: object.Container, TTY: o.Tty, Stdin: o.Stdin != nil, Stdout: o.Stdout != nil, Stderr: o.Stderr != nil,
	}))
	if err != nil {
		return err
	}
	return either.StreamWithContext(ctx, o)
}

// executor carries streams by a WebSocket, or by SPDY where something on the way does not know that.
func (e *Engine) executor(request *rest.Request) (remotecommand.Executor, error) {
	modern, err := remotecommand.NewWebSocketExecutor(e.api.Config, "GET", request.URL().String())
	if err != nil {
		return nil, err
	}
	old, err := remotecommand.NewSPDYExecutor(e.api.Config, "POST", request.URL())
	if err != nil {
		return nil, err
	}
	return remotecommand.NewFallbackExecutor(modern, old, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
}

// exitCode takes an exit code out of an error, where it is one. Why a program was not run is written to one of the streams.
func exitCode(err error, program string, o remotecommand.StreamOptions) (int, error) {
	if err == nil {
		return 0, nil
	}
	var exited exec.CodeExitError
	if errors.As(err, &exited) {
		return exited.Code, nil
	}
	code, why := codeNotFound, "there is no program "+program
	switch said := err.Error(); {
	case strings.Contains(said, "no such file or directory"), strings.Contains(said, "executable file not found"):
	case strings.Contains(said, "permission denied"), strings.Contains(said, "exec format error"):
		code, why = codeNotExecutable, unrunReason(said)
	default:
		return 0, fmt.Errorf("run a program in a pod: %w", err)
	}
	to := o.Stderr
	if to == nil {
		to = o.Stdout
	}
	if _, err := fmt.Fprintln(to, why); err != nil {
		return 0, fmt.Errorf("say why a program was not run: %w", err)
	}
	return code, nil
}
