package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/setops"
)

// Claim gives the commit that waits longest on a stage to owner, with a lease until then; ok is false where none waits, one
// runs, or the stage is being destroyed.
func (s *Store) Claim(ctx context.Context, stageID, owner string, now, until time.Time) (c changeset.Commit, ok bool, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		var id string
		ok, err = found(tx.QueryRowContext(ctx, `SELECT id FROM commits WHERE stage_id = $1 AND state = 'queued'
			AND NOT EXISTS (SELECT 1 FROM commits WHERE stage_id = $1 AND state = 'running')
			AND NOT EXISTS (SELECT 1 FROM stages WHERE id = $1 AND destroying)
			ORDER BY position LIMIT 1`, stageID).Scan(&id))
		if err != nil || !ok {
			return err
		}
		c, err = lease(ctx, tx, id, stageID, owner, now, until)
		return err
	})
	return c, ok && err == nil, err
}

// TakeOver gives a running commit whose lease is over to another owner; ok is false where it has ended, or has a lease.
// Where the owner is the same one, it has started anew, and does not wait for its own lease.
func (s *Store) TakeOver(ctx context.Context, id, owner string, now, until time.Time) (c changeset.Commit, ok bool, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		c, ok, err = loadCommit(ctx, tx, id)
		ok = ok && c.State == changeset.Running && (c.Lease.Owner == owner || !c.Lease.Until.After(now))
		if err != nil || !ok {
			return err
		}
		c, err = lease(ctx, tx, id, c.StageID, owner, now, until)
		return err
	})
	return c, ok && err == nil, err
}

func lease(ctx context.Context, tx *sql.Tx, id, stageID, owner string, now, until time.Time) (c changeset.Commit, err error) {
	fence, err := nextFence(ctx, tx, stageID)
	if err != nil {
		return c, err
	}
	_, err = exec(ctx, tx, `UPDATE commits SET state = 'running', owner = $2, fence = $3, lease_until = $4,
		started_at = CASE WHEN started_at = 0 THEN $5 ELSE started_at END, phase = CASE WHEN phase = $6 THEN $7 ELSE phase END WHERE id = $1`,
		id, owner, fence, millis(until), millis(now), changeset.Waiting, changeset.Initializing)
	if err != nil {
		return c, err
	}
	c, _, err = loadCommit(ctx, tx, id)
	return c, err
}

func nextFence(ctx context.Context, tx *sql.Tx, stageID string) (fence int64, err error) {
	err = tx.QueryRowContext(ctx, `UPDATE stages SET fence = fence + 1 WHERE id = $1 RETURNING fence`, stageID).Scan(&fence)
	return fence, err
}

// Renew makes the lease of a commit longer, and tells who has cancelled the commit, if anybody. Errors: changeset.ErrLeaseLost.
func (s *Store) Renew(ctx context.Context, c changeset.Commit, until time.Time) (cancelledBy string, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		n, err := exec(ctx, tx, `UPDATE commits SET lease_until = $3 WHERE id = $1 AND fence = $2 AND state = 'running'`,
			c.ID, c.Lease.Fence, millis(until))
		if err := leased(n, err); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT cancelled_by FROM commits WHERE id = $1`, c.ID).Scan(&cancelledBy)
	})
	return cancelledBy, err
}

// Expired lists the running commits whose lease is over.
func (s *Store) Expired(ctx context.Context, now time.Time) ([]changeset.Commit, error) {
	return collect(ctx, s.read, scanCommit, selectCommit+` WHERE c.state = 'running' AND c.lease_until <= $1 ORDER BY c.created_at, c.id`, millis(now))
}

// Cancel ends a commit that waits, and asks the owner of one that runs to end it. One that is cancelled already stays that.
// Errors: CommitNotFound, AlreadyCommitted where it has passed, CommitAlreadyEnded.
func (s *Store) Cancel(ctx context.Context, stageID, id, by string, now time.Time) (c changeset.Commit, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		c, _, err = loadCommit(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case c.ID == "" || c.StageID != stageID:
			return setops.Refuse(setops.CommitNotFound, "there is no commit %s on this stage", id)
		case c.State == changeset.Cancelled || c.Cancelled != "":
			return nil
		case c.Passed:
			return setops.Refuse(setops.AlreadyCommitted,
				"it is committed already: what it changed is live; `setops changeset:revert %s` takes it back", c.ID)
		case c.State.Ended():
			return setops.Refuse(setops.CommitAlreadyEnded, "commit %s has ended already, as %s; nothing of it is live", c.ID, c.State)
		}
		if _, err := exec(ctx, tx, `UPDATE commits SET cancelled_by = $2 WHERE id = $1`, c.ID, by); err != nil {
			return err
		}
		if c.State == changeset.Queued {
			if err := endQueued(ctx, tx, c, changeset.Cancelled, nil, now); err != nil {
				return err
			}
		}
		c, _, err = loadCommit(ctx, tx, id)
		return err
	})
	return c, err
}

func endQueued(ctx context.Context, tx *sql.Tx, c changeset.Commit, end changeset.State, f *changeset.Failure, now time.Time) error {
	if err := setEnd(ctx, tx, c, end, f, now); err != nil {
		return err
	}
	return giveBack(ctx, tx, c)
}

// GiveUp ends the commits whose time in the queue is over, and gives them as they are then.
func (s *Store) GiveUp(ctx context.Context, now time.Time, why changeset.Failure) (ended []changeset.Commit, err error) {
	const late = ` WHERE c.state = 'queued' AND c.queue_until <= $1 ORDER BY c.created_at, c.id`
	if all, err := collect(ctx, s.read, scanCommit, selectCommit+late, millis(now)); err != nil || len(all) == 0 {
		return nil, err
	}
	err = s.change(ctx, func(tx *sql.Tx) error {
		ended, err = collect(ctx, tx, scanCommit, selectCommit+late, millis(now))
		if err != nil {
			return err
		}
		for i, c := range ended {
			failure := why.Of(c)
			if err := endQueued(ctx, tx, c, changeset.Failed, &failure, now); err != nil {
				return err
			}
			ended[i].State, ended[i].Failure, ended[i].FinishedAt = changeset.Failed, &failure, now
		}
		return nil
	})
	return ended, err
}

// Waiting lists the stages on which a commit waits and none runs.
func (s *Store) Waiting(ctx context.Context) ([]setops.StageRef, error) {
	return collect(ctx, s.read, scanRef, selectRef+` WHERE NOT s.destroying
		AND s.id IN (SELECT stage_id FROM commits WHERE state = 'queued')
		AND s.id NOT IN (SELECT stage_id FROM commits WHERE state = 'running') ORDER BY s.id`)
}
