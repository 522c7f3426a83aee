package changeset_test

import (
	"testing"

	"github.com/setopsco/setops/internal/changeset"
)

// lives are all that can be reached from the beginning of a commit, with the events that can happen in each.
func lives() map[changeset.Life]map[changeset.Event]changeset.Life {
	all := map[changeset.Life]map[changeset.Event]changeset.Life{}
	for next := []changeset.Life{{State: changeset.Queued}}; len(next) > 0; next = next[1:] {
		if all[next[0]] != nil {
			continue
		}
		all[next[0]] = map[changeset.Event]changeset.Life{}
		for _, e := range changeset.Events() {
			if l, ok := next[0].On(e); ok {
				all[next[0]][e] = l
				next = append(next, l)
			}
		}
	}
	return all
}

// ends reports whether a commit ends when nobody helps but the servers: they claim, take over, and do their work.
func ends(l changeset.Life, all map[changeset.Life]map[changeset.Event]changeset.Life, depth int) bool {
	if l.State.Ended() {
		return true
	}
	for _, e := range []changeset.Event{
		changeset.Claim, changeset.LeaseIsOver, changeset.TakeOver, changeset.Pass, changeset.EndDone, changeset.EndUndone,
	} {
		if next, ok := all[l][e]; ok && depth > 0 && ends(next, all, depth-1) {
			return true
		}
	}
	return false
}

func TestEveryLifeOfACommitReachesAnEnd(t *testing.T) {
	t.Parallel()
	all := lives()
	for l := range all {
		if !ends(l, all, 6) {
			t.Errorf("%+v never ends", l)
		}
	}
	if len(all) < 10 {
		t.Errorf("only %d lives were reached", len(all))
	}
}

func TestNothingHappensToACommitThatHasEnded(t *testing.T) {
	t.Parallel()
	for l, events := range lives() {
		if l.State.Ended() && len(events) > 0 {
			t.Errorf("%+v: %v", l, events)
		}
	}
}

func TestNoLockOutlivesItsOwner(t *testing.T) {
	t.Parallel()
	for l, events := range lives() {
		if l.State != changeset.Running || l.Owned {
			continue
		}
		// Whoever is dead keeps the stage until the lease is over, and not longer.
		_, expires := events[changeset.LeaseIsOver]
		taken, takes := events[changeset.TakeOver]
		if l.Leased && !expires || !l.Leased && (!takes || !taken.Owned) {
			t.Errorf("%+v: %v", l, events)
		}
	}
}

func TestWhatIsCancelledNeverPassesAndWhatHasPassedIsNeverUndone(t *testing.T) {
	t.Parallel()
	for l, events := range lives() {
		if _, can := events[changeset.Pass]; can && l.Cancelled {
			t.Errorf("%+v passes", l)
		}
		if l.Passed && l.Cancelled {
			t.Errorf("%+v is reached", l)
		}
		for _, e := range []changeset.Event{changeset.EndUndone, changeset.Cancel} {
			if _, can := events[e]; can && l.Passed {
				t.Errorf("%+v: %s", l, e)
			}
		}
		if l.State == changeset.Done && !l.Passed || l.State == changeset.Failed && l.Passed {
			t.Errorf("%+v is reached", l)
		}
	}
}

func TestOnlyAProcessWhoseLeaseHoldsWritesTheEnd(t *testing.T) {
	t.Parallel()
	for l, events := range lives() {
		for _, e := range []changeset.Event{changeset.Pass, changeset.EndDone, changeset.EndUndone} {
			if _, can := events[e]; can && (!l.Owned || !l.Leased) {
				t.Errorf("%+v: %s", l, e)
			}
		}
	}
}
