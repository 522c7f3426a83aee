package daemon

import (
	"context"
	"errors"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// Servers of one cluster can be on any of its nodes, each with a data directory of its own. Which one keeps the tasks is a row of the
// database, and no two clocks are compared for it:
//
//	the keeper says that it is there, every keeperRenew ── not for keeperLife ──► its tenure is over: it changes nothing any more
//	who stands by sees nothing new of it for keeperLife ── the row is still the same ──► keeper
//
// It was seen later than it was said, so the tenure is over before anybody steps in. Who lost its place without knowing reads so in the
// row when it says again that it is there, and ends.

// openOnCluster opens the server as the keeper where there is none, else as one that stands by.
func (d *Daemon) openOnCluster(ctx context.Context) error {
	c := d.core
	if err := d.front.api.listen(d.front.sockets); err != nil {
		return err
	}
	if err := c.openStore(ctx); err != nil {
		return err
	}
	has, kept, err := c.takeFreePlace(ctx)
	if err != nil {
		return err
	}
	if kept {
		return c.each(ctx, d.listenForApps, c.openKept)
	}
	c.ownsDir, d.standsBy = true, true
	c.seen.look(has, time.Now())
	return c.each(ctx, c.openAudit, c.openCertificates, c.openRegistry, c.openDomains, c.openCommits)
}

// takeFreePlace makes this server the keeper where there is none, or it is that already, else it gives the one that there is.
func (c *core) takeFreePlace(ctx context.Context) (has setops.Keeper, kept bool, err error) {
	has, there, err := c.store.Keeper(ctx)
	if err != nil {
		return has, false, err
	}
	own, err := c.serverID()
	switch {
	case err != nil:
		return has, false, err
	case !there || has.Gone || has.Machine == own:
		kept, err = c.takePlace(ctx, has)
	case has.Address == "":
		kept, err = c.takeSilentPlace(ctx, has)
		if err == nil && !kept {
			err = errors.New("the key of the database is being changed by setopsd rotate-key; start the server once that has ended, with the new key")
		}
	}
	return has, kept, err
}

// takeSilentPlace is takePlace where nothing is heard of the keeper for as long as it may be silent.
func (c *core) takeSilentPlace(ctx context.Context, has setops.Keeper) (bool, error) {
	select {
	case <-time.After(keeperLife): // it is the silence that says something
		return c.takePlace(ctx, has)
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// takePlace reports whether this server keeps the tasks from now on; false: another one was quicker.
func (c *core) takePlace(ctx context.Context, seen setops.Keeper) (bool, error) {
	k, err := c.keeper(time.Now().Add(keeperLife))
	if err != nil {
		return false, err
	}
	other, err := c.store.Succeed(ctx, k, seen)
	return err == nil && other == nil, err
}

// succeedOnCluster takes the place of a keeper that is gone, and passes the data directory on to the core that is to keep the tasks.
func (c *core) succeedOnCluster(ctx context.Context) (*dataDir, bool) {
	limited, cancel := context.WithTimeout(ctx, keeperLife/2)
	defer cancel()
	has, there, err := c.store.Keeper(limited)
	if err != nil {
		c.seen = sighting{} // the keeper could not say so either: it has its time again once the database answers
		return nil, false
	}
	if there && !c.seen.look(has, time.Now()) {
		return nil, false
	}
	kept, err := c.takePlace(limited, has)
	if err != nil {
		c.Logger.Error("take the place of the server that kept the tasks", "error", err)
	}
	if !kept {
		return nil, false
	}
	return c.dir.pass(), true
}
