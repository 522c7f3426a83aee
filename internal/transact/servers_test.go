package transact

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/commit"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/store"
	"github.com/setopsco/setops/internal/store/storetest"
)

var errKilled = errors.New("the server was killed")

// server is one of several on one database and one engine. Once it is killed nothing that it does reaches either: its
// connections are closed, and the engine does not hear it. Or it has lost its database only, and lives on beside those that take
// over from it: then the engine refuses what it writes under an older lease.
type server struct {
	*commit.Service
	store  *store.Store
	engine *mortal
}

// mortal is an engine as a server reaches it that can be killed.
type mortal struct {
	engine.Engine
	killed atomic.Bool
}

func (e *mortal) do(f func() error) error {
	if e.killed.Load() {
		return errKilled
	}
	return f()
}

func (e *mortal) EnsureStage(ctx context.Context, s setops.StageRef, fence int64) error {
	return e.do(func() error { return e.Engine.EnsureStage(ctx, s, fence) })
}

func (e *mortal) Ensure(ctx context.Context, g engine.Generation) error {
	return e.do(func() error { return e.Engine.Ensure(ctx, g) })
}

func (e *mortal) Remove(ctx context.Context, id string, fence int64) error {
	return e.do(func() error { return e.Engine.Remove(ctx, id, fence) })
}

func (e *mortal) RemoveApp(ctx context.Context, stageID, app string, fence int64) error {
	return e.do(func() error { return e.Engine.RemoveApp(ctx, stageID, app, fence) })
}

func (e *mortal) Run(ctx context.Context, o engine.OneOff) (t setops.Task, err error) {
	err = e.do(func() error { t, err = e.Engine.Run(ctx, o); return err })
	return t, err
}

func (e *mortal) Stop(ctx context.Context, id string) error {
	return e.do(func() error { return e.Engine.Stop(ctx, id) })
}

const shortLease = time.Second

// cluster is what serves one stage: at every moment two servers, or the second is just starting.
type cluster struct {
	w *world

	left    sync.WaitGroup // those that live on without a database
	mu      sync.Mutex
	servers []*server
	begun   int
}

func (c *cluster) start(t *testing.T) {
	t.Helper()
	s := &server{engine: &mortal{Engine: c.w.engine}}
	var err error
	s.store, err = c.w.place.Open(t.Context())
	must(t, err)
	c.mu.Lock()
	c.begun++
	config := c.w.config(fmt.Sprint("host-", c.begun))
	c.mu.Unlock()
	config.Store, config.Engine, config.Shared, config.Lease = s.store, s.engine, true, shortLease
	s.Service = commit.New(config)
	must(t, s.Resume(t.Context()))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.servers = append(c.servers, s)
}

// kill ends one of the servers wherever it is, or takes its database away and lets it live on for some leases.
func (c *cluster) kill(t *testing.T, which int, livesOn bool) {
	t.Helper()
	c.mu.Lock()
	s := c.servers[which]
	c.servers = append(c.servers[:which:which], c.servers[which+1:]...)
	c.mu.Unlock()
	s.engine.killed.Store(!livesOn)
	must(t, s.store.Close())
	if !livesOn {
		s.Close()
		return
	}
	c.left.Go(func() {
		time.Sleep(3 * shortLease) // as long as it may go on
		s.Close()
	})
}

func (c *cluster) any() *commit.Service {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.servers[rand.IntN(len(c.servers))].Service
}

// TestServersThatAreKilledLeaveEveryCommitToAnother has two servers on one database, which are killed one after the other while
// users commit on either: each commit ends, and the stage is what those that are done make of it.
func TestServersThatAreKilledLeaveEveryCommitToAnother(t *testing.T) {
	t.Parallel()
	if storetest.New(t).URL == "" {
		t.Skip("runs in the round on PostgreSQL")
	}
	total := map[string]int{}
	each(t, 2, func(t *testing.T, seed uint64) {
		w := newSerial(t)
		w.commits.Close() // it has made the stage
		w.isWhole = false
		c := &cluster{w: w}
		c.start(t)
		c.start(t)
		before := w.spec(t)
		authors := w.authors(seed, c.any)
		worked := make(chan struct{})
		go func() {
			defer close(worked)
			together(authors, func(a *author) { a.work(t, 120) })
		}()
		kills := c.killUntil(t, dicesOf(seed), worked)
		w.settled(t)
		w.commits = c.any()
		counted := w.serial(t, before, authors)
		t.Logf("%d servers killed, commits %v", kills, counted)
		total["killed"] += kills
		total["done"] += counted[changeset.Done]
		c.kill(t, 1, false)
		c.kill(t, 0, false)
		c.left.Wait()
	})
	if (total["killed"] == 0 || total["done"] == 0) && !t.Failed() {
		t.Errorf("nothing was tested: %v", total)
	}
}

// killUntil kills a server again and again at random moments, and starts another one each time.
func (c *cluster) killUntil(t *testing.T, d dice, worked <-chan struct{}) (kills int) {
	t.Helper()
	for {
		select {
		case <-worked:
			return kills
		case <-time.After(d.moment()):
		}
		c.kill(t, d.IntN(2), d.IntN(2) == 0)
		c.start(t)
		kills++
	}
}

// moment is long enough for some commits to begin, mostly.
func (d dice) moment() time.Duration {
	return 50*time.Millisecond + time.Duration(d.IntN(600))*time.Millisecond
}
