package handover

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Core is the part of a server that only one process can have open.
type Core interface {
	// Settle refuses new work from now on and returns when none is in progress, or when ctx ends.
	Settle(ctx context.Context)
	// Unsettle takes work again.
	Unsettle()
	// Stop closes the core; work in progress is interrupted as at any stop.
	Stop() error
	// Start opens it again.
	Start(ctx context.Context) error
}

// Program is what is started. Its output goes where that of this process goes.
type Program struct {
	Path string
	Args []string // without its name
	Env  []string // nil: that of this process
}

// Self is the program of this process, by the path that it was started with: a file that was replaced since is the new
// version, and so is what a symbolic link leads to by then. Call it before the working directory changes.
func Self() (Program, error) {
	own, err := os.Executable()
	if err != nil {
		return Program{}, fmt.Errorf("find own program: %w", err)
	}
	p := Program{Path: own, Args: os.Args[1:]}
	named, err := exec.LookPath(os.Args[0])
	if err == nil {
		named, err = filepath.Abs(named)
	}
	if err == nil && sameFile(named, own) {
		p.Path = named
	}
	return p, nil
}

func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}

// Giver is the old process's side.
type Giver struct {
	Program Program
	Sockets *Sockets
	Core    Core
	Limits  Limits
	Logger  *slog.Logger
}

// ErrStopped says that somebody has told the new process to stop before it was ready, and meant the server by that: it had
// the core already.
var ErrStopped = errors.New("it was told to stop")

// LostError says that the handover failed and that the core could not be started again either.
type LostError struct{ Err error }

func (e *LostError) Error() string {
	return "start again what was stopped for the new process: " + e.Err.Error()
}

// Unwrap gives the cause.
func (e *LostError) Unwrap() error { return e.Err }

// Give starts the new process and hands everything over to it. On success the core is stopped for good, and the new process
// accepts: this one says good-bye to its clients, calls Heir.Close and ends. On an error this process goes on as before, but
// where ctx has ended, when the core may be stopped, or with ErrStopped or a *LostError, when it is.
func (g *Giver) Give(ctx context.Context) (*Heir, error) {
	h, err := g.start()
	if err != nil {
		return nil, err
	}
	if err := g.handOver(ctx, h); err != nil {
		return nil, err
	}
	return h, nil
}

func (g *Giver) handOver(ctx context.Context, h *Heir) error {
	limits := g.Limits.withDefaults()
	if err := h.prepare(ctx, g.Sockets, limits.Prepare); err != nil {
		return h.dismiss("is not prepared", err, limits.End)
	}
	g.Logger.Info("the new process is prepared", "pid", h.PID)
	if err := g.settle(ctx, h, limits.Settle); err != nil {
		err = h.dismiss("did not wait", err, limits.End)
		g.Core.Unsettle()
		return err
	}
	g.Sockets.Keep()
	if err := g.Core.Stop(); err != nil {
		g.Logger.Warn("stop for the new process", "error", err) // as at any stop: what is left is freed by ending
	}
	err := h.follow(ctx, g.Sockets, limits)
	if err == nil {
		g.Logger.Info("the new process is ready", "pid", h.PID)
		return nil
	}
	err = h.dismiss("did not get ready", err, limits.End)
	if ctx.Err() != nil || errors.Is(err, ErrStopped) {
		return err
	}
	if failed := g.Core.Start(ctx); failed != nil {
		return errors.Join(err, &LostError{failed})
	}
	g.Sockets.CloseUnclaimed()
	return err
}

// settle waits for work in progress, as long as there is somebody to wait for it.
func (g *Giver) settle(ctx context.Context, h *Heir, limit time.Duration) error {
	settling, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	settled := make(chan struct{})
	go func() {
		defer close(settled)
		g.Core.Settle(settling)
	}()
	select {
	case <-settled:
		return ctx.Err()
	case m, ok := <-h.wire.came:
		cancel()
		<-settled
		if !ok {
			return errGone
		}
		return fmt.Errorf("it said %q", m.word)
	}
}

func (g *Giver) start() (*Heir, error) {
	ours, theirs, err := pair()
	if err != nil {
		return nil, fmt.Errorf("start new process: %w", err)
	}
	env := g.Program.Env
	if env == nil {
		env = os.Environ()
	}
	c := exec.Command(g.Program.Path, g.Program.Args...)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.Env = append(env[:len(env):len(env)], Variable+"=3")
	c.ExtraFiles = []*os.File{theirs}
	err = c.Start()
	if err = errors.Join(err, theirs.Close()); err != nil {
		return nil, errors.Join(fmt.Errorf("start new process: %w", err), ours.close())
	}
	return &Heir{PID: c.Process.Pid, command: c, wire: ours}, nil
}
