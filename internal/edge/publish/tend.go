package publish

import (
	"context"
	"errors"

	"github.com/setopsco/setops/internal/edge/published"
)

// tend says that routers have everything as soon as they have, and puts back from time to time what others have changed.
func (p *Publisher) tend() {
	for p.ctx.Err() == nil {
		err := p.settle(p.ctx)
		pause := p.cfg.Look
		if err != nil && p.ctx.Err() == nil {
			p.cfg.Logger.Warn("it is not known what routers have; it is looked at again", "error", err)
			pause = p.cfg.Retry
		}
		if errors.Is(err, errSucceeded) {
			p.giveUp()
			return
		}
		if !p.pause(pause) {
			return
		}
	}
}

// settle waits until all is written, removes what nobody wants, and says that routers have everything.
func (p *Publisher) settle(ctx context.Context) error {
	if err := p.await(ctx, func() bool {
		for _, e := range p.entries {
			if e.written != e.number {
				return false
			}
		}
		return true
	}); err != nil {
		return err
	}
	for _, kind := range []published.Kind{published.KindStage, published.KindCertificate, published.KindKey} {
		if err := p.look(ctx, kind); err != nil {
			return err
		}
	}
	return p.sayComplete(ctx)
}

// look compares what is there of a kind with what is wanted.
func (p *Publisher) look(ctx context.Context, kind published.Kind) error {
	there, err := p.cfg.Objects.List(ctx, kind)
	if err != nil {
		return err
	}
	found := map[string]published.Object{}
	for _, o := range there {
		if o.Version.Term > p.term {
			return errSucceeded
		}
		found[o.Name] = o
	}
	for _, o := range p.compare(kind, found) {
		if err := p.cfg.Objects.Delete(ctx, o); err != nil && !errors.Is(err, published.ErrNone) && !errors.Is(err, published.ErrChanged) {
			return err
		}
	}
	return nil
}

// compare has written again what others have touched, and gives what is to go.
func (p *Publisher) compare(kind published.Kind, found map[string]published.Object) (left []published.Object) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, o := range found {
		if e := p.entries[name]; e == nil || e.gone() && e.written == e.number {
			left = append(left, o)
		}
	}
	for name, e := range p.entries {
		if e.want.Kind != kind || e.gone() || e.written != e.number || found[name].Resource == e.resource {
			continue
		}
		if found[name].Version.Number > e.written {
			continue // written since the list was made
		}
		p.cfg.Logger.Warn("somebody has changed or deleted what routers follow; it is put back", "object", name)
		e.resource = ""
		e.number++
		p.begin(e)
	}
	return left
}

// sayComplete lets routers that start take the table for whole.
func (p *Publisher) sayComplete(ctx context.Context) error {
	o, err := p.cfg.Objects.Get(ctx, published.KindIndex, published.IndexName)
	switch {
	case errors.Is(err, published.ErrNone):
		o = published.Object{} // somebody has deleted it
	case err != nil:
		return err
	case o.Version.Term > p.term:
		return errSucceeded
	}
	if is, err := published.ReadIndex(o); o.Resource != "" && err == nil && is.Complete && o.Resource == p.index.Resource {
		return nil
	}
	err = p.writeIndex(ctx, o, true)
	if errors.Is(err, published.ErrChanged) {
		return nil // the next look sees who it was
	}
	return err
}

// await waits until what is asked under the lock is so. It fails where ctx ends, and where another one writes.
func (p *Publisher) await(ctx context.Context, is func() bool) error {
	for {
		p.mu.Lock()
		done, succeeded, changed := is(), p.succeeded || p.closed, p.changed
		p.mu.Unlock()
		switch {
		case done:
			return nil
		case succeeded:
			return errSucceeded
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
