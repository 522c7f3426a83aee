// Package gc cleans up: it forgets old commits and releases by limits on age and count, and has the registry collect the
// images that nothing names then. What an active or retained release, a retained commit, a changeset or a task names stays,
// and so does what is younger than Grace. It removes nothing by itself: the store prunes, the registry collects. Start with
// Service.Run.
package gc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/registry"
	"github.com/setopsco/setops/internal/setops"
)

// Grace is how long an image stays that nothing names: from a push, or from when somebody asked for it last, to the
// release that is made of it.
const Grace = 24 * time.Hour

// Store is what remembers.
type Store interface {
	StageRefs(ctx context.Context) ([]setops.StageRef, error)
	// Prune removes what a stage has too much of, save what tasks run. In a dry run it gives the images that the stage would
	// name then.
	Prune(ctx context.Context, stageID string, keep setops.Retention, tasks []setops.Task, dryRun bool) (setops.Pruned, []setops.AppImage, error)
	// Images gives the images that a stage names.
	Images(ctx context.Context, stageID string) ([]setops.AppImage, error)
}

// Images is the registry.
type Images interface {
	Collect(ctx context.Context, what registry.Collection) (registry.Collected, error)
}

// Tasks says what runs.
type Tasks interface {
	List(ctx context.Context, stageID, app string) ([]setops.Task, error)
}

// Limits say how much of the past is kept: what is among the newest, or younger than Age.
type Limits struct {
	Age      time.Duration
	Commits  int // of each stage
	Releases int // of each app
}

// Service does it.
type Service struct {
	Store  Store
	Images Images
	Engine Tasks
	// Unpacked frees what the engine has made of collected images; nil: it keeps none.
	Unpacked engine.ImageForgetter
	Now      func() time.Time
	Logger   *slog.Logger
	Limits   Limits

	running sync.Mutex
}

// Run cleans up and tells what went; with dryRun it tells what would go. With an error it tells what went before. It
// refuses, temporarily, to run twice at a time.
func (s *Service) Run(ctx context.Context, dryRun bool) (Report, error) {
	if !s.running.TryLock() {
		return Report{}, &setops.Error{
			Kind: setops.StateError, Code: setops.Overload, Temporary: true,
			Message: "a clean-up is running already; try again when it has ended",
		}
	}
	defer s.running.Unlock()
	r := run{Service: s, dryRun: dryRun, would: map[string][]setops.AppImage{}, report: newReport(dryRun)}
	// A full disk lets nothing be pruned; then images are all the more to be collected.
	err := errors.Join(r.prune(ctx), r.collect(ctx))
	if !dryRun {
		s.Logger.Info("cleaned up", "commits", len(r.report.Commits), "releases", len(r.report.Releases),
			"images", len(r.report.Images), "bytes", r.report.Bytes)
	}
	return r.report, err
}

// run is one call of Run.
type run struct {
	*Service
	dryRun bool
	would  map[string][]setops.AppImage // in a dry run: what each stage would name
	report Report
}

func (r *run) prune(ctx context.Context) error {
	keep := setops.Retention{Commits: r.Limits.Commits, Releases: r.Limits.Releases, Since: r.Now().Add(-r.Limits.Age)}
	stages, err := r.Store.StageRefs(ctx)
	if err != nil {
		return fmt.Errorf("list stages: %w", err)
	}
	for _, stage := range stages {
		tasks, err := r.Engine.List(ctx, stage.ID, "")
		if err != nil {
			return fmt.Errorf("list tasks of stage %s: %w", path(stage), err)
		}
		pruned, names, err := r.Store.Prune(ctx, stage.ID, keep, tasks, r.dryRun)
		if err != nil {
			return fmt.Errorf("prune history of stage %s: %w", path(stage), err)
		}
		if r.dryRun {
			r.would[stage.ID] = names
		}
		r.report.pruned(stage, pruned)
	}
	return nil
}

func (r *run) collect(ctx context.Context) error {
	collected, err := r.Images.Collect(ctx, registry.Collection{Keep: r.named, Before: r.Now().Add(-Grace), DryRun: r.dryRun})
	r.report.collected(collected)
	if r.dryRun || r.Unpacked == nil {
		return err
	}
	gone := make([]engine.Image, 0, len(collected.Manifests))
	for _, m := range collected.Manifests {
		gone = append(gone, engine.Image{Repository: m.Repository, Digest: m.Digest})
	}
	if forgot := r.Unpacked.ForgetImages(ctx, gone); forgot != nil {
		err = errors.Join(err, fmt.Errorf("free unpacked images: %w", forgot))
	}
	return err
}

// named gives all images that something names just now.
func (r *run) named(ctx context.Context) (map[registry.Reference]bool, error) {
	stages, err := r.Store.StageRefs(ctx)
	if err != nil {
		return nil, fmt.Errorf("list stages: %w", err)
	}
	all := map[registry.Reference]bool{}
	for _, stage := range stages {
		names, told := r.would[stage.ID]
		if !told {
			if names, err = r.Store.Images(ctx, stage.ID); err != nil {
				return nil, fmt.Errorf("list images of stage %s: %w", path(stage), err)
			}
		}
		tasks, err := r.Engine.List(ctx, stage.ID, "")
		if err != nil {
			return nil, fmt.Errorf("list tasks of stage %s: %w", path(stage), err)
		}
		for _, t := range tasks {
			names = append(names, setops.AppImage{App: t.App, Digest: t.Digest})
		}
		for _, n := range names {
			all[registry.Reference{Repository: engine.Repository(stage, n.App), Digest: n.Digest}] = true
		}
	}
	return all, nil
}

// path names a stage as its repositories do.
func path(s setops.StageRef) string { return s.Organization + "/" + s.Project + "/" + s.Name }
