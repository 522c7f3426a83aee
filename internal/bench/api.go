//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/setopsco/setops/internal/bench/load"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

const (
	apiClients = 8
	apiRounds  = 3
	apiTime    = 2 * time.Second // of each kind of request, per round
	apiGoal    = 0.25            // of what the store does
)

// rates are requests a second.
type rates struct{ read, stage []float64 }

// measureAPI compares what the API does in a second with what the store does when the same calls are made of it without HTTP,
// JSON, sessions and folding twice.
func measureAPI(ctx context.Context, b *bench, res *result) error {
	s, err := b.openFake(ctx, "api", "-users", fmt.Sprint(apiClients))
	if err != nil {
		return err
	}
	c := load.Config{URL: s.url, Project: projectRef, Stages: loadStages}
	if err := load.Prepare(ctx, c, s.tokens[0]); err != nil {
		return err
	}
	var ours, store rates
	err = rounds(apiRounds,
		func(round int) error { return s.ask(ctx, round, &ours) },
		func(round int) error { return s.alone(ctx, round, &store) },
	)
	if err != nil {
		return err
	}
	res.add(
		apiRow("Reads of an app a second through the API / the store alone", median(ours.read), median(store.read)),
		apiRow("Commands staged a second through the API / the store alone", median(ours.stage), median(store.stage)),
	)
	res.note("The API and the store alone: %d clients that ask at once, over connections that are kept; the clients share the machine with the server.", apiClients)
	return nil
}

func apiRow(what string, ours, store float64) row {
	return row{
		what: what + ", more is better", ours: fmt.Sprintf("%.0f /s", ours), peer: fmt.Sprintf("%.0f /s", store),
		ratio: fmt.Sprintf("%.2f", ours/store), goal: fmt.Sprintf("≥ %g", apiGoal), met: ours >= apiGoal*store,
	}
}

func (s *fakeServer) clients() []*client.Client {
	clients := make([]*client.Client, apiClients)
	for i := range clients {
		clients[i] = client.New(s.url, s.tokens[i], client.Options{})
	}
	return clients
}

// ask measures the server.
func (s *fakeServer) ask(ctx context.Context, round int, r *rates) error {
	clients := s.clients()
	ref := func(n int64) client.StageRef {
		return client.StageRef{ProjectRef: projectRef, Stage: load.StageName(int(n % loadStages))}
	}
	read, readErr := requests(apiTime, func(worker int, n int64) error {
		_, err := clients[worker].App(ctx, client.AppRef{StageRef: ref(n), App: load.App})
		return err
	})
	stage, stageErr := requests(apiTime, func(worker int, n int64) error {
		_, err := clients[worker].StageCommands(ctx, ref(n), api.EnvSet{Name: load.App, Key: fmt.Sprintf("K%d", worker), Value: "a value"})
		return err
	})
	if round >= 0 {
		r.read, r.stage = append(r.read, read), append(r.stage, stage)
	}
	return errors.Join(readErr, stageErr, s.discard(ctx, clients))
}

// requests is how many requests a second the clients get answered.
func requests(duration time.Duration, ask func(worker int, n int64) error) (float64, error) {
	var all sync.WaitGroup
	var answered atomic.Int64
	errs := make([]error, apiClients)
	began := time.Now()
	for worker := range apiClients {
		all.Go(func() {
			for errs[worker] == nil && time.Since(began) < duration {
				errs[worker] = ask(worker, answered.Add(1))
			}
		})
	}
	all.Wait()
	return float64(answered.Load()) / time.Since(began).Seconds(), errors.Join(errs...)
}

// discard leaves the changesets as they were, since staging folds all that is there.
func (s *fakeServer) discard(ctx context.Context, clients []*client.Client) error {
	for _, c := range clients {
		for i := range loadStages {
			_, err := c.Discard(ctx, client.StageRef{ProjectRef: projectRef, Stage: load.StageName(i)})
			var refused *api.ServiceError
			if errors.As(err, &refused) && refused.HasCode("ChangesetDoesNotExist") {
				continue
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// alone measures the store of the server while that is stopped.
func (s *fakeServer) alone(ctx context.Context, round int, r *rates) error {
	if err := s.stop(); err != nil {
		return err
	}
	text, err := output(ctx, nil, s.program, "alone", s.dir, "-workers", fmt.Sprint(apiClients), "-for", apiTime.String())
	if err != nil {
		return err
	}
	var found struct{ Read, Stage float64 }
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		return err
	}
	if round >= 0 {
		r.read, r.stage = append(r.read, found.Read), append(r.stage, found.Stage)
	}
	if err := s.start(ctx); err != nil {
		return err
	}
	return s.discard(ctx, s.clients())
}
