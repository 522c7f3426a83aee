//go:build linux

package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/setopsco/setops/internal/engine/embedded/wire"
	"github.com/setopsco/setops/internal/engine/host"
)

// settleLimit is how long a shim may take that nobody waits for any more.
const settleLimit = 10 * time.Second

// launched is a shim that waits for its settings.
type launched struct {
	cmd      *exec.Cmd // ends at once: the shim is its child
	settings *os.File
	answer   *os.File
	log      string // path of what it complains about
}

// launch starts the shim's process.
func (r *Runtime) launch(id string) (*launched, error) {
	path := filepath.Join(r.taskDir(id), wire.LogFile)
	log, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	in, settings, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make pipe: %w", err)
	}
	defer in.Close()
	answer, out, err := os.Pipe()
	if err != nil {
		settings.Close()
		return nil, fmt.Errorf("make pipe: %w", err)
	}
	defer out.Close()
	l := &launched{settings: settings, answer: answer, log: path, cmd: &exec.Cmd{
		Path: r.cfg.Shim, Args: []string{"setops-shim", id}, Dir: r.taskDir(id),
		Env:   []string{"SETOPS_SHIM_DETACH=1", "GOMAXPROCS=2"},
		Stdin: in, Stdout: out, Stderr: log,
	}}
	if err := l.cmd.Start(); err != nil {
		l.cmd = nil
		l.abandon()
		return nil, fmt.Errorf("start shim %s: %w", r.cfg.Shim, err)
	}
	return l, nil
}

// send gives the shim its settings and waits until the container is ready.
func (l *launched) send(ctx context.Context, cfg wire.Config) error {
	stop := context.AfterFunc(ctx, func() {
		past := time.Unix(1, 0)
		_ = l.settings.SetDeadline(past)
		_ = l.answer.SetDeadline(past)
	})
	defer stop()
	var ready wire.Ready
	err := errors.Join(json.NewEncoder(l.settings).Encode(cfg), l.settings.Close())
	if err == nil {
		err = json.NewDecoder(l.answer).Decode(&ready)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("talk to the shim: %w; it says %q", err, l.complaints())
	case ready.Refused:
		return &host.StartError{Reason: ready.Error}
	case ready.Error != "":
		return &shimError{text: ready.Error, errno: syscall.Errno(ready.Errno)}
	}
	return nil
}

// complaints are the last words of a shim that ended without an answer: its log goes with the container's directory.
func (l *launched) complaints() string {
	const most = 1 << 10
	b, err := os.ReadFile(l.log)
	if err != nil {
		return ""
	}
	return string(b[max(0, len(b)-most):])
}

// shimError is an error of the shim, with the system's error behind it: texts alone can cross between processes.
type shimError struct {
	text  string
	errno syscall.Errno
}

func (e *shimError) Error() string { return e.text }

func (e *shimError) Unwrap() error {
	if e.errno == 0 {
		return nil
	}
	return e.errno
}

// abandon lets go of the shim once it has said all that it has to say: it is ready, or it ends. One that has got no
// settings ends by itself; one that has got them goes on without us, and whoever cleans up is to find it.
func (l *launched) abandon() {
	l.settings.Close()
	if l.cmd != nil {
		_ = l.answer.SetDeadline(time.Now().Add(settleLimit))
		_, _ = io.Copy(io.Discard, l.answer)
		_ = l.cmd.Wait() // a failure to fork shows in the answer
	}
	l.answer.Close()
}
