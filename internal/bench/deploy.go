//go:build linux

package main

import (
	"context"
	"errors"
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
	front, err := b.openNginx(ctx, s.router) // anything that is not a container of Docker
	if err != nil {
		return err
	}
	var ours, peer, switched samples
	told := marks{}
	err = rounds(deployRounds,
		func(round int) error { return deployOnce(ctx, s, digest, round, &ours, told) },
		func(round int) error { return d.runOnce(ctx, round, &peer) },
		func(round int) error { return front.replaceOnce(ctx, d, round, &switched) },
	)
	err = errors.Join(err, d.remove(ctx, container(deployRounds-1)))
	if err != nil {
		return err
	}
	res.add(
		versus("`changeset:commit` / `docker run` (Docker "+d.version+") to the first 200", ours, peer, 0.5),
		versus("`changeset:commit` / `docker run` and `nginx -s reload` to switched traffic", ours, switched, 0),
	)
	res.note("The image of that is %s. Both clocks run from the start of the command. When `changeset:commit` tells of what is done: %s. "+
		"Requests arrive all the while, and the release that is replaced answers them; nobody asks Docker before docker run has ended, which is "+
		"in its favour.", megabytes(img.size), told)
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
	if digest, err = img.push(ctx, s, appName); err != nil {
		return "", err
	}
	id, err := s.release(ctx, digest)
	if err != nil {
		return "", err
	}
	return digest, s.do(ctx, "release:activate "+id, "changeset:commit")
}

// deployOnce stages a new release of the image, times its commit, and waits until the tasks that it replaced are gone.
func deployOnce(ctx context.Context, s *server, digest string, round int, took *samples, told marks) error {
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
	if err := commit.end(); err != nil { // it says why no answer came
		return err
	}
	if answerErr != nil {
		return answerErr
	}
	told.keep(round, commit.told)
	return s.settle(ctx, 1)
}
