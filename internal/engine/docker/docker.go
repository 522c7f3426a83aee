//go:build linux

package docker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"regexp"
	"sync"
	"syscall"
	"time"

	"github.com/moby/moby/client"
	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/host"
	"github.com/setopsco/setops/internal/engine/subnet"
)

// Config says which Docker it is and what the runtime works with.
type Config struct {
	Dir      string // logs are below it; labels name them relative to it, so that a data directory can be moved
	Instance string // 8 lower-case hexadecimal digits; part of every name
	Host     string // as unix:///run/docker.sock; empty: what DOCKER_HOST says, or the usual socket

	// Registry is the loopback address that Docker pulls from, as 127.0.0.1:7700: Docker speaks plain HTTP to those only.
	Registry string
	// Credentials signs in there; it is asked for every pull.
	Credentials func(ctx context.Context) (user, password string, err error)
	// Images is the same registry without its HTTP: it says what an image is made for before it is pulled.
	Images engine.ImageSource

	Gateways Gateways

	// Subnets is the pool that stages get /24 networks of, IPv4, at most /24 long; zero: 10.213.0.0/16.
	Subnets netip.Prefix

	Logger *slog.Logger
}

// Runtime runs containers. It implements host.Runtime and host.Listener.
type Runtime struct {
	cfg   Config
	api   *client.Client
	pools subnet.Pools

	ctx    context.Context // of what goes on beside calls; ends with Close
	cancel context.CancelFunc
	beside sync.WaitGroup

	adopted sync.Once // what earlier processes made

	networking sync.Mutex // held while networks are made and removed

	mu         sync.Mutex
	containers map[string]*container // by the id of the task
	cursors    map[string]netip.Addr // per stage: the address that was given out last
}

// container is what this process knows of one.
type container struct {
	address netip.Addr
	created bool // by this process
	started bool // by this process
	asked   bool // this process told it to end
	log     *follower
}

var (
	_ host.Runtime  = (*Runtime)(nil)
	_ host.Listener = (*Runtime)(nil)

	instanceShape = regexp.MustCompile(`^[0-9a-f]{8}$`)
)

// New opens the runtime and adopts the networks that an earlier process left. Docker must answer.
func New(ctx context.Context, cfg Config) (*Runtime, error) {
	if !instanceShape.MatchString(cfg.Instance) {
		return nil, fmt.Errorf("open Docker engine: the instance %q is not 8 hexadecimal digits", cfg.Instance)
	}
	pools, err := subnet.NewPools(cfg.Subnets, cfg.Instance)
	if err != nil {
		return nil, fmt.Errorf("open Docker engine: %w", err)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	api, err := dial(cfg.Host)
	if err != nil {
		return nil, err
	}
	if err := ping(ctx, api); err != nil {
		return nil, errors.Join(err, api.Close())
	}
	r := &Runtime{cfg: cfg, api: api, pools: pools, containers: map[string]*container{}, cursors: map[string]netip.Addr{}}
	r.ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if err := r.reopen(ctx); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	r.beside.Go(r.keep)
	return r, nil
}

// Close leaves all containers as they are. Lines that they write from now on are fetched by the next process.
func (r *Runtime) Close() error {
	r.cancel()
	r.beside.Wait()
	return r.api.Close()
}

// dial makes a client. Which version of the API is spoken is agreed on with the first request.
func dial(address string) (*client.Client, error) {
	options := []client.Opt{client.FromEnv}
	if address != "" {
		options = append(options, client.WithHost(address))
	}
	api, err := client.New(options...)
	if err != nil {
		return nil, fmt.Errorf("reach Docker at %s: %w", address, err)
	}
	return api, nil
}

const pingLimit = 5 * time.Second

func ping(ctx context.Context, api *client.Client) error {
	ctx, cancel := context.WithTimeout(ctx, pingLimit)
	defer cancel()
	answer, err := api.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true})
	if err != nil {
		return fmt.Errorf("reach Docker at %s: %w", api.DaemonHost(), err)
	}
	if answer.OSType != "" && answer.OSType != "linux" {
		return fmt.Errorf("the Docker at %s runs containers of %s, not of Linux", api.DaemonHost(), answer.OSType)
	}
	return nil
}

// Check says why the engine cannot be had: Docker does not answer at address (empty: the usual one), or this process may
// not do what the gateways of networks need.
func Check(ctx context.Context, address string) error {
	api, err := dial(address)
	if err != nil {
		return err
	}
	return errors.Join(ping(ctx, api), api.Close(), checkRights())
}

// checkRights looks for what the packet filter and the addresses of private names need.
func checkRights() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return fmt.Errorf("read the capabilities of setopsd: %w", err)
	}
	if data[0].Effective&(1<<unix.CAP_NET_ADMIN) == 0 {
		return errors.New("setopsd does not run as root (CAP_NET_ADMIN), which keeping stages off the host needs")
	}
	return nil
}

// known gives what is known of a container, and begins to know it.
func (r *Runtime) known(id string) *container {
	c := r.containers[id]
	if c == nil {
		c = &container{}
		r.containers[id] = c
	}
	return c
}

// diskFull lets the supervisor recognise a full disk, of which Docker tells by text.
func diskFull(err error) error {
	if err != nil && noSpace.MatchString(err.Error()) {
		return fmt.Errorf("%w: %w", err, syscall.ENOSPC)
	}
	return err
}

var noSpace = regexp.MustCompile(`(?i)no space left on device|disk quota exceeded`)
