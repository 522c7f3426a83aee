package idempotency

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// Store remembers requests that were done.
type Store interface {
	// Request gives the digest and the answer of a request that was done since; ok is false where there was none.
	Request(ctx context.Context, id string, since time.Time) (digest, answer string, ok bool, err error)
	// AddRequest remembers one. It is an error where it is there already.
	AddRequest(ctx context.Context, r Request, answer string, now time.Time) error
}

// Keeper recognises requests that come again.
type Keeper struct {
	store  Store
	secret []byte
	now    func() time.Time

	mu   sync.Mutex
	busy map[string]chan struct{} // by Request.ID; closed when it is not worked on any more
}

// NewKeeper makes it. secret is the key of digests and ids.
func NewKeeper(store Store, secret []byte, now func() time.Time) *Keeper {
	return &Keeper{store: store, secret: secret, now: now, busy: map[string]chan struct{}{}}
}

// Request is what a user asks for under a key: the route, and whatever decides what is done.
func (k *Keeper) Request(userID, key, route string, asked any) (Request, error) {
	text, err := json.Marshal(asked)
	if err != nil {
		return Request{}, fmt.Errorf("encode a request: %w", err)
	}
	return Keyed(k.secret, userID, key, route+" "+string(text)), nil
}

// Enter waits until nobody works on the same request in this process, or ctx ends. Call leave when it has been answered.
func (k *Keeper) Enter(ctx context.Context, r Request) (leave func(), err error) {
	for {
		running, mine := k.claim(r.ID)
		if mine {
			return func() { k.leave(r.ID) }, nil
		}
		select {
		case <-running:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (k *Keeper) claim(id string) (running <-chan struct{}, mine bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if running, busy := k.busy[id]; busy {
		return running, false
	}
	k.busy[id] = make(chan struct{})
	return nil, true
}

func (k *Keeper) leave(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	close(k.busy[id])
	delete(k.busy, id)
}

// Answer reads into out what a request was answered when it was done; false: it was not. Errors: ValidationFailed where
// the key was that of another request.
func (k *Keeper) Answer(ctx context.Context, r Request, out any) (bool, error) {
	digest, answer, ok, err := k.store.Request(ctx, r.ID, k.now().Add(-Life))
	switch {
	case err != nil:
		return false, fmt.Errorf("look up a request: %w", err)
	case !ok:
		return false, nil
	case digest != r.Digest:
		return false, Taken()
	}
	if err := json.Unmarshal([]byte(answer), out); err != nil {
		return false, fmt.Errorf("read the answer to a request: %w", err)
	}
	return true, nil
}

// Remember keeps the answer of a request that was done without a Receipt.
func (k *Keeper) Remember(ctx context.Context, r Request, answer any) error {
	text, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("encode the answer to a request: %w", err)
	}
	return k.store.AddRequest(ctx, r, string(text), k.now())
}
