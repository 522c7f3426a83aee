package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/setopsco/setops/internal/audit"
	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/certs"
	"github.com/setopsco/setops/internal/commit"
	"github.com/setopsco/setops/internal/domain"
	"github.com/setopsco/setops/internal/edge/publish"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/gc"
	"github.com/setopsco/setops/internal/project"
	"github.com/setopsco/setops/internal/registry"
	"github.com/setopsco/setops/internal/routing"
	"github.com/setopsco/setops/internal/schedule"
	"github.com/setopsco/setops/internal/seal"
	"github.com/setopsco/setops/internal/store"
	"github.com/setopsco/setops/internal/user"
)

// core is what only one process can have open. It is made anew each time that it is opened:
//
//	lock → open → start → begin … end → stop
type core struct {
	*Daemon

	dir      *dataDir
	sealKey  []byte
	instance string
	sessions *auth.Sessions
	projects *project.Service
	audit    *audit.Log
	users    *user.Service

	store     *store.Store
	box       *seal.Box
	registry  *registry.Registry
	puller    pullerPorts
	certs     *certs.Manager     // nil: no TLS
	led       *led               // nil: --routing says it
	publisher *publish.Publisher // nil: no routers run beside this server
	recertify chan struct{}      // has room for one: other certificates are to be published
	ports     *routing.Ports
	routes    *routing.Table
	engine    engine.Engine
	domains   *domain.Service
	commits   *commit.Service
	prepares  *preparer
	gc        *gc.Service
	schedules *schedule.Service
	control   net.Listener

	stoodBy   *core // what this server was before it kept the tasks; nil: it always did
	ownsDir   bool  // it stands by beside a keeper with another data directory
	seen      sighting
	tenure    tenure
	handsOver bool  // to another process of the same data directory
	term      *term // nil: no requests are led here yet
	ready     atomic.Bool
	stopping  chan struct{} // closed by end
	ended     sync.Once
	alive     context.Context // of loops
	endLoops  context.CancelFunc
	loops     sync.WaitGroup
	closers   []func() error
}

func newCore(d *Daemon) *core {
	c := &core{Daemon: d, stopping: make(chan struct{}), recertify: make(chan struct{}, 1)}
	c.alive, c.endLoops = context.WithCancel(context.Background())
	return c
}

// lock takes the data directory. It writes nothing but the lock.
func (c *core) lock(context.Context) (err error) {
	if c.dir, err = openDataDir(c.Config.DataDir); err != nil {
		return err
	}
	c.onClose(c.dir.Close)
	return nil
}

func (c *core) open(ctx context.Context) error {
	return c.each(ctx, c.openStore, c.openKept)
}

// openKept opens what is behind the store of a server that keeps the tasks.
func (c *core) openKept(ctx context.Context) error {
	return c.each(ctx,
		c.openAudit, c.becomeKeeper, c.openCertificates, c.openRouting, c.openPublisher, c.openRegistry, c.openRoutes, c.openEngine, c.openDomains, c.openCommits, c.openCleanUp,
		c.openControl,
	)
}

// each does one after the other, until one cannot be done.
func (c *core) each(ctx context.Context, all ...func(context.Context) error) error {
	for _, open := range all {
		if err := open(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (c *core) onClose(f func() error) { c.closers = append(c.closers, f) }

// start brings the stages to their last committed state.
func (c *core) start(ctx context.Context) error {
	c.loops.Go(func() { c.engine.Watch(c.alive, func(stage string) { c.routes.TasksChanged(c.alive, stage) }) })
	c.loops.Go(func() { c.purgeUploads(c.alive) })
	if err := c.commits.Resume(ctx); err != nil {
		return fmt.Errorf("restore the committed state: %w", err)
	}
	c.completePublished()
	return nil
}

// begin takes requests, goes on with what was being destroyed, and cleans up from time to time.
func (c *core) begin() {
	c.term = c.front.gate.open(c.handler())
	if before := c.stoodBy; before != nil {
		c.loops.Go(func() {
			if err := before.stop(); err != nil {
				c.Logger.Warn("close what was open while the server stood by", "error", err)
			}
		})
	}
	c.obey()
	c.loops.Go(func() { c.resumeDestroying(c.alive) })
	c.loops.Go(func() { c.cleanUp(c.alive) })
	c.loops.Go(func() { c.schedules.Run(c.alive) })
	c.loops.Go(func() { c.pruneAudit(c.alive) })
	c.ready.Store(true)
}

// end lets streams end, so that stopping does not wait for those who listen.
func (c *core) end() {
	c.ended.Do(func() {
		c.ready.Store(false)
		close(c.stopping)
	})
}

// stopLimit is how long requests in flight are waited for when the server or its core stops.
const stopLimit = 15 * time.Second

// stop waits for requests of the API that are in flight, and closes what open made, last first. It may be called again.
func (c *core) stop() error {
	c.end()
	c.front.gate.close(c.term, stopLimit)
	c.endLoops()
	c.loops.Wait()
	return c.closeAll()
}

// closeAll closes what was opened, last first.
func (c *core) closeAll() error {
	var all []error
	for i := len(c.closers) - 1; i >= 0; i-- {
		all = append(all, c.closers[i]())
	}
	c.closers = nil
	return errors.Join(all...)
}
