package daemon

import (
	"context"
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

// keeper is this server as the one that keeps the tasks.
func (c *core) keeper(until time.Time) (setops.Keeper, error) {
	machine, err := machineID()
	k := setops.Keeper{Machine: machine, Instance: c.instance, Until: until.UTC(), Address: c.front.apiURL()}
	return k, err
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

// apiURL is where other servers of this machine reach the API.
func (f *front) apiURL() string {
	scheme := "http"
	if f.api.tls != nil {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(f.api.bound)
	if ip := net.ParseIP(host); err == nil && (ip == nil || ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// becomeKeeper refuses a database whose tasks this server cannot reach.
func (c *core) becomeKeeper(ctx context.Context) error {
	if !c.isShared() {
		return nil
	}
	return c.sayKeeper(ctx, time.Now().Add(keeperLife))
}

func (c *core) sayKeeper(ctx context.Context, until time.Time) error {
	k, err := c.keeper(until)
	if err != nil {
		return err
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

// keep says again and again that this server keeps the tasks. The lock of the data directory makes sure of it on this machine.
func (c *core) keep(ctx context.Context) {
	c.every(ctx, keeperRenew, "tell other servers who keeps the tasks", func() error {
		return c.sayKeeper(ctx, time.Now().Add(keeperLife))
	})
}

// resign lets another server take over at once. It takes effect when the data directory is given back.
func (c *core) resign() {
	if !c.isShared() || c.store == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), keeperRenew)
	defer cancel()
	if err := c.sayKeeper(ctx, time.Now()); err != nil {
		c.Logger.Warn("tell other servers that this one stops", "error", err)
	}
}
