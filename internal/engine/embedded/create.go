//go:build linux

package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/embedded/image"
	"github.com/setopsco/setops/internal/engine/embedded/network"
	"github.com/setopsco/setops/internal/engine/embedded/wire"
	"github.com/setopsco/setops/internal/engine/host"
)

// Create makes the container up to the point where only its program is missing: root file system, network, shim,
// namespaces, limits. A program that cannot run is found here already and is a *host.StartError; so is an image without
// one, or with a user that it does not know. When it fails nothing is left.
func (r *Runtime) Create(ctx context.Context, c host.Spec) (string, error) {
	if err := errID(c.ID); err != nil {
		return "", err
	}
	defer r.locks.lock(c.ID)()
	if r.stateOf(c.ID) == created {
		m, err := r.readMeta(c.ID)
		return m.IP, err
	}
	r.setState(c.ID, creating)
	ip, err := r.create(ctx, c)
	if err == nil {
		r.setState(c.ID, created)
		return ip, nil
	}
	// The caller's ctx may be what failed.
	if left := r.remove(context.WithoutCancel(ctx), c.ID); left != nil {
		r.cfg.Logger.Warn("clean up after a container that could not be created", "container", c.ID, "err", left)
	}
	r.setState(c.ID, foreign)
	var refused *host.StartError
	if errors.As(err, &refused) {
		return "", refused
	}
	return "", fmt.Errorf("create container %s: %w", c.ID, err)
}

func (r *Runtime) create(ctx context.Context, c host.Spec) (string, error) {
	m := meta{
		Version: wire.Version, ID: c.ID, StageID: c.Stage.ID, App: c.App,
		Repository: c.Container.Image.Repository, Digest: c.Container.Image.Digest,
		BootID: r.bootID, CreatedAt: time.Now().UTC(), Labels: c.Labels,
	}
	// What is made is on the disk first, so that a later process finds what this one leaves when it dies.
	for _, dir := range []string{etcDir, wire.StateDir} {
		if err := os.MkdirAll(filepath.Join(r.taskDir(c.ID), dir), 0o700); err != nil {
			return "", err
		}
	}
	if err := r.writeMeta(m); err != nil {
		return "", err
	}
	r.stirring.Go(r.stir)
	// The shim needs a while to start; it waits for its settings.
	shim, err := r.launch(c.ID)
	if err != nil {
		return "", err
	}
	defer shim.abandon()
	rootfs, place, err := r.furnish(ctx, c)
	if err != nil {
		return "", err
	}
	m.IP = place.IP
	if err := r.writeMeta(m); err != nil {
		return "", err
	}
	spec, err := r.specFor(c, rootfs, place)
	if err != nil {
		return "", err
	}
	return m.IP, shim.send(ctx, wire.Config{
		ID: c.ID, Dir: r.taskDir(c.ID), Spec: spec, LogDir: c.LogDir, LogName: c.LogName, Console: consoleOf(c.Console),
	})
}

func consoleOf(c *engine.Console) *wire.Console {
	if c == nil {
		return nil
	}
	return &wire.Console{Terminal: c.Terminal, Columns: c.Size.Columns, Rows: c.Size.Rows}
}

// furnish makes the container's root file system and its place on the network, at the same time.
func (r *Runtime) furnish(ctx context.Context, c host.Spec) (image.Rootfs, network.Endpoint, error) {
	var place network.Endpoint
	var attached error
	done := make(chan struct{})
	go func() {
		defer close(done)
		place, attached = r.cfg.Network.Attach(ctx, c.Stage.ID, c.ID)
	}()
	rootfs, err := r.cfg.Images.Mount(ctx, c.Container.Image, c.ID)
	<-done
	return rootfs, place, errors.Join(err, attached)
}

// state is what this process has done of a container.
type state int

const (
	foreign  state = iota // nothing: an earlier process made it, or nobody
	creating              // Create is under way
	created
)

func (r *Runtime) stateOf(id string) state {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.states[id]
}

func (r *Runtime) setState(id string, s state) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s == foreign {
		delete(r.states, id)
		return
	}
	r.states[id] = s
}
