//go:build linux

package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const (
	pushSize   = 256 << 20 // bytes
	pushRounds = 5
	pushGoal   = 0.9
)

// measurePush sends a layer that nobody has seen before to both registries, by the same client.
func measurePush(ctx context.Context, b *bench, res *result) error {
	s, err := b.server(ctx)
	if err != nil {
		return err
	}
	peer, err := b.startRegistry(ctx)
	if err != nil {
		return err
	}
	layer := make([]byte, pushSize)
	rand.Read(layer)
	var ours, theirs samples
	err = rounds(pushRounds,
		func(round int) error {
			return pushOnce(ctx, s.api+"/"+repository, layer, round, &ours, s.credentials())
		},
		func(round int) error { return pushOnce(ctx, peer+"/"+repository, layer, round, &theirs) },
	)
	if err != nil {
		return err
	}
	o, p := rate(median(ours)), rate(median(theirs))
	res.add(row{
		what: "Push of a 256 MB layer / docker-registry, more is better", ours: fmt.Sprintf("%.0f MB/s", o), peer: fmt.Sprintf("%.0f MB/s", p),
		ratio: fmt.Sprintf("%.2f", o/p), goal: fmt.Sprintf("≥ %g", pushGoal), met: o >= pushGoal*p,
	})
	return nil
}

func rate(d time.Duration) float64 { return pushSize / (1 << 20) / d.Seconds() }

// pushOnce times the push of the layer, which it changes a little so that it is a new one.
func pushOnce(ctx context.Context, repository string, layer []byte, round int, took *samples, options ...remote.Option) error {
	repo, err := name.NewRepository(repository, name.Insecure)
	if err != nil {
		return err
	}
	rand.Read(layer[:16])
	l := static.NewLayer(layer, types.DockerLayer)
	if _, err := l.Digest(); err != nil { // so that it is known before the clock runs
		return err
	}
	syscall.Sync() // what the round before left to be written is not this one's
	began := time.Now()
	if err := remote.WriteLayer(repo, l, append(options, remote.WithContext(ctx))...); err != nil {
		return fmt.Errorf("push to %s: %w", repo.RegistryStr(), err)
	}
	took.keep(round, time.Since(began))
	return nil
}

const registryConfig = `version: 0.1
log: {level: error}
storage:
  filesystem: {rootdirectory: %s}
http: {addr: %s}
`

// startRegistry starts Debian's docker-registry on loopback and gives its address.
func (b *bench) startRegistry(ctx context.Context) (address string, err error) {
	dir := filepath.Join(b.dir, "docker-registry")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	program, err := registryProgram(ctx, dir)
	if err != nil {
		return "", err
	}
	if address, err = freeAddress(); err != nil {
		return "", err
	}
	config := filepath.Join(dir, "config.yml")
	if err := os.WriteFile(config, fmt.Appendf(nil, registryConfig, filepath.Join(dir, "data"), address), 0o600); err != nil {
		return "", err
	}
	p, err := start(dir, nil, program, "serve", config)
	if err != nil {
		return "", err
	}
	b.onClose(p.stop)
	return address, p.await(ctx, 30*time.Second, func() bool {
		resp, err := http.Get("http://" + address + "/v2/")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil
	})
}

// registryProgram finds docker-registry, or unpacks Debian's package without installing it: that would start a service.
func registryProgram(ctx context.Context, dir string) (string, error) {
	if path, err := exec.LookPath("docker-registry"); err == nil {
		return path, nil
	}
	const script = `cd "$0" && { apt-get download -qq docker-registry || { apt-get update -qq && apt-get download -qq docker-registry; }; } &&
		dpkg -x docker-registry_*.deb .`
	if _, err := output(ctx, nil, "sh", "-c", script, dir); err != nil {
		return "", fmt.Errorf("get Debian's docker-registry: %w", err)
	}
	return filepath.Join(dir, "usr", "bin", "docker-registry"), nil
}
