package daemon

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// How long a server is taken for the one that keeps the tasks without saying so again, and how often it does.
const (
	keeperLife  = 10 * time.Second
	keeperRenew = 2 * time.Second
)

// isShared says that other servers may have the same database.
func (c *Config) isShared() bool { return c.Database != "" }

func (c *core) isShared() bool { return c.Config.isShared() }

// sharesCluster says that other servers may have the same database without being on this machine: what runs is on a cluster.
func (c *Config) sharesCluster() bool { return c.isShared() && c.Engine == kubernetesKind }

func (c *core) sharesCluster() bool { return c.Config.sharesCluster() }

// keeper is this server as the one that keeps the tasks.
func (c *core) keeper(until time.Time) (setops.Keeper, error) {
	id, err := c.serverID()
	k := setops.Keeper{Machine: id, Instance: c.instance, Until: until.UTC(), Address: c.advertised()}
	return k, err
}

// serverFile has what tells a data directory from its copies on this machine and elsewhere.
const serverFile = "server"

// serverID is that of the machine, as the servers of one host share its tasks. Those of a cluster are known by their data directory,
// too: its lock makes sure that one process at most has the same id.
func (c *core) serverID() (string, error) {
	machine, err := machineID()
	if err != nil || !c.sharesCluster() {
		return machine, err
	}
	own, err := c.dir.secret(serverFile, 8, false)
	return machine + "/" + hex.EncodeToString(own), err
}

// owner names who runs commits here.
func (c *core) owner() (string, error) {
	if !c.sharesCluster() {
		return c.instance, nil
	}
	return c.serverID()
}

// advertised is where other servers reach the API; empty: it has none, as it is no server but changes the key.
func (c *core) advertised() string {
	if c.front == nil {
		return ""
	}
	if c.Config.AdvertiseAddress == "" {
		return c.front.apiURL("")
	}
	return c.front.apiURL(c.Config.AdvertiseAddress)
}

// machineID names this machine, as long as it is installed or, where nothing is installed that says so, until it starts anew.
func machineID() (string, error) {
	for _, path := range []string{"/etc/machine-id", "/proc/sys/kernel/random/boot_id"} {
		if text, err := os.ReadFile(path); err == nil && len(strings.TrimSpace(string(text))) > 0 {
			return strings.TrimSpace(string(text)), nil
		}
	}
	name, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("find out which machine this is: %w", err)
	}
	return name, nil
}

// apiURL is where other servers reach the API: at an address that was said, or the one that it listens at.
func (f *front) apiURL(said string) string {
	scheme := "http"
	if f.api.tls != nil {
		scheme = "https"
	}
	if said != "" {
		return scheme + "://" + said
	}
	host, port, err := net.SplitHostPort(f.api.bound)
	if ip := net.ParseIP(host); err == nil && (ip == nil || ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// becomeKeeper refuses a database whose tasks this server cannot reach, and says that it keeps them from now on, again and again: what
// comes behind it may take longer than a keeper may be silent.
func (c *core) becomeKeeper(ctx context.Context) error {
	if !c.isShared() {
		return nil
	}
	if err := c.sayKeeper(ctx, time.Now().Add(keeperLife)); err != nil {
		return err
	}
	if c.sharesCluster() {
		c.onClose(c.leavePlace)
	}
	c.loops.Go(func() { c.keep(c.alive) })
	return nil
}

func (c *core) sayKeeper(ctx context.Context, until time.Time) error {
	k, err := c.keeper(until)
	if err != nil {
		return err
	}
	if c.sharesCluster() {
		return c.sayOnCluster(ctx, k)
	}
	other, err := c.store.Keep(ctx, k, time.Now())
	switch {
	case err != nil:
		return err
	case other == nil:
		return nil
	case other.Instance != k.Instance:
		return fmt.Errorf("the tasks of this database are in another data directory than %s (instance %s, not %s): servers that share a "+
			"database must share the engine and the images, too; name that directory with --data-dir, or use another database",
			c.dir.path, other.Instance, k.Instance)
	}
	return fmt.Errorf("the server at %s, on another machine, keeps the tasks of this database: an engine of a single host can only be "+
		"reached from there; start this server on that machine, or stop that one and try again in %s", other.Address, keeperLife)
}

// succeededError ends a server that another one has taken the place of.
type succeededError struct{ by setops.Keeper }

func (e *succeededError) Error() string {
	return fmt.Sprintf("the server at %s keeps the tasks of this database by now, as this one could not tell the database for %s that it "+
		"does; start this one again, and it stands by", e.by.Address, keeperLife)
}

// sayOnCluster makes the tenure longer. Where another server was let in, this one ends.
func (c *core) sayOnCluster(ctx context.Context, k setops.Keeper) error {
	began := time.Now()
	other, err := c.store.Succeed(ctx, k, setops.Keeper{})
	if err != nil {
		return err
	}
	if other != nil {
		c.tenure.extend(time.Time{})
		return &succeededError{*other}
	}
	c.tenure.extend(began.Add(keeperLife))
	return nil
}

// holds refuses what only the one may do that keeps the tasks of a cluster.
func (c *core) holds() error {
	return c.tenure.holdsOr(func() error { return c.renew(c.alive, keeperRenew) })
}

// renew says once more that this server keeps the tasks, within a limit.
func (c *core) renew(ctx context.Context, within time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return c.sayKeeper(limited, time.Now().Add(keeperLife))
}

// keep says again and again that this server keeps the tasks. On one machine the lock of the data directory makes sure of it.
func (c *core) keep(ctx context.Context) {
	c.every(ctx, keeperRenew, "tell other servers who keeps the tasks", func() error {
		err := c.renew(ctx, keeperLife/2)
		var succeeded *succeededError
		if errors.As(err, &succeeded) && c.front != nil {
			c.front.fail(err)
		}
		return err
	})
}

// resign lets another server of this machine take over at once. It takes effect when the data directory is given back.
func (c *core) resign() {
	if !c.isShared() || c.sharesCluster() || c.store == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), keeperRenew)
	defer cancel()
	if err := c.sayKeeper(ctx, time.Now()); err != nil {
		c.Logger.Warn("tell other servers that this one stops", "error", err)
	}
}

// leavePlace lets another server of the cluster take over at once: engine and commits of this one are closed. Who hands over to a
// process of the same data directory keeps the place for it.
func (c *core) leavePlace() error {
	if c.handsOver {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), keeperRenew)
	defer cancel()
	k, err := c.keeper(time.Now())
	if err == nil {
		k.Gone = true
		_, err = c.store.Succeed(ctx, k, setops.Keeper{})
	}
	if err != nil {
		c.Logger.Warn("tell other servers that this one stops", "error", err)
	}
	return nil
}
