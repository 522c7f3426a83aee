package daemon

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/setopsco/setops/internal/app"
	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/commit"
	"github.com/setopsco/setops/internal/define"
	"github.com/setopsco/setops/internal/domain"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/history"
	"github.com/setopsco/setops/internal/httpapi"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/project"
	"github.com/setopsco/setops/internal/registry"
	"github.com/setopsco/setops/internal/routing"
	"github.com/setopsco/setops/internal/schedule"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/staging"
	"github.com/setopsco/setops/internal/task"
)

// firstStart makes the organization and its admin where there is nobody yet.
func (c *core) firstStart(ctx context.Context) error {
	organization, err := c.store.AddOrganization(ctx, newID(), c.Config.Organization, time.Now())
	if err != nil {
		return fmt.Errorf("make organization: %w", err)
	}
	n, err := c.store.CountUsers(ctx)
	if err != nil || n > 0 {
		return err
	}
	password, err := c.adminPassword()
	if err != nil {
		return err
	}
	admin := setops.User{ID: newID(), Email: c.Config.AdminEmail, Admin: true}
	if err := c.store.AddUser(ctx, admin, auth.HashPassword(password), organization, time.Now()); err != nil {
		return c.otherWasFirst(ctx, fmt.Errorf("make admin: %w", err))
	}
	debug.FreeOSMemory() // what a hash takes would stay with an idle server for minutes
	if c.Config.AdminPasswordFile == "" {
		fmt.Fprintf(c.Out, "First start: organization %s, admin %s, password in %s\n",
			c.Config.Organization, c.Config.AdminEmail, c.dir.file(passwordFile))
	}
	return nil
}

// otherWasFirst is no error: several servers can begin with one database. A password that was generated here is nobody's then.
func (c *core) otherWasFirst(ctx context.Context, err error) error {
	if n, failed := c.store.CountUsers(ctx); failed != nil || n == 0 {
		return err
	}
	if c.Config.AdminPasswordFile != "" {
		return nil
	}
	return removeIfThere(c.dir.file(passwordFile))
}

// passwordFile has the password of the first admin where it was generated.
const passwordFile = "admin-password"

func (c *core) adminPassword() (string, error) {
	if c.Config.AdminPasswordFile != "" {
		return readPassword(c.Config.AdminPasswordFile)
	}
	path := c.dir.file(passwordFile)
	b := make([]byte, 16)
	rand.Read(b)
	password := hex.EncodeToString(b)
	// A start that died between the file and the database leaves a password that was never used.
	if err := errors.Join(removeIfThere(path), writeNew(path, []byte(password+"\n"))); err != nil {
		return "", fmt.Errorf("write admin password: %w", err)
	}
	return password, nil
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (c *core) openRegistry(ctx context.Context) (err error) {
	c.sessions = auth.NewSessions(c.store, time.Now, c.Logger)
	c.sessions.Tell(c.audit)
	c.puller, err = withPuller(registryPorts{
		sessions: c.sessions, access: auth.Access{Store: c.store}, store: c.store, organization: c.Config.Organization,
	}, c.sealKey, time.Now)
	if err != nil {
		return err
	}
	return c.openImages(ctx, registry.Config{
		Dir: c.dir.file("registry"), Secret: c.sealKey, Authenticator: c.puller, Authorizer: c.puller, Logger: c.Logger,
	})
}

// hosts tells where apps answer by themselves. The first organization is the oldest one and not that of --organization, which may be
// another at the next start.
func (c *core) hosts(ctx context.Context) (setops.Hosts, error) {
	first, err := c.store.FirstOrganization(ctx)
	return setops.Hosts{Domain: c.Config.Domain, First: first}, err
}

func (c *core) openRoutes(ctx context.Context) error {
	hosts, err := c.hosts(ctx)
	if err != nil {
		return err
	}
	host, _, _ := net.SplitHostPort(c.Config.HTTPListen) // it was checked
	c.ports = &routing.Ports{
		Host: host, Low: c.Config.settings.ports.low, High: c.Config.settings.ports.high, Store: c.store,
		Listen: c.front.sockets.Listen, Serve: c.front.router.ServeStream, Logger: c.Logger,
	}
	c.onClose(c.ports.Close)
	c.routes = &routing.Table{
		Hosts: hosts, Store: c.store, Router: routing.Local{Router: c.front.router}, Ports: c.ports, Logger: c.Logger,
	}
	if c.publisher != nil {
		c.routes.Remote = c.publisher
	}
	return nil
}

func (c *core) openEngine(ctx context.Context) error {
	open := c.NewEngine
	if open == nil {
		open = newEngine
	}
	var err error
	c.engine, err = open(ctx, EngineConfig{
		Kind: c.Config.Engine, DockerHost: c.Config.DockerHost, Registry: c.imageHandler(), Credentials: c.puller.credentials, StageCredentials: c.puller.stageCredentials,
		Dir: c.dir.file("engine"), Instance: c.instance, Images: c.registry, Drainer: patient{c.routes, c.Taker},
		Cluster: c.clusterConfig(), Domain: c.Config.Domain, Serve: c.front.serveInside, Sockets: c.front.sockets, LogsKept: c.logsKept, Logger: c.Logger,
	})
	if err != nil {
		return err
	}
	c.onClose(c.engine.Close)
	c.routes.Tasks = c.engine
	c.routes.Fronts, _ = c.engine.(engine.Fronts) // a cluster answers private names by itself
	c.routes.Switch, _ = c.engine.(engine.Switch) // and has Services of its own
	if c.Config.TCPServices != tcpByServer {
		c.ports.Engine, _ = c.engine.(engine.Ports)
	}
	if c.certs != nil && (c.routes.Switch == nil || !c.routes.Switch.IsPublic()) {
		c.routes.Certs = c.certs // else who leads requests to apps has their certificates too
	}
	c.prepares = newPreparer(c.engine, c.Logger)
	c.onClose(c.prepares.Close)
	return nil
}

// logsKept is an engine.LogRetention.
func (c *core) logsKept(ctx context.Context, stageID string) (time.Duration, error) {
	days, err := c.store.LogRetention(ctx, stageID)
	return time.Duration(days) * 24 * time.Hour, err
}

func (c *core) openDomains(ctx context.Context) error {
	key, err := c.domainKey(ctx)
	if err != nil {
		return err
	}
	hosts, err := c.hosts(ctx)
	if err != nil {
		return err
	}
	config := domain.Config{
		Hosts: hosts, PublicAddresses: c.Config.settings.addresses, Resolver: c.Config.DNSResolver,
		Key: key, Store: c.store,
	}
	if c.certs != nil && (c.routes == nil || c.routes.Certs != nil) { // one that stands by has no routes
		config.Certificates = c.certs
	}
	c.domains = domain.New(config)
	return nil
}

func (c *core) openCommits(context.Context) error {
	owner, err := c.owner()
	if err != nil {
		return err
	}
	c.commits = commit.New(commit.Config{
		Store: c.storeOfCommits(), Engine: c.engine, OpenEnv: c.box.OpenEnv, Routes: c.routes, Ports: c.ports,
		Recheck: c.domains.Recheck, Key: c.box.FingerprintKey(), Now: time.Now, Logger: c.Logger,
		Owner: owner, Shared: c.isShared(), StandsBy: c.engine == nil, Predecessor: c.Taker.Wait,
	})
	c.onClose(func() error { c.commits.Close(); return nil })
	return nil
}

// handler joins the API and the registry, which share a port.
func (c *core) handler() http.Handler {
	access := auth.Access{Store: c.store}
	c.projects = &project.Service{
		Store: c.store, Access: access, RemoveStage: c.removeStage, RemoveImages: c.registry.RemovePrefix, Now: time.Now,
		Stopping: c.stopping,
	}
	c.schedules = &schedule.Service{Store: c.store, Engine: c.engine, OpenEnv: c.box.OpenEnv, Now: c.Now, Logger: c.Logger}
	images := registryImages{c.registry, c.prepares}
	api := &httpapi.Server{
		Sessions: c.sessions,
		Access:   access,
		Projects: c.projects,
		Apps:     &app.Service{Store: c.store, Tasks: c.engine, OpenEnv: c.box.OpenShown},
		Domains:  c.domains,
		Staging: &staging.Service{
			Store: c.store, Images: images, Domains: c.domains, Box: c.box, NewID: newID, Now: time.Now,
		},
		Commits: c.commits,
		History: &history.Service{
			Store: c.store, Running: c.commits, Logs: c.engine, Exists: images.Exists, Admit: c.domains.Admit, Box: c.box, NewID: newID, Now: time.Now,
		},
		Definitions: &define.Service{
			Store: c.store, Images: images, Admit: c.domains.Admit, Box: c.box, NewID: newID, Now: time.Now,
		},
		Tasks:     &task.Service{Store: c.store, Images: images, Engine: c.engine, OpenEnv: c.box.OpenEnv},
		Schedules: c.schedules,
		Requests:  idempotency.NewKeeper(c.store, c.box.FingerprintKey(), time.Now),
		Logger:    c.Logger,
		Ready:     c.readiness,
		Stopping:  c.stopping,
		Version:   Version,
		Platform:  "linux/" + runtime.GOARCH,
	}
	c.servePeople(api)
	return believing(c.Config.settings.proxies, api.Handler(c.pages(api.Invitations, c.imageHandler())))
}

// imageHandler is the registry with the place where its clients sign in.
func (c *core) imageHandler() http.Handler {
	images := http.NewServeMux()
	images.Handle("/v2/", c.registry)
	images.Handle(registry.DefaultTokenPath, c.registry.TokenHandler())
	images.HandleFunc("/", httpapi.NotFound)
	return images
}

func (c *core) readiness(ctx context.Context) error {
	if !c.ready.Load() {
		return errors.New("starting or stopping")
	}
	return c.store.Ping(ctx)
}

// removeStage takes a stage out of the router first, so that nobody is sent to tasks that end.
func (c *core) removeStage(ctx context.Context, stageID string) error {
	c.routes.Remove(stageID)
	if err := c.engine.RemoveStage(ctx, stageID); err != nil {
		return err
	}
	c.front.forgetInside(stageID)
	return nil
}

func (c *core) resumeDestroying(ctx context.Context) {
	if err := c.projects.Resume(ctx); err != nil && ctx.Err() == nil {
		c.Logger.Error("go on destroying stages", "error", err)
	}
}

// Uploads that nobody goes on with are removed after a day.
const (
	uploadLife  = 24 * time.Hour
	uploadSweep = time.Hour
)

func (c *core) purgeUploads(ctx context.Context) {
	ticker := time.NewTicker(uploadSweep)
	defer ticker.Stop()
	for {
		if _, err := c.registry.PurgeUploads(ctx, time.Now().Add(-uploadLife)); err != nil && ctx.Err() == nil {
			c.Logger.Error("purge uploads", "error", err)
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
