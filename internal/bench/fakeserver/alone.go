//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/store"
)

// caller makes the calls of the store that one request of the API comes to.
type caller struct {
	*store.Store
	organization string
	project      setops.Project
	stages       []setops.Stage
	n            atomic.Int64
}

// alone measures the store with as many callers as the API has clients.
func alone(ctx context.Context, dir string, workers int, duration time.Duration) error {
	return inStore(ctx, dir, func(s *store.Store) error {
		c := &caller{Store: s}
		var err error
		var there bool
		if c.organization, err = s.AddOrganization(ctx, "unused", organization, time.Now()); err != nil {
			return err
		}
		if c.project, there, err = s.Project(ctx, c.organization, project); err != nil || !there {
			return fmt.Errorf("find project: %v, %w", there, err)
		}
		if c.stages, err = s.Stages(ctx, c.project.ID); err != nil {
			return err
		}
		read, readErr := rate(ctx, workers, duration, c.read)
		stage, stageErr := rate(ctx, workers, duration, c.stage)
		if err := errors.Join(readErr, stageErr); err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(map[string]float64{"read": read, "stage": stage})
	})
}

// rate is how many calls a second workers make.
func rate(ctx context.Context, workers int, duration time.Duration, call func(context.Context, int) error) (float64, error) {
	var all sync.WaitGroup
	var calls atomic.Int64
	errs := make([]error, workers)
	began := time.Now()
	for w := range workers {
		all.Go(func() {
			for ; errs[w] == nil && time.Since(began) < duration; calls.Add(1) {
				errs[w] = call(ctx, w)
			}
		})
	}
	all.Wait()
	return float64(calls.Load()) / time.Since(began).Seconds(), errors.Join(errs...)
}

// find looks for who asks and what about.
func (c *caller) find(ctx context.Context, worker int) (setops.Stage, error) {
	name := c.stages[int(c.n.Add(1))%len(c.stages)].Name
	_, _, err := c.Token(ctx, "of nobody")
	if err != nil {
		return setops.Stage{}, err
	}
	p, _, err := c.Project(ctx, c.organization, c.project.Name)
	if err != nil {
		return setops.Stage{}, err
	}
	if _, err := c.Roles(ctx, userID(worker)); err != nil {
		return setops.Stage{}, err
	}
	st, there, err := c.Stage(ctx, p.ID, name)
	if err == nil && !there {
		err = fmt.Errorf("there is no stage %s", name)
	}
	return st, err
}

func (c *caller) read(ctx context.Context, worker int) error {
	st, err := c.find(ctx, worker)
	if err != nil {
		return err
	}
	_, there, err := c.App(ctx, st.ID, "web")
	if err == nil && !there {
		err = fmt.Errorf("there is no app on stage %s", st.Name)
	}
	return err
}

func (c *caller) stage(ctx context.Context, worker int) error {
	st, err := c.find(ctx, worker)
	if err != nil {
		return err
	}
	add := []changeset.Command{&changeset.EnvSet{AppName: "web", Key: fmt.Sprintf("K%d", worker), Value: "a sealed value"}}
	id := fmt.Sprintf("alone-%d-%d", worker, c.n.Load())
	decide := func(committed setops.Spec, staged []changeset.Command, _ func(string) (int, error)) ([]changeset.Command, error) {
		spec, _ := changeset.Fold(committed, staged)
		_, problems := changeset.Fold(spec, add)
		if len(problems) > 0 {
			return nil, problems[0].Err
		}
		return add, nil
	}
	return c.AppendCommands(ctx, st.ID, userID(worker), id, time.Now(), decide, idempotency.Receipt[[]changeset.Command]{})
}
