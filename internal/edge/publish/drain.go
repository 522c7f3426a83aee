package publish

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/setopsco/setops/internal/edge/published"
)

const (
	askLimit = published.LongestAnswer + 2*time.Second // for one answer of a router
	askAgain = 200 * time.Millisecond                  // after an answer that was none

	// A drain without a deadline ends none the less.
	longestDrain = time.Minute
)

var client = &http.Client{
	Timeout: askLimit,
	// A router that has died must not be asked over a connection that was made to it before.
	Transport: &http.Transport{DisableKeepAlives: true, Proxy: nil},
}

// Drain implements routing.Router: it returns when every router has routes of the task's stage without it, and nothing in flight
// to it. A router that is gone is not waited for.
func (p *Publisher) Drain(ctx context.Context, owner, taskID string) error {
	if err := p.reach(ctx, published.Drain{Stage: owner, Task: taskID}); err != nil {
		return fmt.Errorf("have routers drain %s: %w", taskID, err)
	}
	return nil
}

// Reached returns when every router has the routes of a stage that were Set last.
func (p *Publisher) Reached(ctx context.Context, owner string) error {
	p.mu.Lock()
	begun := p.complete
	p.mu.Unlock()
	if !begun {
		return nil // what a server finds at its start was switched before
	}
	if err := p.reach(ctx, published.Drain{Stage: owner}); err != nil {
		return fmt.Errorf("have routers take the routes of stage %s: %w", owner, err)
	}
	return nil
}

func (p *Publisher) reach(ctx context.Context, d published.Drain) error {
	until, limited := ctx.Deadline()
	if !limited {
		until = time.Now().Add(longestDrain)
	}
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	if err := p.await(ctx, func() bool { return p.isWritten(d.Stage) }); err != nil {
		return err
	}
	done := map[string]bool{}
	for {
		all, err := p.cfg.Replicas.Replicas(ctx)
		if err == nil {
			p.describe(&d)
			d.Within = time.Until(until)
			err = p.askAll(ctx, all, done, d)
		}
		if err == nil {
			return nil
		}
		select {
		case <-time.After(askAgain):
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-p.ctx.Done():
			return errors.Join(p.ctx.Err(), err)
		}
	}
}

// isWritten reports whether what is wanted of a stage is in the cluster. p.mu is held.
func (p *Publisher) isWritten(stageID string) bool {
	e := p.entries[published.StageName(stageID)]
	return e == nil || e.written == e.number
}

// describe says which routes are to be reached: those that were written last, which may be newer than those waited for.
func (p *Publisher) describe(d *published.Drain) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d.Version, d.Removed = published.Version{Term: p.term}, true
	if e := p.entries[published.StageName(d.Stage)]; e != nil {
		d.Version.Number, d.Removed = e.written, e.gone()
	}
}

// askAll asks the routers that are not done, at the same time. It returns nil when all of them are.
func (p *Publisher) askAll(ctx context.Context, addresses []string, done map[string]bool, d published.Drain) error {
	var mu sync.Mutex
	var asking sync.WaitGroup
	var all []error
	for _, address := range slices.DeleteFunc(addresses, func(a string) bool { return done[a] }) {
		asking.Go(func() {
			err := p.ask(ctx, address, d)
			mu.Lock()
			defer mu.Unlock()
			done[address] = err == nil
			all = append(all, err)
		})
	}
	asking.Wait()
	return errors.Join(all...)
}

// ask returns nil where a router is done.
func (p *Publisher) ask(ctx context.Context, address string, d published.Drain) error {
	body, err := json.Marshal(d)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+published.DrainPath, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+p.cfg.Key)
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }() // it was read as far as it matters
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
	if answer.StatusCode != http.StatusNoContent {
		return fmt.Errorf("the router at %s: %s", address, bytes.TrimSpace(text))
	}
	return nil
}
