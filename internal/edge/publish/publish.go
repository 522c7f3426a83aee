// Package publish is setopsd's side of the routers that run beside it: it writes routes and certificates where they are followed,
// and waits for the routers where a task is to end. It routes nothing.
//
// What is to be there is kept in memory; a goroutine per object writes the newest of it until the cluster has it. Only the
// setopsd with the newest term writes. Start with Open, Set and Complete; drain.go asks the routers.
package publish

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/setopsco/setops/internal/edge/published"
	"github.com/setopsco/setops/internal/routing"
)

// Replicas tells where the routers answer setopsd.
type Replicas interface {
	// Replicas gives HOST:PORT of each that may have requests in flight.
	Replicas(ctx context.Context) ([]string, error)
}

// Config is what a Publisher needs; all but the durations.
type Config struct {
	Objects      published.Objects
	Replicas     Replicas
	Installation string
	Key          string // by which routers know this server
	APIHost      string // empty: there is no TLS
	Authorities  []byte
	Logger       *slog.Logger

	Retry time.Duration // before what the cluster refused is tried again; default 1 s
	Look  time.Duration // between looks at what is there; default 1 min
	// Adopt is how long an app that has fewer tasks than the server before has published is waited for; default 30 s: a server
	// that starts may have to learn first that they are well.
	Adopt time.Duration
}

// Publisher implements routing.Router.
type Publisher struct {
	cfg    Config
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	term  int64                     // of this server
	index published.Object          // as it was written last; of claim and tend alone
	found map[string]routing.Routes // by name: what the server before has published; nil: nothing of it counts any more

	mu        sync.Mutex
	complete  bool // all is said that is to be there: only now it is written
	succeeded bool // another setopsd writes
	closed    bool
	entries   map[string]*entry // by name
	changed   chan struct{}     // closed when something was written
}

// Open takes the right to write away from whoever had it before. Nothing of what is there changes.
func Open(ctx context.Context, cfg Config) (*Publisher, error) {
	if cfg.Retry <= 0 {
		cfg.Retry = time.Second
	}
	if cfg.Look <= 0 {
		cfg.Look = time.Minute
	}
	if cfg.Adopt <= 0 {
		cfg.Adopt = 30 * time.Second
	}
	p := &Publisher{cfg: cfg, entries: map[string]*entry{}, found: map[string]routing.Routes{}, changed: make(chan struct{})}
	if err := p.claim(ctx); err != nil {
		return nil, fmt.Errorf("publish routes for the routers beside this server: %w", err)
	}
	p.ctx, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keep(published.Key(cfg.Key, published.Version{}))
	return p, nil
}

// Close ends writing. What is there stays.
func (p *Publisher) Close() error {
	p.mu.Lock()
	p.closed = true
	p.announce()
	p.mu.Unlock()
	p.cancel()
	p.wg.Wait()
	return nil
}

// claim begins a term, which is newer than that of anything that is there.
func (p *Publisher) claim(ctx context.Context) error {
	for {
		err := p.tryClaim(ctx)
		if !errors.Is(err, published.ErrChanged) || ctx.Err() != nil {
			return err
		}
	}
}

func (p *Publisher) tryClaim(ctx context.Context) error {
	old, err := p.cfg.Objects.Get(ctx, published.KindIndex, published.IndexName)
	none := errors.Is(err, published.ErrNone)
	if err != nil && !none {
		return err
	}
	was := published.Index{Installation: p.cfg.Installation}
	if !none {
		if was, err = published.ReadIndex(old); err != nil {
			return err
		}
	}
	if was.Installation != p.cfg.Installation {
		return fmt.Errorf("they belong to the installation %s and not to %s; give each its own namespace with --router-namespace",
			was.Installation, p.cfg.Installation)
	}
	newest := old.Version.Term
	for _, kind := range published.Kinds {
		all, err := p.cfg.Objects.List(ctx, kind)
		if err != nil {
			return err
		}
		for _, o := range all {
			newest = max(newest, o.Version.Term)
			p.find(o)
		}
	}
	p.term = newest + 1
	return p.writeIndex(ctx, old, was.Complete)
}

// writeIndex writes it over the one that was read.
func (p *Publisher) writeIndex(ctx context.Context, old published.Object, complete bool) error {
	o, err := published.Index{
		Installation: p.cfg.Installation, Complete: complete, APIHost: p.cfg.APIHost, Authorities: string(p.cfg.Authorities),
	}.Object(published.Version{Term: p.term, Number: old.Version.Number + 1})
	if err != nil {
		return err
	}
	write := p.cfg.Objects.Create
	if old.Resource != "" {
		write, o.Resource = p.cfg.Objects.Update, old.Resource
	}
	p.index, err = write(ctx, o)
	return err
}

// Set implements routing.Router. It returns before anything is written.
func (p *Publisher) Set(owner string, routes routing.Routes) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(routes.Apps) == 0 {
		p.drop(published.KindStage, published.StageName(owner))
		return
	}
	o, err := published.Stage{ID: owner, Routes: routes}.Object(published.Version{})
	if err != nil { // it is made of texts and numbers
		p.cfg.Logger.Error("publish routes", "stage", owner, "error", err)
		return
	}
	p.keep(o)
}

// Certificate is a name's in PEM.
type Certificate struct{ Chain, Key []byte }

// SetCertificates says which names are served by TLS, and with what.
func (p *Publisher) SetCertificates(all map[string]Certificate) {
	p.mu.Lock()
	defer p.mu.Unlock()
	wanted := map[string]bool{}
	for host, c := range all {
		o := published.Certificate(host, c.Chain, c.Key, published.Version{})
		wanted[o.Name] = true
		p.keep(o)
	}
	for name, e := range p.entries {
		if e.want.Kind == published.KindCertificate && !wanted[name] {
			p.drop(e.want.Kind, name)
		}
	}
}

// Complete says that Set and SetCertificates were called for all that is to be there. It is written from now on, and what else is
// there of former times goes.
func (p *Publisher) Complete() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.complete || p.closed {
		return
	}
	p.complete = true
	p.beginAll()
	p.wg.Go(p.tend)
	p.wg.Go(func() {
		if p.pause(p.cfg.Adopt) {
			p.adopted()
		}
	})
}

// beginAll has everything written that is not. p.mu is held.
func (p *Publisher) beginAll() {
	for _, e := range p.entries {
		p.begin(e)
	}
}
