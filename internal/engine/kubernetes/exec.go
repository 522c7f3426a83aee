package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/util/exec"
	"k8s.io/streaming/pkg/httpstream"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/setops"
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

// exec runs a program inside: by a WebSocket, or by SPDY where something on the way does not know that.
func (e *Engine) exec(ctx context.Context, namespace, pod string, argv []string, o remotecommand.StreamOptions) (code int, err error) {
	request := e.api.core.RESTClient().Post().Resource("pods").Namespace(namespace).Name(pod).SubResource("exec").
		VersionedParams(&core.PodExecOptions{
			Container: object.Container, Command: argv, TTY: o.Tty,
			Stdin: o.Stdin != nil, Stdout: o.Stdout != nil, Stderr: o.Stderr != nil,
		}, scheme.ParameterCodec)
	modern, err := remotecommand.NewWebSocketExecutor(e.api.config, "GET", request.URL().String())
	if err != nil {
		return 0, fmt.Errorf("run a program in a pod: %w", err)
	}
	old, err := remotecommand.NewSPDYExecutor(e.api.config, "POST", request.URL())
	if err != nil {
		return 0, fmt.Errorf("run a program in a pod: %w", err)
	}
	either, err := remotecommand.NewFallbackExecutor(modern, old, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
	if err != nil {
		return 0, fmt.Errorf("run a program in a pod: %w", err)
	}
	return exitCode(either.StreamWithContext(ctx, o), argv[0], o)
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

// attachWait is how long a program waits for its task to begin.
const attachWait = 30 * time.Second

// Attach runs a program inside a task that runs, or is about to.
func (e *Engine) Attach(ctx context.Context, taskID string, argv []string, s engine.Streams) (int, error) {
	t, err := e.awaitBegin(ctx, taskID)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(e.ctx, cancel)()
	in := input(ctx, s.In, s.Terminal)
	o := remotecommand.StreamOptions{Stdin: in, Stdout: s.Out, Stderr: s.Err, Tty: s.Terminal}
	if s.Terminal {
		o.Stderr, o.TerminalSizeQueue = nil, &sizes{first: s.Size, next: s.Resized, done: ctx.Done()}
	}
	code, err := e.exec(ctx, t.namespace, t.pod, argv, o)
	if err != nil && ctx.Err() != nil {
		return 0, ctx.Err()
	}
	return code, err
}

// awaitBegin gives a task once it runs.
func (e *Engine) awaitBegin(ctx context.Context, taskID string) (facts, error) {
	t, err := e.taskOf(taskID)
	if err != nil {
		return facts{}, err
	}
	late := time.NewTimer(attachWait)
	defer late.Stop()
	select {
	case <-t.begun:
	case <-late.C:
	case <-ctx.Done():
		return facts{}, ctx.Err()
	case <-e.ctx.Done():
		return facts{}, fmt.Errorf("attach to task %s: %w", taskID, errClosed)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if t.StartedAt.IsZero() || t.Status.Ended() {
		return facts{}, setops.Refuse(setops.TaskDoesNotExist, "task %s does not run: its status is %s", taskID, t.Status)
	}
	return t.facts, nil
}

// endOfInput is Ctrl-D: a terminal has no other.
const endOfInput = 4

// input passes chunks on as a reader, and its end.
func input(ctx context.Context, in <-chan []byte, terminal bool) io.Reader {
	if in == nil {
		return nil
	}
	r, w := io.Pipe()
	go func() {
		for {
			select {
			case <-ctx.Done():
				w.Close() //nolint:errcheck // it is never an error
				return
			case chunk, more := <-in:
				if !more && !terminal {
					w.Close() //nolint:errcheck // it is never an error
					return
				}
				if !more {
					chunk, in = []byte{endOfInput}, nil
				}
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		}
	}()
	return r
}

// sizes tells the size of a terminal, and each new one.
type sizes struct {
	first engine.Size
	said  bool
	next  <-chan engine.Size
	done  <-chan struct{}
}

// Next implements remotecommand.TerminalSizeQueue.
func (s *sizes) Next() *remotecommand.TerminalSize {
	size := s.first
	if s.said || size == (engine.Size{}) {
		var more bool
		select {
		case <-s.done:
			return nil
		case size, more = <-s.next:
			if !more {
				return nil
			}
		}
	}
	s.said = true
	return &remotecommand.TerminalSize{Width: size.Columns, Height: size.Rows}
}
