package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// After freeTries wrong passwords for one user from one address each further one doubles the time until the next try, from
// firstWait up to longestWait. Other users and addresses are not touched, so that nobody locks a user out from elsewhere.
// What was not tried for forgetAfter is forgotten.
const (
	freeTries   = 5
	firstWait   = time.Second
	longestWait = time.Minute
	forgetAfter = 15 * time.Minute
	tracked     = 10_000 // users; more than that are forgotten oldest first
)

// Tries remembers what was wrong, for all servers on one database.
type Tries interface {
	// Tries tells how often it was wrong, and when last.
	Tries(ctx context.Context, hash string) (wrong int, last time.Time, err error)
	// AddTry counts one more. It forgets those before a moment, and the oldest where there are most already.
	AddTry(ctx context.Context, hash string, now, forget time.Time, most int) error
	ForgetTries(ctx context.Context, hash string) error
}

type throttle struct {
	store Tries
	now   func() time.Time
}

// hashed is how a key is kept: people type passwords where their address belongs.
func hashed(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// wait tells how long the next try has to wait; 0: it may come now.
func (t throttle) wait(ctx context.Context, key string) (time.Duration, error) {
	wrong, last, err := t.store.Tries(ctx, hashed(key))
	if err != nil || wrong < freeTries || t.now().Sub(last) > forgetAfter {
		return 0, err
	}
	pause := min(firstWait<<min(wrong-freeTries, 10), longestWait)
	return max(0, last.Add(pause).Sub(t.now())), nil
}

func (t throttle) failed(ctx context.Context, key string) error {
	return t.store.AddTry(context.WithoutCancel(ctx), hashed(key), t.now(), t.now().Add(-forgetAfter), tracked)
}

func (t throttle) succeeded(ctx context.Context, key string) error {
	wrong, _, err := t.store.Tries(ctx, hashed(key))
	if err != nil || wrong == 0 {
		return err
	}
	return t.store.ForgetTries(ctx, hashed(key))
}
