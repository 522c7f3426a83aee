//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// bench is what measurements share: the programs, a temporary directory, and what was started for them. Servers and
// images are made when the first measurement needs them, and live to the end.
type bench struct {
	bin, dir    string
	failovers   int    // commits under load, per pass
	scaleStages int    // of a full cluster
	profile     string // file for a profile of the server under load

	shared  *server
	sharedE error
	digest  string // of the image that the shared server runs
	image   *image
	docker  *docker
	dockerE error
	closers []func() error
}

func newBench(bin string) (*bench, error) {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return nil, err
	}
	for _, program := range []string{"setops", "setopsd"} {
		if _, err := os.Stat(filepath.Join(bin, program)); err != nil {
			return nil, fmt.Errorf("find the programs to measure; run `make build` first: %w", err)
		}
	}
	dir, err := os.MkdirTemp("", "setops-bench-")
	if err != nil {
		return nil, err
	}
	b := &bench{bin: bin, dir: dir}
	b.onClose(func() error { return os.RemoveAll(dir) })
	return b, nil
}

func (b *bench) onClose(f func() error) { b.closers = append(b.closers, f) }

// close frees what was made, last first.
func (b *bench) close() error {
	var all []error
	for i := len(b.closers) - 1; i >= 0; i-- {
		all = append(all, b.closers[i]())
	}
	return errors.Join(all...)
}

// server gives the setopsd that measurements share, with an app that is committed.
func (b *bench) server(ctx context.Context) (*server, error) {
	if b.shared == nil && b.sharedE == nil {
		b.shared, b.sharedE = b.openShared(ctx)
	}
	return b.shared, b.sharedE
}

func (b *bench) openShared(ctx context.Context) (*server, error) {
	s, err := b.openServer(ctx, "server", nil)
	if err != nil {
		return nil, err
	}
	b.onClose(func() error { return s.close(context.WithoutCancel(ctx)) })
	return s, s.addApp(ctx)
}
