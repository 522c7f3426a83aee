//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/daemon"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/fake"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/store"
)

// Whom and what the first start makes.
const (
	organization = "demo"
	project      = "bench"
	password     = "of everybody"
)

// serve runs servers on one directory, one after the other: at SIGHUP the next one starts and adopts the tasks, as after an
// upgrade.
func serve(ctx context.Context, dir string, users int) error {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	host := fake.NewRuntime()
	for {
		life, end := context.WithCancel(ctx)
		var waiter sync.WaitGroup
		waiter.Go(func() {
			defer end()
			select {
			case <-hangup:
			case <-life.Done():
			}
		})
		err := serveOnce(life, dir, users, host)
		end()
		waiter.Wait()
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, host.Close())
		}
	}
}

func serveOnce(ctx context.Context, dir string, users int, host *fake.Runtime) error {
	d := &daemon.Daemon{
		Config: daemon.Config{
			DataDir: filepath.Join(dir, "data"), Listen: "127.0.0.1:0", HTTPListen: "127.0.0.1:0", Domain: "localhost", Engine: "auto",
			Organization: organization, AdminEmail: "admin@localhost",
		},
		Out: &watch{began: time.Now()}, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
		NewEngine: func(ctx context.Context, c daemon.EngineConfig) (engine.Engine, error) {
			return fake.New(ctx, fake.Config{Dir: c.Dir, Runtime: host, Drainer: c.Drainer, Logger: c.Logger})
		},
	}
	if err := d.Open(ctx); err != nil {
		return err
	}
	if err := firstStart(ctx, dir, users); err != nil {
		return errors.Join(fmt.Errorf("make users: %w", err), d.Close())
	}
	return errors.Join(d.Run(ctx), d.Close())
}

// watch adds to what the server says how long it took.
type watch struct{ began time.Time }

func (w *watch) Write(p []byte) (int, error) {
	_, err := fmt.Printf("%s after=%s\n", bytes.TrimSpace(p), time.Since(w.began))
	return len(p), err
}

func userID(i int) string { return fmt.Sprintf("user-%d", i) }

func email(i int) string { return fmt.Sprintf("user%d@example.com", i) }

// firstStart makes users, who are members of a project, and writes down a token of each.
func firstStart(ctx context.Context, dir string, users int) error {
	file := filepath.Join(dir, "tokens.json")
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	tokens := make([]string, users)
	err := inStore(ctx, dir, func(s *store.Store) error {
		id, err := s.AddOrganization(ctx, "organization", organization, time.Now())
		if err != nil {
			return err
		}
		hash := auth.HashPassword(password)
		for i := range tokens {
			if tokens[i], err = addUser(ctx, s, i, id, hash); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	text, err := json.Marshal(tokens)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

// addUser adds a user; the first one makes the project.
func addUser(ctx context.Context, s *store.Store, i int, organizationID, hash string) (token string, err error) {
	u := setops.User{ID: userID(i), Email: email(i), OrganizationID: organizationID}
	now := time.Now()
	if err := s.AddUser(ctx, u, hash, organizationID, now); err != nil {
		return "", err
	}
	token, hashed := auth.NewToken()
	session := setops.Session{ID: u.ID, User: u, Kind: setops.APIToken, Name: "bench", CreatedAt: now, UsedAt: now}
	if err := s.AddSession(ctx, session, setops.Token{Hash: hashed, Use: setops.AccessToken}); err != nil {
		return "", err
	}
	if i > 0 {
		return token, s.Grant(ctx, project, u.ID, setops.Member)
	}
	return token, s.AddProject(ctx, organizationID, setops.Project{ID: project, Name: project, CreatedAt: now, CreatedBy: u.Email}, u)
}

func inStore(ctx context.Context, dir string, f func(*store.Store) error) error {
	s, err := store.Open(ctx, filepath.Join(dir, "data", "setops.db"))
	if err != nil {
		return err
	}
	return errors.Join(f(s), s.Close())
}
