package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Values of --engine.
const (
	auto           = "auto"
	embeddedKind   = "embedded"
	dockerKind     = "docker"
	kubernetesKind = "kubernetes"
)

// kindFile, in the engine's directory, says which engine it belongs to: tasks of the other one would be left alone.
const kindFile = "kind"

// choice is which engine runs, and why.
type choice struct{ kind, why string }

// chooser finds out which engine runs. Its fields ask this machine.
type chooser struct {
	embedded func() error                                       // what the embedded engine lacks
	docker   func(ctx context.Context, dockerHost string) error // why Docker cannot be had
	cluster  func(ctx context.Context) error                    // why the cluster cannot be had
	wait     time.Duration                                      // for a Docker that had the tasks before: it may come up after us
}

// choose takes what was asked for, else what the directory belongs to, else the embedded engine, else Docker. A cluster is never
// chosen by itself.
func (c chooser) choose(ctx context.Context, wanted, dir, dockerHost string) (choice, error) {
	owner, err := kindOf(dir)
	if err != nil {
		return choice{}, err
	}
	switch {
	case wanted == embeddedKind:
		return choice{embeddedKind, "--engine says so"}, c.embedded()
	case wanted == dockerKind:
		return choice{dockerKind, "--engine says so"}, c.awaitDocker(ctx, dockerHost, owner)
	case wanted == kubernetesKind:
		return choice{kubernetesKind, "--engine says so"}, c.cluster(ctx)
	case owner == kubernetesKind:
		return choice{kubernetesKind, "the data directory belongs to it"}, c.cluster(ctx)
	case owner == embeddedKind:
		return choice{embeddedKind, "the data directory belongs to it"}, c.embedded()
	case owner == dockerKind:
		return choice{dockerKind, "the data directory belongs to it"}, c.awaitDocker(ctx, dockerHost, owner)
	}
	lacking := c.embedded()
	if lacking == nil {
		return choice{embeddedKind, "it can run here"}, nil
	}
	if err := c.docker(ctx, dockerHost); err != nil {
		return choice{}, fmt.Errorf("no engine can run here.\n%w\nThe Docker engine cannot either: %w", lacking, err)
	}
	return choice{dockerKind, "it answers, and " + strings.Join(strings.Fields(lacking.Error()), " ")}, nil
}

// askAgain is how often a Docker that is away is asked.
const askAgain = 500 * time.Millisecond

func (c chooser) awaitDocker(ctx context.Context, dockerHost, owner string) error {
	until := time.Now()
	if owner == dockerKind {
		until = until.Add(c.wait)
	}
	for {
		err := c.docker(ctx, dockerHost)
		if err == nil {
			return nil
		}
		if time.Now().After(until) {
			return fmt.Errorf("the Docker engine cannot run here: %w", err)
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(askAgain):
		}
	}
}

// kindOf says which engine a directory belongs to; empty: none. Servers that knew one engine only wrote no file.
func kindOf(dir string) (string, error) {
	path := filepath.Join(dir, kindFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(filepath.Join(dir, "containers")); err == nil {
			return embeddedKind, nil
		}
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read which engine has the tasks: %w", err)
	}
	kind := strings.TrimSpace(string(b))
	if !slices.Contains([]string{embeddedKind, dockerKind, kubernetesKind}, kind) {
		return "", fmt.Errorf("the file %s says %q, which is no engine", path, kind)
	}
	return kind, nil
}

func writeKind(dir, kind string) error {
	if owner, err := kindOf(dir); err == nil && owner == kind {
		if _, err := os.Stat(filepath.Join(dir, kindFile)); err == nil {
			return nil
		}
	}
	if err := replaceFile(filepath.Join(dir, kindFile), kind+"\n"); err != nil {
		return fmt.Errorf("write which engine has the tasks: %w", err)
	}
	return nil
}

// replaceFile writes a small file of the engine's directory, which it makes.
func replaceFile(path, content string) error {
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), removeIfThere(path), writeNew(path, []byte(content)))
}
