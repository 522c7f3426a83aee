package publish

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/setopsco/setops/internal/edge/published"
)

// errSucceeded is why nothing is written any more.
var errSucceeded = errors.New("another setopsd publishes routes now")

// entry is an object as it is to be, and how far it is written.
type entry struct {
	want     published.Object // without data: it is to be gone
	number   int64            // of what is wanted
	written  int64            // number of what the cluster has
	resource string           // the cluster's version of that; empty: it is not known, or there is nothing
	writing  bool             // a goroutine is at it
}

func (e *entry) gone() bool { return e.want.Data == nil }

// keep has an object be there. p.mu is held.
func (p *Publisher) keep(o published.Object) {
	e := p.entries[o.Name]
	if e == nil {
		e = &entry{}
		p.entries[o.Name] = e
	} else if maps.EqualFunc(e.want.Data, o.Data, slices.Equal) {
		return
	}
	p.change(e, o)
}

// drop has an object be gone. p.mu is held.
func (p *Publisher) drop(kind published.Kind, name string) {
	if e := p.entries[name]; e != nil && !e.gone() {
		p.change(e, published.Object{Kind: kind, Name: name})
	}
}

func (p *Publisher) change(e *entry, o published.Object) {
	e.want = o
	e.number++
	p.begin(e)
}

// begin has a goroutine write an entry, unless one does. p.mu is held.
func (p *Publisher) begin(e *entry) {
	if !p.complete || p.closed || p.succeeded || e.writing || e.written == e.number || p.waits(e) {
		return
	}
	e.writing = true
	p.wg.Go(func() { p.write(e) })
}

// write goes on until the cluster has what is wanted by then.
func (p *Publisher) write(e *entry) {
	for {
		o, number, more := p.next(e)
		if !more {
			return
		}
		resource, err := p.put(p.ctx, o)
		switch {
		case err == nil:
			p.wrote(e, number, resource)
		case errors.Is(err, errSucceeded):
			p.giveUp()
		case p.ctx.Err() == nil:
			p.cfg.Logger.Warn("routers do not get what is new; it is tried again", "object", o.Name, "error", err)
			p.pause(p.cfg.Retry)
		}
	}
}

// next is what is to be written; more is false where nothing is.
func (p *Publisher) next(e *entry) (o published.Object, number int64, more bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.written == e.number || p.succeeded || p.closed {
		e.writing = false
		return o, 0, false
	}
	o = e.want
	o.Resource = e.resource
	o.Version = published.Version{Term: p.term, Number: e.number}
	return o, e.number, true
}

func (p *Publisher) wrote(e *entry, number int64, resource string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e.written, e.resource = number, resource
	p.announce()
}

// giveUp leaves writing to another one.
func (p *Publisher) giveUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.succeeded {
		p.cfg.Logger.Warn("another setopsd publishes the routes now; this one does not any more")
	}
	p.succeeded = true
	p.announce()
}

// announce wakes who waits for something to be written. p.mu is held.
func (p *Publisher) announce() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// put writes an object over the version that is known of it, or else over whatever is there that is not newer.
func (p *Publisher) put(ctx context.Context, o published.Object) (resource string, err error) {
	for {
		resource, err = p.putOver(ctx, o)
		if !errors.Is(err, published.ErrChanged) && !errors.Is(err, published.ErrNone) {
			return resource, err
		}
		there, err := p.cfg.Objects.Get(ctx, o.Kind, o.Name)
		switch {
		case errors.Is(err, published.ErrNone):
			o.Resource = ""
			if o.Data == nil {
				return "", nil
			}
		case err != nil:
			return "", err
		case there.Version.Term > o.Version.Term:
			return "", errSucceeded
		default:
			o.Resource = there.Resource
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
	}
}

func (p *Publisher) putOver(ctx context.Context, o published.Object) (string, error) {
	switch {
	case o.Data == nil && o.Resource == "":
		return "", published.ErrChanged // look what is there
	case o.Data == nil:
		return "", p.cfg.Objects.Delete(ctx, o)
	case o.Resource == "":
		made, err := p.cfg.Objects.Create(ctx, o)
		return made.Resource, err
	}
	written, err := p.cfg.Objects.Update(ctx, o)
	return written.Resource, err
}

// pause waits, and reports whether to go on.
func (p *Publisher) pause(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-p.ctx.Done():
		return false
	}
}
