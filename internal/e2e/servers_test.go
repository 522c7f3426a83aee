package e2e

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/daemon"
	"github.com/setopsco/setops/internal/store/pgtest"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// second is another server on the database of a world.
type second struct {
	*daemon.Daemon
	cancel context.CancelFunc
	ended  chan error
	lines  chan string // that it prints
}

// join starts a second server with the data directory and the database of the first.
func (w *world) join(t *testing.T, alter func(*daemon.Config)) (*second, error) {
	t.Helper()
	s := &second{ended: make(chan error, 1), lines: make(chan string, 8)}
	s.Daemon = &daemon.Daemon{
		Config: w.config, Out: printed(s.lines), NewEngine: w.newEngine,
		Logger: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	s.Config.Listen = "127.0.0.1:0"
	if alter != nil {
		alter(&s.Config)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	if err := s.Open(ctx); err != nil {
		cancel()
		return nil, err
	}
	go func() { s.ended <- errors.Join(s.Run(ctx), s.Close()) }()
	t.Cleanup(func() {
		cancel()
		if err := <-s.ended; err != nil {
			t.Error(err)
		}
	})
	return s, nil
}

type printed chan string

func (p printed) Write(text []byte) (int, error) {
	p <- string(bytes.TrimSpace(text))
	return len(text), nil
}

func (s *second) await(t *testing.T, part string) {
	t.Helper()
	select {
	case line := <-s.lines:
		if !strings.Contains(line, part) {
			t.Fatalf("it says %q", line)
		}
	case <-time.After(patience):
		t.Fatalf("it does not say %q", part)
	}
}

func onlyPostgres(t *testing.T) {
	t.Helper()
	if !pgtest.IsPostgres() {
		t.Log("SQLite is one server's alone; this runs once more, on PostgreSQL")
		t.SkipNow()
	}
}

// TestServersOnOneDatabaseShareTheAPIAndTheQueue has one server take what the other runs, and take its place.
func TestServersOnOneDatabaseShareTheAPIAndTheQueue(t *testing.T) {
	onlyPostgres(t)
	t.Parallel()
	ctx := t.Context()
	w := openWorld(t)
	standby, err := w.join(t, nil)
	must(t, err)
	standby.await(t, "standby")
	token, err := w.signIn(ctx, admin)
	must(t, err)
	first := client.New(w.url(), token, client.Options{})
	other := client.New("http://"+standby.APIAddress(), token, client.Options{})
	stage := client.StageRef{ProjectRef: client.ProjectRef{Organization: organization, Project: "shop"}, Stage: "production"}
	web := client.AppRef{StageRef: stage, App: "web"}

	// What one is told, the other knows; a commit that the one takes is run by the other, and both show it.
	_, err = first.CreateProject(ctx, stage.ProjectRef)
	must(t, err)
	_, err = other.CreateStage(ctx, stage)
	must(t, err)
	_, err = other.StageCommands(ctx, stage, api.AppCreate{Name: "web"})
	must(t, err)
	plan, err := other.Plan(ctx, stage) // needs the engine
	if err != nil || len(plan.Steps) == 0 {
		t.Fatalf("%+v, %v", plan, err)
	}
	commit, err := other.StartCommit(ctx, stage, api.StartCommit{Plan: plan.Hash})
	must(t, err)
	seen := 0
	end, err := other.WatchCommit(ctx, stage, commit.ID, func(api.Progress) { seen++ })
	if err != nil || end.State != "done" || seen == 0 {
		t.Fatalf("%+v, %d events, %v", end, seen, err)
	}
	if app, err := other.App(ctx, web); err != nil || app.Name != "web" {
		t.Errorf("%+v, %v", app, err)
	}

	// The keeper stops: the other one takes its place, at its own address.
	must(t, w.stop())
	standby.await(t, "router=http")
	_, err = other.StageCommands(ctx, stage, api.ResourceSet{Name: "web", Scale: new(3)})
	must(t, err)
	commit, err = other.StartCommit(ctx, stage, api.StartCommit{})
	must(t, err)
	if end, err = other.WatchCommit(ctx, stage, commit.ID, func(api.Progress) {}); err != nil || end.State != "done" {
		t.Errorf("%+v, %v", end, err)
	}
}

func TestServersThatShareADatabaseMustShareTheRest(t *testing.T) {
	onlyPostgres(t)
	t.Parallel()
	w := openWorld(t)
	elsewhere := t.TempDir()
	key, err := os.ReadFile(filepath.Join(w.config.DataDir, "key"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(elsewhere, "key"), key, 0o600))
	_, err = w.join(t, func(c *daemon.Config) { c.DataDir, c.HTTPListen = elsewhere, "127.0.0.1:0" })
	if err == nil || !strings.Contains(err.Error(), "must share the engine and the images") {
		t.Errorf("a server with other tasks and images: %v", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
