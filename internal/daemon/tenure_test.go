package daemon

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

func TestAKeeperIsGoneWhenNothingWasHeardOfItByTheClockOfWhoLooks(t *testing.T) {
	now := time.Now()
	said := func(until time.Duration) setops.Keeper { return setops.Keeper{Machine: "a", Until: now.Add(until)} }
	var s sighting
	for _, step := range []struct {
		after time.Duration
		has   setops.Keeper
		gone  bool
	}{
		{0, said(-time.Hour), false}, // its clock is behind: that says nothing
		{keeperLife - 1, said(-time.Hour), false},
		{keeperLife - 1, said(-time.Minute), false}, // it has said so again
		{keeperLife + keeperLife - 2, said(-time.Minute), false},
		{keeperLife + keeperLife - 1, said(-time.Minute), true},
		{keeperLife + keeperLife - 1, said(time.Hour), false},
		{keeperLife + keeperLife, setops.Keeper{Machine: "a", Gone: true}, true},
	} {
		if gone := s.look(step.has, now.Add(step.after)); gone != step.gone {
			t.Errorf("after %s, %+v: gone is %t", step.after, step.has, gone)
		}
	}
}

func TestATenureEnds(t *testing.T) {
	var k tenure
	if err := k.holds(); !errors.Is(err, errNoTenure) {
		t.Errorf("before it: %v", err)
	}
	k.extend(time.Now().Add(time.Hour))
	if err := k.holds(); err != nil {
		t.Errorf("within: %v", err)
	}
	k.extend(time.Now())
	if err := k.holds(); !errors.Is(err, errNoTenure) {
		t.Errorf("behind it: %v", err)
	}
}

// When the database answers again the next who needs it finds that out, and those beside him with him.
func TestATenureThatIsOverIsAskedForAgain(t *testing.T) {
	var k tenure
	asked := 0
	down := errors.New("no answer")
	if err := k.holdsOr(func() error { asked++; return down }); !errors.Is(err, errNoTenure) || asked != 1 {
		t.Errorf("without a database: %v, asked %d times", err, asked)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			err := k.holdsOr(func() error {
				asked++
				k.extend(time.Now().Add(time.Hour))
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if asked != 2 {
		t.Errorf("it was asked for %d times", asked)
	}
}
