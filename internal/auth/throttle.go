package auth

import (
	"sync"
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

type throttle struct {
	now func() time.Time
	mu  sync.Mutex
	by  map[string]*tries
}

type tries struct {
	wrong int
	last  time.Time
}

func newThrottle(now func() time.Time) *throttle {
	return &throttle{now: now, by: map[string]*tries{}}
}

// wait tells how long the next try has to wait; 0: it may come now.
func (t *throttle) wait(key string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.by[key]
	if e == nil || e.wrong < freeTries {
		return 0
	}
	pause := min(firstWait<<min(e.wrong-freeTries, 10), longestWait)
	return max(0, e.last.Add(pause).Sub(t.now()))
}

func (t *throttle) failed(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget()
	e := t.by[key]
	if e == nil {
		e = &tries{}
		t.by[key] = e
	}
	e.wrong++
	e.last = t.now()
}

func (t *throttle) succeeded(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.by, key)
}

// forget keeps the table small: whoever tries many names fills it only so far.
func (t *throttle) forget() {
	oldest, when := "", t.now()
	for key, e := range t.by {
		if t.now().Sub(e.last) > forgetAfter {
			delete(t.by, key)
			continue
		}
		if e.last.Before(when) {
			oldest, when = key, e.last
		}
	}
	if len(t.by) >= tracked {
		delete(t.by, oldest)
	}
}
