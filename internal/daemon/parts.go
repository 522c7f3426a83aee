package daemon

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/setopsco/setops/internal/app"
	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/commit"
	"github.com/setopsco/setops/internal/httpapi"
	"github.com/setopsco/setops/internal/project"
	"github.com/setopsco/setops/internal/registry"
	"github.com/setopsco/setops/internal/router"
	"github.com/setopsco/setops/internal/routing"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/staging"
	"github.com/setopsco/setops/internal/store"
	"github.com/setopsco/setops/internal/task"
)

func (d *Daemon) openStore(ctx context.Context) (err error) {
	if d.box, d.sealKey, err = d.dir.box(); err != nil {
		return err
	}
	if d.store, err = store.Open(ctx, d.dir.file("setops.db")); err != nil {
		return err
	}
	d.onClose(d.store.Close)
	return d.firstStart(ctx)
}

// firstStart makes the organization and its admin where there is nobody yet.
func (d *Daemon) firstStart(ctx context.Context) error {
	organization, err := d.store.AddOrganization(ctx, newID(), d.Config.Organization, time.Now())
	if err != nil {
		return fmt.Errorf("make organization: %w", err)
	}
	d.organizationID = organization
	n, err := d.store.CountUsers(ctx)
	if err != nil || n > 0 {
		return err
	}
	password, err := d.adminPassword()
	if err != nil {
		return err
	}
	admin := setops.User{ID: newID(), Email: d.Config.AdminEmail}
	if err := d.store.AddUser(ctx, admin, auth.HashPassword(password), organization, time.Now()); err != nil {
		return fmt.Errorf("make admin: %w", err)
	}
	return nil
}

// checkPassword refuses a password file before the first start has written anything; later starts do not read it.
func (d *Daemon) checkPassword() error {
	if _, err := os.Stat(filepath.Join(d.Config.DataDir, "setops.db")); err == nil || d.Config.AdminPasswordFile == "" {
		return nil
	}
	_, err := readPassword(d.Config.AdminPasswordFile)
	return err
}

func (d *Daemon) adminPassword() (string, error) {
	if d.Config.AdminPasswordFile != "" {
		return readPassword(d.Config.AdminPasswordFile)
	}
	path := d.dir.file("admin-password")
	b := make([]byte, 16)
	rand.Read(b)
	password := hex.EncodeToString(b)
	// A start that died between the file and the database leaves a password that was never used.
	if err := errors.Join(removeIfThere(path), writeNew(path, []byte(password+"\n"))); err != nil {
		return "", fmt.Errorf("write admin password: %w", err)
	}
	fmt.Fprintf(d.Out, "First start: organization %s, admin %s, password in %s\n", d.Config.Organization, d.Config.AdminEmail, path)
	return password, nil
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (d *Daemon) openRegistry(ctx context.Context) (err error) {
	d.sessions = auth.NewSessions(d.store, time.Now, d.Logger)
	ports := registryPorts{
		sessions: d.sessions, access: auth.Access{Store: d.store}, store: d.store,
		organization: d.Config.Organization, organizationID: d.organizationID,
	}
	d.registry, err = registry.New(ctx, registry.Config{
		Dir: d.dir.file("registry"), Secret: d.sealKey, Authenticator: ports, Authorizer: ports, Logger: d.Logger,
	})
	if err != nil {
		return fmt.Errorf("open registry: %w", err)
	}
	d.onClose(d.registry.Close)
	return nil
}

func (d *Daemon) openRouter(context.Context) error {
	d.router = router.New(router.Config{Logger: d.Logger})
	d.onClose(func() error { d.router.Close(); return nil })
	d.routes = &routing.Table{Domain: d.Config.Domain, Store: d.store, Router: d.router, Logger: d.Logger}
	return nil
}

func (d *Daemon) openEngine(ctx context.Context) error {
	instance, err := d.dir.instance()
	if err != nil {
		return err
	}
	open := d.NewEngine
	if open == nil {
		open = newEmbedded
	}
	d.engine, err = open(ctx, EngineConfig{
		Dir: d.dir.file("engine"), Instance: instance, Images: d.registry, Drainer: d.routes, Logger: d.Logger,
	})
	if err != nil {
		return err
	}
	d.onClose(d.engine.Close)
	d.routes.Tasks = d.engine
	d.prepares = newPreparer(d.engine, d.Logger)
	d.onClose(d.prepares.Close)
	return nil
}

func (d *Daemon) openCommits(context.Context) error {
	d.commits = commit.New(commit.Config{
		Store: d.store, Engine: d.engine, OpenEnv: d.box.OpenEnv, Routes: d.routes,
		RemoveImages: d.registry.RemoveRepository, Key: d.box.FingerprintKey(), NewID: newID, Now: time.Now, Logger: d.Logger,
	})
	d.onClose(func() error { d.commits.Close(); return nil })
	return nil
}

// handler joins the API and the registry, which share a port.
func (d *Daemon) handler() http.Handler {
	access := auth.Access{Store: d.store}
	d.projects = &project.Service{
		Store: d.store, Access: access, RemoveStage: d.removeStage, RemoveImages: d.registry.RemovePrefix, NewID: newID, Now: time.Now,
	}
	api := &httpapi.Server{
		Sessions: d.sessions,
		Access:   access,
		Projects: d.projects,
		Apps:     &app.Service{Store: d.store, Tasks: d.engine, OpenEnv: d.box.OpenEnv},
		Staging:  &staging.Service{Store: d.store, Images: registryImages{d.registry, d.prepares}, Box: d.box, NewID: newID, Now: time.Now},
		Commits:  d.commits,
		Tasks:    &task.Service{Store: d.store, Engine: d.engine, OpenEnv: d.box.OpenEnv, NewID: newID},
		Logger:   d.Logger,
		Ready:    d.readiness,
		Stopping: d.stopping,
		Version:  Version,
	}
	images := http.NewServeMux()
	images.Handle("/v2/", d.registry)
	images.Handle(registry.DefaultTokenPath, d.registry.TokenHandler())
	images.HandleFunc("/", httpapi.NotFound)
	return api.Handler(images)
}

func (d *Daemon) readiness(ctx context.Context) error {
	if !d.ready.Load() {
		return errors.New("starting or stopping")
	}
	return d.store.Ping(ctx)
}

// removeStage takes a stage out of the router first, so that nobody is sent to tasks that end.
func (d *Daemon) removeStage(ctx context.Context, stageID string) error {
	d.routes.Remove(stageID)
	return d.engine.RemoveStage(ctx, stageID)
}

func (d *Daemon) resumeDestroying(ctx context.Context) {
	if err := d.projects.Resume(ctx); err != nil && ctx.Err() == nil {
		d.Logger.Error("go on destroying stages", "error", err)
	}
}

// Uploads that nobody goes on with are removed after a day.
const (
	uploadLife  = 24 * time.Hour
	uploadSweep = time.Hour
)

func (d *Daemon) purgeUploads(ctx context.Context) {
	ticker := time.NewTicker(uploadSweep)
	defer ticker.Stop()
	for {
		if _, err := d.registry.PurgeUploads(ctx, time.Now().Add(-uploadLife)); err != nil && ctx.Err() == nil {
			d.Logger.Error("purge uploads", "error", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// newID gives 32 hexadecimal digits: 128 random bits.
func newID() string {
	b := make([]byte, 16)
	rand.Read(b)
	return hex.EncodeToString(b)
}
