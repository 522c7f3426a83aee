package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

// player does to one commit of a store what a model of it says can happen, and all that it says cannot.
type player struct {
	*testing.T
	*Store
	c     changeset.Commit // as its last owner knows it
	clock time.Time
	alive bool // whether that owner lives
}

// TestTheStoreDoesWhatTheModelOfACommitSays plays every sequence of events, as long as it takes to see all of them.
func TestTheStoreDoesWhatTheModelOfACommitSays(t *testing.T) {
	const longest = 5
	s := withStage(t)
	for n, sequence := range sequences(changeset.Life{State: changeset.Queued}, longest) {
		p := &player{T: t, Store: s, clock: now}
		id := fmt.Sprintf("commit-%d", n)
		stage(t, s, ada, create("app"+fmt.Sprint(n)))
		_, err := s.Enqueue(t.Context(), ticket(id, ada))
		must(t, err)
		p.c.ID, p.c.StageID, p.c.UserEmail = id, "s-1", ada.Email
		life := changeset.Life{State: changeset.Queued}
		for _, e := range sequence {
			next, possible := life.On(e)
			if done := p.play(e); done != possible {
				t.Fatalf("%v: %s of %+v was done: %v", sequence, e, life, done)
			}
			if possible {
				life = next
			}
			p.compare(life, sequence, e)
		}
		p.free(life)
	}
}

// sequences are all lists of events up to a length in which all but the last can happen, and the last may be any.
func sequences(l changeset.Life, length int) (all [][]changeset.Event) {
	if length == 0 {
		return nil
	}
	for _, e := range changeset.Events() {
		next, possible := l.On(e)
		var behind [][]changeset.Event
		if possible {
			behind = sequences(next, length-1)
		}
		if behind == nil {
			behind = [][]changeset.Event{nil}
		}
		for _, b := range behind {
			all = append(all, append([]changeset.Event{e}, b...))
		}
	}
	return all
}

const leaseTime = time.Minute

// play tries an event and tells whether it took place. Death and the end of a lease happen outside of the store: they are
// taken for possible as the model has them.
func (p *player) play(e changeset.Event) bool {
	p.Helper()
	ctx := p.Context()
	now, _, err := p.Commit(ctx, "s-1", p.c.ID)
	must(p.T, err)
	working := p.alive && p.clock.Before(p.c.Lease.Until)
	switch e {
	case changeset.Claim:
		c, ok, err := p.Store.Claim(ctx, "s-1", "first", p.clock, p.clock.Add(leaseTime))
		return p.owns(c, ok, err)
	case changeset.TakeOver:
		c, ok, err := p.Store.TakeOver(ctx, p.c.ID, fmt.Sprint("owner behind ", p.c.Lease.Fence), p.clock, p.clock.Add(leaseTime))
		return p.owns(c, ok, err)
	case changeset.Pass:
		return working && !now.Passed && p.did(p.Store.Pass(ctx, p.c, setops.Spec{}, plan.Plan{}, p.clock))
	case changeset.Cancel:
		_, err := p.Store.Cancel(ctx, "s-1", p.c.ID, ada.Email, p.clock)
		return p.did(err) && now.Cancelled == ""
	case changeset.GiveUp:
		ended, err := p.Store.GiveUp(ctx, now.QueueUntil, changeset.Failure{Code: "late"})
		must(p.T, err)
		return len(ended) == 1
	case changeset.EndDone:
		return working && now.Passed && p.did(p.EndCommit(ctx, p.c, changeset.Done, nil, p.clock))
	case changeset.EndUndone:
		end := changeset.Failed
		if now.Cancelled != "" {
			end = changeset.Cancelled
		}
		return working && !now.Passed && p.did(p.EndCommit(ctx, p.c, end, nil, p.clock))
	case changeset.LeaseIsOver:
		over := now.State == changeset.Running && p.clock.Before(now.Lease.Until) && !p.alive
		if over {
			p.clock = now.Lease.Until
		}
		return over
	case changeset.Death:
		died := now.State == changeset.Running && p.alive
		p.alive = p.alive && !died
		return died
	}
	p.Fatalf("no such event: %s", e)
	return false
}

// owns remembers a new owner. A former one must not be obeyed any more.
func (p *player) owns(c changeset.Commit, ok bool, err error) bool {
	p.Helper()
	must(p.T, err)
	if !ok {
		return false
	}
	if former := p.c; former.Lease.Fence != 0 {
		for name, err := range map[string]error{
			"phase":   p.SetPhase(p.Context(), former, changeset.Undoing),
			"journal": p.StepStarted(p.Context(), former.ID, former.Lease.Fence, 0, p.clock),
			"pass":    p.Store.Pass(p.Context(), former, setops.Spec{}, plan.Plan{}, p.clock),
			"end":     p.EndCommit(p.Context(), former, changeset.Failed, nil, p.clock),
		} {
			if !errors.Is(err, changeset.ErrLeaseLost) {
				p.Errorf("%s of a former owner: %v", name, err)
			}
		}
		if _, err := p.Renew(p.Context(), former, p.clock.Add(leaseTime)); !errors.Is(err, changeset.ErrLeaseLost) {
			p.Errorf("a former owner renews its lease: %v", err)
		}
	}
	p.c, p.alive = c, true
	return true
}

// did tells a refusal from an error that nobody expects.
func (p *player) did(err error) bool {
	p.Helper()
	var refused *setops.Error
	if err != nil && !errors.As(err, &refused) && !errors.Is(err, changeset.ErrCancelled) && !errors.Is(err, changeset.ErrLeaseLost) {
		p.Fatal(err)
	}
	return err == nil
}

func (p *player) compare(life changeset.Life, sequence []changeset.Event, last changeset.Event) {
	p.Helper()
	c, _, err := p.Commit(p.Context(), "s-1", p.c.ID)
	must(p.T, err)
	if c.State != life.State || c.Passed != life.Passed || (c.Cancelled != "") != life.Cancelled {
		p.Fatalf("%v: behind %s the store has %s passed %v cancelled %q, the model %+v", sequence, last, c.State, c.Passed, c.Cancelled, life)
	}
	open, ok, err := p.Changeset(p.Context(), "s-1", ada.ID)
	must(p.T, err)
	if back := life.State.Ended() && !life.Passed; ok != back || back && len(open.Commands) != 1 {
		p.Fatalf("%v: behind %s, in %+v, %d commands are staged", sequence, last, life, len(open.Commands))
	}
}

// free ends what the sequence has left, for the next one.
func (p *player) free(life changeset.Life) {
	p.Helper()
	for _, query := range []string{`DELETE FROM commits`, `DELETE FROM changesets`, `DELETE FROM apps`} {
		_, err := p.write.ExecContext(p.Context(), query)
		if err != nil && !strings.Contains(err.Error(), "no such table") {
			p.Fatalf("%s after %+v: %v", query, life, err)
		}
	}
}
