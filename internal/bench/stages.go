//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/setopsco/setops/internal/bench/load"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

const (
	manyStages = 1000 // each with one app
	startLimit = time.Second
	starts     = 3
)

// measureStages starts a server that has many stages: first with apps that have no release yet, then with one that serves
// on each.
func measureStages(ctx context.Context, b *bench, res *result) error {
	s, err := b.openFake(ctx, "stages")
	if err != nil {
		return err
	}
	empty, err := s.restarted(ctx)
	if err != nil {
		return err
	}
	c := load.Config{URL: s.url, Project: projectRef, Stages: manyStages}
	if err := load.Prepare(ctx, c, s.tokens[0]); err != nil {
		return err
	}
	full, err := s.restarted(ctx)
	if err != nil {
		return err
	}
	if err := s.release(ctx); err != nil {
		return err
	}
	serving, err := s.restarted(ctx)
	if err != nil {
		return err
	}
	var adopting samples
	err = rounds(starts, func(round int) error {
		err := s.next(ctx, round+2)
		adopting.keep(round, s.ready)
		return err
	})
	if err != nil {
		return err
	}
	res.add(startRow("apps that have no release", full.ready), startRow("a task to adopt on each", median(adopting)),
		row{what: "The same where all tasks have to be started, as after a reboot", ours: show(serving.ready)},
		row{what: "Memory of the server for 1,000 apps on stages of their own", ours: megabytes(full.rss - empty.rss)})
	res.note("%d stages: the server has %s without any, %s with an app on each, %s where each has a task of the engine in memory, which is part "+
		"of it. Without stages it starts in %s.", manyStages, megabytes(empty.rss), megabytes(full.rss), megabytes(serving.rss), show(empty.ready))
	return s.stop()
}

func startRow(what string, took time.Duration) row {
	return row{
		what: fmt.Sprintf("Start of the server to its ready line, %d stages, %s", manyStages, what),
		ours: show(took), goal: "≤ " + show(startLimit), met: took <= startLimit,
	}
}

// fresh is a server that was started anew and left alone.
type fresh struct {
	ready time.Duration
	rss   int64
}

// restarted starts the server a few times, and looks at what it uses in the end.
func (s *fakeServer) restarted(ctx context.Context) (f fresh, err error) {
	var took samples
	err = rounds(starts, func(round int) error {
		err := errors.Join(s.stop(), s.start(ctx))
		took.keep(round, s.ready)
		return err
	})
	if err != nil {
		return f, err
	}
	used, err := memoryWhenIdle(ctx, s.pid())
	return fresh{ready: median(took), rss: used.rss}, err
}

// release pushes an image for the first app, puts it into the repositories of all, as copies of what the registry has
// written, and makes it serve everywhere.
func (s *fakeServer) release(ctx context.Context) error {
	digest, err := s.push(ctx, load.StageName(0))
	if err != nil {
		return err
	}
	repositories := filepath.Join(s.dir, "data", "registry", "docker", "registry", "v2", "repositories", organization, project)
	first := os.DirFS(filepath.Join(repositories, load.StageName(0)))
	admin := client.New(s.url, s.tokens[0], client.Options{})
	return load.Each(manyStages, func(i int) error {
		if i > 0 {
			if err := os.CopyFS(filepath.Join(repositories, load.StageName(i)), first); err != nil {
				return err
			}
		}
		ref := client.StageRef{ProjectRef: projectRef, Stage: load.StageName(i)}
		return load.Commit(ctx, admin, ref, api.ReleaseCreate{Name: load.App, Digest: digest}, api.ReleaseActivate{Name: load.App, ReleaseID: 1})
	})
}

func (s *fakeServer) push(ctx context.Context, stage string) (digest string, err error) {
	ref, err := name.ParseReference(fmt.Sprintf("%s/%s/%s/%s/%s:1", s.api, organization, project, stage, load.App))
	if err != nil {
		return "", err
	}
	image, err := random.Image(256, 1)
	if err != nil {
		return "", err
	}
	who := remote.WithAuth(&authn.Basic{Username: "user0@example.com", Password: "of everybody"})
	if err := remote.Write(ref, image, who, remote.WithContext(ctx)); err != nil {
		return "", fmt.Errorf("push an image: %w", err)
	}
	d, err := image.Digest()
	return d.String(), err
}
