package daemon

import (
	"errors"
	"sync"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// tenure is how long this server is sure to be the one that keeps the tasks of a cluster: until others may take it for gone. It goes by
// this process's own clock, which no other one is compared with.
type tenure struct {
	mu    sync.Mutex
	until time.Time

	renewing sync.Mutex
	failed   time.Time // when it could not be renewed last; guarded by renewing
}

var errNoTenure = errors.New("the database did not take for some seconds that this server keeps the tasks, and another one may do so by now; " +
	"nothing is changed on the cluster until that is known")

func (t *tenure) extend(until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.until = until
}

// holds refuses what only the one may do that keeps the tasks, once this server may be another's predecessor.
func (t *tenure) holds() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !time.Now().Before(t.until) {
		return errNoTenure
	}
	return nil
}

// holdsOr asks for more where the tenure is over: the database may answer again by now. Those who ask meanwhile wait for the answer.
func (t *tenure) holdsOr(renew func() error) error {
	if t.holds() == nil {
		return nil
	}
	began := time.Now()
	t.renewing.Lock()
	defer t.renewing.Unlock()
	if t.holds() != nil && t.failed.Before(began) && renew() != nil {
		t.failed = time.Now()
	}
	return t.holds()
}

// sighting is a keeper as one that stands by sees it: for how long nothing was heard of it, by the clock of who looks.
type sighting struct {
	keeper setops.Keeper
	since  time.Time
}

// look reports whether the keeper that the database has is gone: it says so, or nothing was heard of it for as long as it may be silent.
func (s *sighting) look(has setops.Keeper, now time.Time) (gone bool) {
	if s.since.IsZero() || !s.keeper.Equal(has) {
		*s = sighting{keeper: has, since: now}
	}
	return has.Gone || now.Sub(s.since) >= keeperLife
}
