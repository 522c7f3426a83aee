//go:build linux

package network

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"sync"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/gateway"
	"github.com/setopsco/setops/internal/engine/nft"
	"github.com/setopsco/setops/internal/engine/subnet"
)

// Config says whose networks these are and which addresses they may take.
type Config struct {
	Dir      string // of this Network alone; made by New
	Instance string // 8 lower-case hexadecimal digits; the first 6 are part of every name in the kernel

	// Subnets is the pool that stages get /24 networks of, IPv4, at most /24 long; zero: 10.213.0.0/16. Networks that
	// the host has a route to are left out; when none is left, other private ranges are used.
	Subnets netip.Prefix

	// What the gateways of the stages are made from; see gateway.Config.
	Domain     string
	ResolvConf string
	Serve      engine.Serve
	Sockets    engine.Sockets

	Logger *slog.Logger
}

// Network is the networks of one server on this host. It is safe for concurrent use; only one may use a directory.
type Network struct {
	cfg      Config
	log      *slog.Logger
	pools    subnet.Pools
	gateways *gateway.Gateways

	mu        sync.Mutex      // guards all below and the packet filter
	changed   *sync.Cond      // on mu: an id has left busy
	busy      map[string]bool // containers that are being attached or detached, which is done without mu
	stages    map[string]*stage
	endpoints map[string]endpoint
	cursor    map[string]netip.Addr // per stage: the address given out last
	mark      nft.Mark              // set when the packet filter was found right
	intact    map[string]int        // stages whose network was found right, with the number of the bridge's interface
	firewall  nft.Firewall
	warned    map[string]bool
}

var instanceShape = regexp.MustCompile(`^[0-9a-f]{8}$`)

// New opens the networks in cfg.Dir. It removes what an earlier process left half made and serves names again in the
// stages that have a bridge. A stage that lost its bridge (a reboot) gets it back by EnsureStage.
func New(cfg Config) (*Network, error) {
	if !instanceShape.MatchString(cfg.Instance) {
		return nil, fmt.Errorf("open networks: the instance %q is not 8 hexadecimal digits", cfg.Instance)
	}
	pools, err := subnet.NewPools(cfg.Subnets, cfg.Instance)
	if err != nil {
		return nil, fmt.Errorf("open networks: %w", err)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("open networks: %w", err)
	}
	cfg.Dir = dir
	n := &Network{
		cfg: cfg, log: cfg.Logger, pools: pools, intact: map[string]int{},
		stages: map[string]*stage{}, endpoints: map[string]endpoint{}, cursor: map[string]netip.Addr{},
		warned: map[string]bool{}, busy: map[string]bool{},
	}
	n.changed = sync.NewCond(&n.mu)
	if err := n.load(); err != nil {
		return nil, err
	}
	n.gateways, err = gateway.New(gateway.Config{
		Dir: n.gatewaysDir(), Instance: cfg.Instance, Domain: cfg.Domain, ResolvConf: cfg.ResolvConf,
		Serve: cfg.Serve, Sockets: cfg.Sockets, Logger: cfg.Logger,
	})
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.removeOrphans(); err != nil {
		return nil, fmt.Errorf("clean up networks: %w", err)
	}
	n.resume()
	return n, nil
}

// Close stops serving names and waits for the goroutines that do. Bridges and namespaces stay: containers use them.
func (n *Network) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.gateways.Close()
}

// resume brings back what lives in this process, for stages that are there. A fault of one stage is no reason not to
// start: EnsureStage tells it to whoever needs the stage.
func (n *Network) resume() {
	ctx := context.Background()
	live := 0
	for _, s := range n.stages {
		if !linkExists(s.Bridge) {
			continue
		}
		live++
		if err := n.openGateway(ctx, s); err != nil {
			n.log.Warn("names are not served on a stage's network", "stage", s.ID, "err", err)
		}
	}
	if live == 0 {
		return
	}
	if err := n.replaceRules(); err != nil {
		n.log.Warn("the rules of the stages' networks could not be renewed", "err", err)
	}
	n.passFirewall(ctx)
}

// warnOnce keeps a shortcoming of the kernel from filling the log.
func (n *Network) warnOnce(msg string, err error) {
	if !n.warned[msg] {
		n.warned[msg] = true
		n.log.Warn(msg, "err", err)
	}
}

func (n *Network) short() string        { return n.cfg.Instance[:6] }
func (n *Network) bridgePrefix() string { return "so" + n.short() + "-" }
func (n *Network) vethPrefix() string   { return "sv" + n.short() }
func (n *Network) table() string        { return "setops-" + n.cfg.Instance }

func (n *Network) gatewaysDir() string  { return filepath.Join(n.cfg.Dir, "gateways") }
func (n *Network) stagesDir() string    { return filepath.Join(n.cfg.Dir, "stages") }
func (n *Network) endpointsDir() string { return filepath.Join(n.cfg.Dir, "endpoints") }
func (n *Network) netnsDir() string     { return filepath.Join(n.cfg.Dir, "netns") }

func (n *Network) netnsPath(containerID string) string {
	return filepath.Join(n.netnsDir(), containerID)
}

func (n *Network) makeDirs() error {
	for _, d := range []string{n.stagesDir(), n.endpointsDir(), n.netnsDir()} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return fmt.Errorf("open networks: %w", err)
		}
	}
	return nil
}
