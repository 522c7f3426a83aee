//go:build linux

package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/lookup"
	"github.com/setopsco/setops/internal/engine/nft"
)

// Config is what gateways are made from. Dir and Instance must be set.
type Config struct {
	Dir      string // of these gateways alone; made by New
	Instance string // 8 lower-case hexadecimal digits, part of the packet filter table's name
	Domain   string // all private names end in .DOMAIN.internal; empty: in .internal

	// ResolvConf lists the servers that other names are asked of; empty: /etc/resolv.conf. It is read again when it changes.
	ResolvConf string

	Serve   engine.Serve   // answers connections to private names; nil: there are no private names
	Sockets engine.Sockets // makes sockets; nil: they are made here
	Logger  *slog.Logger
}

// Stage is the host's end of a stage's network. The bridge is there and has the address.
type Stage struct {
	ID      string
	Bridge  string       // the name of its interface
	Subnet  netip.Prefix // IPv4, a /24
	Address netip.Addr   // of the gateway
	// Taken are those of the addresses for private names that tasks have all the same; see subnet.FirstFront.
	Taken []netip.Addr
}

func (s Stage) same(o Stage) bool {
	return s.ID == o.ID && s.Bridge == o.Bridge && s.Subnet == o.Subnet && s.Address == o.Address && slices.Equal(s.Taken, o.Taken)
}

// Gateways are those of all stages of one server. They are safe for concurrent use; only one may use a directory.
type Gateways struct {
	cfg      Config
	log      *slog.Logger
	resolver *lookup.Resolver

	mu       sync.Mutex // guards all below, places included, and the packet filter table
	places   map[string]*place
	mark     nft.Mark // set when the table was found right
	made     bool     // the table's rules are those of this process
	firewall nft.Firewall
	warned   map[string]bool
}

var instanceShape = regexp.MustCompile(`^[0-9a-f]{8}$`)

// New reads which addresses private names have. It opens no gateway.
func New(cfg Config) (*Gateways, error) {
	if !instanceShape.MatchString(cfg.Instance) {
		return nil, fmt.Errorf("open gateways: the instance %q is not 8 hexadecimal digits", cfg.Instance)
	}
	if cfg.ResolvConf == "" {
		cfg.ResolvConf = "/etc/resolv.conf"
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Sockets == nil {
		cfg.Sockets = ownSockets{}
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("open gateways: %w", err)
	}
	cfg.Dir = dir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open gateways: %w", err)
	}
	g := &Gateways{
		cfg: cfg, log: cfg.Logger, resolver: lookup.NewResolver(cfg.ResolvConf), places: map[string]*place{}, warned: map[string]bool{},
	}
	if cfg.Serve == nil {
		return g, nil
	}
	return g, g.load()
}

// Open makes the stage's gateway answer, or what of it is missing: after a restart, and when the bridge was made anew. It
// costs next to nothing where all is there.
func (g *Gateways) Open(ctx context.Context, s Stage) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.place(s.ID)
	index, err := interfaceIndex(s.Bridge)
	if err != nil {
		return fmt.Errorf("open gateway of stage %s: %w", s.ID, err)
	}
	if p.whole && p.index == index && p.Stage.same(s) && g.filterHolds() {
		return nil
	}
	if p.index != index || p.Bridge != s.Bridge || p.Subnet != s.Subnet || p.Address != s.Address {
		if err := p.close(); err != nil {
			return fmt.Errorf("open gateway of stage %s: %w", s.ID, err)
		}
	}
	gone := ""
	if p.Bridge != s.Bridge {
		gone = p.Bridge
	}
	p.Stage, p.index = s, index
	if err := g.settle(ctx, p, gone); err != nil {
		return fmt.Errorf("open gateway of stage %s: %w", s.ID, err)
	}
	return nil
}

// SetFronts makes exactly these private names resolve on the stage's network, and listens for them. Where the gateway is
// not open yet, Open does it. A name that cannot be served leaves the others as they should be.
func (g *Gateways) SetFronts(ctx context.Context, stageID string, fronts []engine.Front) error {
	if g.cfg.Serve == nil {
		return nil
	}
	if err := g.check(fronts); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.place(stageID)
	if p.whole && p.set && slices.Equal(p.fronts, fronts) && g.filterHolds() {
		return nil
	}
	p.fronts, p.set = slices.Clone(fronts), true
	if p.index == 0 {
		return nil
	}
	if err := g.settle(ctx, p, ""); err != nil {
		return fmt.Errorf("serve private names of stage %s: %w", stageID, err)
	}
	return nil
}

// Shut closes the stage's gateway and forgets its names and their addresses. An unknown stage is no error.
func (g *Gateways) Shut(stageID string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.places[stageID]
	if p == nil { // an earlier process may have died when nothing but the table was left
		p = &place{Stage: Stage{ID: stageID}}
	}
	if err := g.shut(p); err != nil {
		return fmt.Errorf("shut gateway of stage %s: %w", stageID, err)
	}
	return nil
}

func (g *Gateways) shut(p *place) error {
	delete(g.places, p.ID)
	var errs []error
	if p.Bridge != "" { // it was open
		for _, e := range g.passFirewall(context.Background(), p.Bridge) {
			g.warnOnce(noInput, e)
		}
		errs = append(errs, g.syncFilter(p.Bridge))
	}
	if len(g.places) == 0 {
		errs = append(errs, g.dropFilter())
	}
	return errors.Join(append(errs, p.close(), g.forget(p.ID))...)
}

// Close stops answering and waits for the goroutines that do. Rules and addresses stay, as bridges and tasks do.
func (g *Gateways) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var errs []error
	for _, p := range g.places {
		errs = append(errs, p.close())
	}
	return errors.Join(errs...)
}

func (g *Gateways) place(id string) *place {
	p := g.places[id]
	if p == nil {
		p = &place{Stage: Stage{ID: id}, set: true, hosts: map[string]byte{}, doors: map[string]*door{}}
		g.places[id] = p
	}
	return p
}

// warnOnce keeps a shortcoming of the host from filling the log.
func (g *Gateways) warnOnce(msg string, err error) {
	if !g.warned[msg] {
		g.warned[msg] = true
		g.log.Warn(msg, "err", err)
	}
}
