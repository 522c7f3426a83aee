//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// docker is a Docker Engine: the machine's own, or one of ours in the temporary directory.
type docker struct {
	env     []string
	version string
}

// engine gives the Docker Engine that measurements share.
func (b *bench) engine(ctx context.Context) (*docker, error) {
	if b.docker == nil && b.dockerE == nil {
		b.docker, b.dockerE = b.openDocker(ctx)
	}
	return b.docker, b.dockerE
}

func (b *bench) openDocker(ctx context.Context) (*docker, error) {
	if err := install(ctx, "dockerd", "docker.io", "iptables"); err != nil {
		return nil, err
	}
	d := &docker{}
	if d.answers(ctx) {
		return d, nil
	}
	return d, b.startDocker(ctx, d)
}

func (d *docker) answers(ctx context.Context) bool {
	out, err := output(ctx, d.env, "docker", "version", "--format", "{{.Server.Version}}")
	d.version = strings.TrimSpace(out)
	return err == nil
}

// startDocker starts a daemon that shares nothing with others but the bridge docker0 and the packet filter, and puts
// both back at the end.
func (b *bench) startDocker(ctx context.Context, d *docker) error {
	dir := filepath.Join(b.dir, "docker")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	_, err := net.InterfaceByName("docker0")
	hadBridge := err == nil
	hadPolicy, err := output(ctx, nil, "iptables", "-S", "FORWARD")
	if err != nil {
		return err
	}
	socket := "unix://" + filepath.Join(dir, "docker.sock")
	p, err := start(dir, nil, "dockerd", "--host", socket, "--data-root", filepath.Join(dir, "data"),
		"--exec-root", filepath.Join(dir, "run"), "--pidfile", filepath.Join(dir, "pid"))
	if err != nil {
		return err
	}
	b.onClose(func() error {
		ctx := context.WithoutCancel(ctx)
		err := p.stop()
		if strings.Contains(hadPolicy, "-P FORWARD ACCEPT") {
			_, e := output(ctx, nil, "iptables", "-P", "FORWARD", "ACCEPT")
			err = errors.Join(err, e)
		}
		if !hadBridge {
			_, e := output(ctx, nil, "ip", "link", "delete", "docker0")
			err = errors.Join(err, e)
		}
		return err
	})
	d.env = []string{"DOCKER_HOST=" + socket}
	return p.await(ctx, time.Minute, func() bool { return d.answers(ctx) })
}

// dockerImage is the name of the bench's image in Docker.
const dockerImage = "setops-bench:latest"

// load gives Docker the image, and takes it away at the end.
func (d *docker) load(ctx context.Context, b *bench, i *image) error {
	tag, err := name.NewTag(dockerImage)
	if err != nil {
		return err
	}
	path := filepath.Join(b.dir, "image.tar")
	if err := tarball.WriteToFile(path, tag, i); err != nil {
		return fmt.Errorf("write image for docker: %w", err)
	}
	if _, err := output(ctx, d.env, "docker", "load", "-q", "-i", path); err != nil {
		return err
	}
	b.onClose(func() error {
		_, err := output(context.WithoutCancel(ctx), d.env, "docker", "image", "rm", "-f", dockerImage)
		return err
	})
	return nil
}

// runOnce times docker run, and removes its container. Nobody asks before the command has ended: Docker's proxy listens
// before the container has its network, and a request that comes too early makes the kernel wait a second for an answer to
// its ARP request. That would be the client's fault, not Docker's.
func (d *docker) runOnce(ctx context.Context, round int, took *samples) error {
	name := fmt.Sprintf("setops-bench-%d", os.Getpid())
	began := time.Now()
	address, err := d.run(ctx, name)
	if err == nil {
		_, err = awaitAnswer(ctx, "http://"+address, "", "")
	}
	took.keep(round, time.Since(began))
	return errors.Join(err, d.remove(ctx, name))
}

// run starts a container of the bench's image and gives the address at which it is published.
func (d *docker) run(ctx context.Context, name string) (address string, err error) {
	if address, err = freeAddress(); err != nil {
		return "", err
	}
	_, err = output(ctx, d.env, "docker", "run", "-d", "--name", name, "-m", "256m", "-e", "PORT=5000", "-p", address+":5000", dockerImage)
	return address, err
}

func (d *docker) remove(ctx context.Context, name string) error {
	_, err := output(context.WithoutCancel(ctx), d.env, "docker", "rm", "-f", name)
	return err
}
