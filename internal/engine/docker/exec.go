//go:build linux

package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"
)

const (
	maxOutput = 4 << 10 // bytes of what Exec's program writes that are kept

	exitNotExecutable = 126
	exitNotFound      = 127

	startLimit = 10 * time.Second // for Docker to take a program
	killLimit  = 10 * time.Second // for ending one that was given up
)

// Exec runs argv inside and gives its exit code and the first 4 KiB of its output.
func (r *Runtime) Exec(ctx context.Context, id string, argv []string) (int, []byte, error) {
	if len(argv) == 0 {
		return 0, nil, fmt.Errorf("run in container %s: no command is given", id)
	}
	code, output, err := r.exec(ctx, id, argv)
	if ctx.Err() != nil {
		return 0, output, ctx.Err()
	}
	if err != nil {
		return 0, output, fmt.Errorf("run in container %s: %w", id, err)
	}
	return code, output, nil
}

func (r *Runtime) exec(ctx context.Context, id string, argv []string) (int, []byte, error) {
	made, err := r.api.ExecCreate(ctx, r.name(id), client.ExecCreateOptions{
		Cmd: argv, AttachStdout: true, AttachStderr: true,
	})
	if err != nil {
		return notBegun(err)
	}
	attached, err := r.startExec(ctx, made.ID, client.ExecAttachOptions{})
	if err != nil {
		return notBegun(err)
	}
	defer attached.Close()
	output := &head{most: maxOutput}
	copied := make(chan error, 1)
	go func() {
		_, err := stdcopy.StdCopy(output, output, attached.Reader)
		copied <- err
	}()
	select {
	case err = <-copied:
	case <-ctx.Done():
		r.killExec(context.WithoutCancel(ctx), made.ID)
		attached.Close()
		<-copied
		return 0, output.Bytes(), ctx.Err()
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return notBegunAs(output.String()+err.Error(), err)
	}
	return r.result(ctx, made.ID, output)
}

// result asks for the exit code. Docker closes the output a moment before it knows it.
func (r *Runtime) result(ctx context.Context, execID string, output *head) (int, []byte, error) {
	for {
		state, err := r.api.ExecInspect(ctx, execID, client.ExecInspectOptions{})
		if err != nil {
			return 0, output.Bytes(), err
		}
		if !state.Running {
			return told(state.ExitCode, output.Bytes())
		}
		if !pause(ctx, lookAgain) {
			r.killExec(context.WithoutCancel(ctx), execID) // a child of it may hold on to nothing, and go on
			return 0, output.Bytes(), ctx.Err()
		}
	}
}

// told replaces what runc says of a program that did not run by a sentence of ours.
func told(code int, output []byte) (int, []byte, error) {
	if code == exitNotExecutable || code == exitNotFound {
		if text := string(output); strings.Contains(text, "exec failed") {
			if reason, better, ok := explain(text); ok && better != 0 { // Docker 20.10 says 126 of all of them
				return better, []byte(reason), nil
			}
		}
	}
	return code, output, nil
}

// notBegun is for the versions of Docker that refuse a program before anything is attached.
func notBegun(err error) (int, []byte, error) { return notBegunAs(err.Error(), err) }

func notBegunAs(text string, err error) (int, []byte, error) {
	if reason, code, ok := explain(text); ok && code != 0 {
		return code, []byte(reason), nil
	}
	return 0, nil, err
}

// head keeps the beginning of what is written to it, and takes the rest without a word.
type head struct {
	bytes.Buffer
	most int
}

func (h *head) Write(p []byte) (int, error) {
	if room := h.most - h.Len(); room > 0 {
		h.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
