package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"
)

const deployRounds = 15

// measureDeploy activates a release again and again, and starts the same image by docker run in between. Both clocks run
// from the start of the command to the first 200 of a process that did not answer before.
func measureDeploy(ctx context.Context, b *bench, res *result) error {
	s, digest, err := b.deployed(ctx)
	if err != nil {
		return err
	}
	img, err := b.hello(ctx)
	if err != nil {
		return err
	}
	d, err := b.engine(ctx)
	if err != nil {
		return err
	}
	if err := d.load(ctx, b, img); err != nil {
		return err
	}
	var ours, peer samples
	parts := map[string]*samples{}
	err = rounds(deployRounds,
		func(round int) error { return deployOnce(ctx, s, digest, round, &ours, parts) },
		func(round int) error { return d.runOnce(ctx, round, &peer) },
	)
	if err != nil {
		return err
	}
	res.add(versus("`changeset:commit` / `docker run` (Docker "+d.version+") to the first 200", ours, peer, 0.5))
	res.note("The image of that is %s. Where our time goes, from the start of the command: %s.", megabytes(img.size), partsOf(parts))
	return nil
}

// deployed gives the shared server with the bench's app running, and the digest of its image.
func (b *bench) deployed(ctx context.Context) (*server, string, error) {
	s, err := b.server(ctx)
	if err != nil || b.digest != "" {
		return s, b.digest, err
	}
	b.digest, err = b.deploy(ctx, s)
	return s, b.digest, err
}

func (b *bench) deploy(ctx context.Context, s *server) (digest string, err error) {
	img, err := b.hello(ctx)
	if err != nil {
		return "", err
	}
	if digest, err = img.push(ctx, s); err != nil {
		return "", err
	}
	return digest, s.do(ctx, "release:create "+digest, "release:activate 1", "changeset:commit")
}

// deployOnce stages a new release of the image, times its commit, and waits until the tasks that it replaced are gone.
func deployOnce(ctx context.Context, s *server, digest string, round int, took *samples, parts map[string]*samples) error {
	id, err := s.release(ctx, digest)
	if err != nil {
		return err
	}
	url := "http://" + s.router
	before, err := awaitAnswer(ctx, url, appHost, "")
	if err != nil {
		return err
	}
	if err := s.do(ctx, "release:activate "+id); err != nil {
		return err
	}
	began := time.Now()
	commit, err := s.commit(ctx, began)
	if err != nil {
		return err
	}
	_, answerErr := awaitAnswer(ctx, url, appHost, before)
	took.keep(round, time.Since(began))
	marks, err := commit()
	if err != nil {
		return err
	}
	if answerErr != nil {
		return answerErr
	}
	for name, at := range marks {
		if parts[name] == nil {
			parts[name] = &samples{}
		}
		parts[name].keep(round, at)
	}
	return s.settle(ctx, 1)
}

var releaseLine = regexp.MustCompile(`ReleaseID:\s+(\d+)`)

// release makes one more release of the image, which is unpacked by then.
func (s *server) release(ctx context.Context, digest string) (id string, err error) {
	out, err := output(ctx, s.env(), s.setops, "release:create", digest)
	if err != nil {
		return "", err
	}
	found := releaseLine.FindStringSubmatch(out)
	if found == nil {
		return "", fmt.Errorf("release:create names no release: %s", out)
	}
	return found[1], s.do(ctx, "changeset:commit")
}

// commit starts changeset:commit. The function that it gives waits for the end, and gives the times after began at which
// the command told of each phase and step.
func (s *server) commit(ctx context.Context, began time.Time) (wait func() (map[string]time.Duration, error), err error) {
	cmd := exec.CommandContext(ctx, s.setops, "changeset:commit")
	cmd.Env = append(os.Environ(), s.env()...)
	told, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	marks, said := map[string]time.Duration{}, &bytes.Buffer{}
	read := make(chan struct{})
	go func() {
		defer close(read)
		lines := bufio.NewScanner(io.TeeReader(told, said))
		for lines.Scan() {
			marks[strings.TrimSpace(lines.Text())] = time.Since(began)
		}
	}()
	return func() (map[string]time.Duration, error) {
		<-read
		if err := cmd.Wait(); err != nil {
			return nil, fmt.Errorf("run setops changeset:commit: %w: %s", err, said)
		}
		marks["end of the command"] = time.Since(began)
		return marks, nil
	}, nil
}

// runOnce times docker run, and removes its container. Nobody asks before the command has ended: Docker's proxy listens
// before the container has its network, and a request that comes too early makes the kernel wait a second for an answer to
// its ARP request. That would be the client's fault, not Docker's.
func (d *docker) runOnce(ctx context.Context, round int, took *samples) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	began := time.Now()
	id, err := output(ctx, d.env, "docker", "run", "-d", "-m", "256m", "-e", "PORT=5000", "-p", address+":5000", dockerImage)
	if err != nil {
		return err
	}
	_, err = awaitAnswer(ctx, "http://"+address, "", "")
	took.keep(round, time.Since(began))
	_, removal := output(context.WithoutCancel(ctx), d.env, "docker", "rm", "-f", strings.TrimSpace(id))
	return errors.Join(err, removal)
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// partsOf tells the medians of the marks in the order in which they come.
func partsOf(parts map[string]*samples) string {
	names := slices.Collect(maps.Keys(parts))
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(median(*parts[a]), median(*parts[b])) })
	var all []string
	for _, name := range names {
		all = append(all, fmt.Sprintf("%s %s", name, show(median(*parts[name]))))
	}
	return strings.Join(all, ", ")
}
