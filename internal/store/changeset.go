package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/setops"
)

// Changeset gives the open changeset of a user on a stage; ok is false where there is none.
func (s *Store) Changeset(ctx context.Context, stageID, userID string) (changeset.Changeset, bool, error) {
	return loadChangeset(ctx, s.read, `WHERE stage_id = $1 AND user_id = $2 AND NOT frozen`, stageID, userID)
}

// StagedCommands gives what a user has staged, in the open changeset and in one that is being committed.
func (s *Store) StagedCommands(ctx context.Context, stageID, userID string) ([]changeset.Command, error) {
	ids, err := collect(ctx, s.read, func(r *sql.Rows) (id string, err error) { err = r.Scan(&id); return id, err },
		`SELECT id FROM changesets WHERE stage_id = $1 AND user_id = $2 ORDER BY created_at, id`, stageID, userID)
	if err != nil {
		return nil, err
	}
	var all []changeset.Command
	for _, id := range ids {
		commands, err := loadCommands(ctx, s.read, id)
		if err != nil {
			return nil, err
		}
		all = append(all, commands...)
	}
	return all, nil
}

// AppendCommands appends commands to a user's open changeset, which is made where there is none. decide is given the committed
// spec, the commands that are staged already and a function that reserves the next release id of an app; it returns the
// commands to append, or an error, and then nothing is changed. Errors: those of decide, ChangesetLocked for a stage that
// is being destroyed.
func (s *Store) AppendCommands(ctx context.Context, stageID, userID, newID string, now time.Time, decide changeset.Decide,
	receipt idempotency.Receipt[[]changeset.Command],
) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		add, err := appendDecided(ctx, tx, changeset.Changeset{ID: newID, StageID: stageID, UserID: userID, CreatedAt: now}, decide)
		if err != nil {
			return err
		}
		return sign(ctx, s, tx, receipt, add, now)
	})
}

// StageRevert opens a changeset with the commands that revert a commit. decide is that of AppendCommands. Errors: those of
// decide, ChangesetInvalid where the user has staged something already, ChangesetLocked.
func (s *Store) StageRevert(ctx context.Context, fresh changeset.Changeset, decide changeset.Decide,
	receipt idempotency.Receipt[[]changeset.Command],
) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		open, ok, err := loadChangeset(ctx, tx, `WHERE stage_id = $1 AND user_id = $2 AND NOT frozen`, fresh.StageID, fresh.UserID)
		if err != nil {
			return err
		}
		if ok {
			return changeset.StagedBeforeRevert(len(open.Commands))
		}
		add, err := appendDecided(ctx, tx, fresh, decide)
		if err != nil {
			return err
		}
		if _, err = exec(ctx, tx, `UPDATE changesets SET reverts = $2 WHERE id = $1`, fresh.ID, fresh.Reverts); err != nil {
			return err
		}
		return sign(ctx, s, tx, receipt, add, fresh.CreatedAt)
	})
}

// StageDefinition opens a changeset with the commands by which a definition is applied. One of an earlier application, of which
// nothing was committed, gives way. decide is that of AppendCommands, and fresh.AppliedTo the version that it must be given the spec
// of. Errors: those of decide, ChangesetInvalid where the user has staged something else, ChangesetLocked, which is temporary where
// the stage has another version by now.
func (s *Store) StageDefinition(ctx context.Context, fresh changeset.Changeset, decide changeset.Decide,
	receipt idempotency.Receipt[[]changeset.Command],
) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		if err := dropApplied(ctx, tx, fresh); err != nil {
			return err
		}
		if err := sameVersion(ctx, tx, fresh); err != nil {
			return err
		}
		add, err := appendDecided(ctx, tx, fresh, decide)
		if err != nil {
			return err
		}
		if _, err = exec(ctx, tx, `UPDATE changesets SET applied_to = $2 WHERE id = $1`, fresh.ID, *fresh.AppliedTo); err != nil {
			return err
		}
		return sign(ctx, s, tx, receipt, add, fresh.CreatedAt)
	})
}

// dropApplied makes room for what a definition stages.
func dropApplied(ctx context.Context, tx *sql.Tx, fresh changeset.Changeset) error {
	open, ok, err := loadChangeset(ctx, tx, `WHERE stage_id = $1 AND user_id = $2 AND NOT frozen`, fresh.StageID, fresh.UserID)
	if err != nil || !ok {
		return err
	}
	if open.AppliedTo == nil {
		return changeset.StagedBesides(len(open.Commands))
	}
	_, err = exec(ctx, tx, `DELETE FROM changesets WHERE id = $1`, open.ID)
	return err
}

func sameVersion(ctx context.Context, tx *sql.Tx, fresh changeset.Changeset) error {
	var version int64
	_, err := found(tx.QueryRowContext(ctx, `SELECT version FROM stages WHERE id = $1`, fresh.StageID).Scan(&version))
	if err == nil && version != *fresh.AppliedTo {
		err = &setops.Error{
			Kind: setops.StateError, Code: setops.ChangesetLocked, Temporary: true,
			Message: "another commit has changed the stage meanwhile; nothing was staged, try again",
		}
	}
	return err
}

// appendDecided appends to the open changeset of a user, which is fresh where there is none, and gives what it appended.
func appendDecided(ctx context.Context, tx *sql.Tx, fresh changeset.Changeset, decide changeset.Decide) ([]changeset.Command, error) {
	stageID, userID := fresh.StageID, fresh.UserID
	if err := refuseDestroying(ctx, tx, stageID); err != nil {
		return nil, err
	}
	spec, err := loadSpec(ctx, tx, stageID)
	if err != nil {
		return nil, err
	}
	open, ok, err := loadChangeset(ctx, tx, `WHERE stage_id = $1 AND user_id = $2 AND NOT frozen`, stageID, userID)
	if err != nil {
		return nil, err
	}
	add, err := decide(spec, open.Commands, func(app string) (int, error) { return reserve(ctx, tx, stageID, app) })
	if err != nil {
		return nil, err
	}
	if !ok {
		open.ID = fresh.ID
		if err := addChangeset(ctx, tx, fresh.ID, stageID, userID, fresh.CreatedAt); err != nil {
			return nil, err
		}
	}
	if open.Reverts != "" || open.AppliedTo != nil { // it is more than that now
		if _, err := exec(ctx, tx, `UPDATE changesets SET reverts = '', applied_to = NULL WHERE id = $1`, open.ID); err != nil {
			return nil, err
		}
	}
	return add, appendCommands(ctx, tx, open.ID, add)
}

// RemoveCommand drops the command at a position, from 0, of a user's open changeset; with the last one the changeset goes.
// It gives what was staged. Errors: ChangesetDoesNotExist, ValidationFailed for a position that has no command.
func (s *Store) RemoveCommand(ctx context.Context, stageID, userID string, position int, now time.Time,
	receipt idempotency.Receipt[changeset.Staged],
) (was changeset.Staged, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		open, ok, err := loadChangeset(ctx, tx, `WHERE stage_id = $1 AND user_id = $2 AND NOT frozen`, stageID, userID)
		if err != nil {
			return err
		}
		if err := changeset.CheckPosition(open, ok, position); err != nil {
			return err
		}
		was.Commands = open.Commands
		if was.Committed, err = loadSpec(ctx, tx, stageID); err != nil {
			return err
		}
		if err := removeAt(ctx, tx, open, position); err != nil {
			return err
		}
		return sign(ctx, s, tx, receipt, was, now)
	})
	return was, err
}

func removeAt(ctx context.Context, tx *sql.Tx, open changeset.Changeset, position int) error {
	if len(open.Commands) > 1 {
		return removeCommand(ctx, tx, open.ID, position)
	}
	_, err := exec(ctx, tx, `DELETE FROM changesets WHERE id = $1`, open.ID)
	return err
}

// removeCommand leaves a gap among the positions, which only give an order.
func removeCommand(ctx context.Context, tx *sql.Tx, changesetID string, index int) error {
	_, err := exec(ctx, tx, `DELETE FROM commands WHERE changeset_id = $1
		AND position = (SELECT position FROM commands WHERE changeset_id = $1 ORDER BY position LIMIT 1 OFFSET $2)`, changesetID, index)
	if err != nil {
		return err
	}
	_, err = exec(ctx, tx, `UPDATE changesets SET reverts = '', applied_to = NULL WHERE id = $1`, changesetID)
	return err
}

// Discard drops a user's open changeset and tells how many commands it had; ok is false where there is none.
func (s *Store) Discard(ctx context.Context, stageID, userID string, now time.Time, receipt idempotency.Receipt[int]) (n int, ok bool, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		open, there, err := loadChangeset(ctx, tx, `WHERE stage_id = $1 AND user_id = $2 AND NOT frozen`, stageID, userID)
		n, ok = len(open.Commands), there
		if err != nil || !there {
			return err
		}
		if _, err = exec(ctx, tx, `DELETE FROM changesets WHERE id = $1`, open.ID); err != nil {
			return err
		}
		return sign(ctx, s, tx, receipt, n, now)
	})
	return n, ok, err
}

func refuseDestroying(ctx context.Context, tx *sql.Tx, stageID string) error {
	var destroying bool
	ok, err := found(tx.QueryRowContext(ctx, `SELECT destroying FROM stages WHERE id = $1`, stageID).Scan(&destroying))
	if err != nil {
		return err
	}
	if !ok || destroying {
		return setops.Refuse(setops.ChangesetLocked, "the stage is being destroyed; nothing of it can be changed any more")
	}
	return nil
}

func reserve(ctx context.Context, tx *sql.Tx, stageID, app string) (id int, err error) {
	err = tx.QueryRowContext(ctx, `INSERT INTO release_ids (stage_id, app, last) VALUES ($1, $2, 1)
		ON CONFLICT (stage_id, app) DO UPDATE SET last = release_ids.last + 1 RETURNING last`, stageID, app).Scan(&id)
	return id, err
}

func loadChangeset(ctx context.Context, q querier, where string, args ...any) (changeset.Changeset, bool, error) {
	c, ok, err := first(collect(ctx, q, func(r *sql.Rows) (c changeset.Changeset, err error) {
		var created int64
		err = r.Scan(&c.ID, &c.StageID, &c.UserID, &created, &c.Reverts, &c.AppliedTo)
		c.CreatedAt = fromMillis(created)
		return c, err
	}, `SELECT id, stage_id, user_id, created_at, reverts, applied_to FROM changesets `+where, args...))
	if err != nil || !ok {
		return c, false, err
	}
	c.Commands, err = loadCommands(ctx, q, c.ID)
	return c, err == nil, err
}

func loadCommands(ctx context.Context, q querier, changesetID string) ([]changeset.Command, error) {
	return collect(ctx, q, func(r *sql.Rows) (changeset.Command, error) {
		var name, arguments string
		if err := r.Scan(&name, &arguments); err != nil {
			return nil, err
		}
		return changeset.Decode(name, []byte(arguments))
	}, `SELECT name, arguments FROM commands WHERE changeset_id = $1 ORDER BY position`, changesetID)
}

func addChangeset(ctx context.Context, tx *sql.Tx, id, stageID, userID string, now time.Time) error {
	_, err := exec(ctx, tx, `INSERT INTO changesets (id, stage_id, user_id, created_at) VALUES ($1, $2, $3, $4)`, id, stageID, userID, millis(now))
	return err
}

// appendCommands adds to a changeset. Positions go on through all changesets of its user on its stage, frozen ones as well, so
// that commands keep the order in which they were staged when commits give them back.
func appendCommands(ctx context.Context, tx *sql.Tx, changesetID string, commands []changeset.Command) error {
	var position int
	err := tx.QueryRowContext(ctx, `SELECT COALESCE(max(k.position), -1) + 1 FROM changesets c
		JOIN changesets o ON o.stage_id = c.stage_id AND o.user_id = c.user_id JOIN commands k ON k.changeset_id = o.id
		WHERE c.id = $1`, changesetID).Scan(&position)
	if err != nil {
		return err
	}
	for i, c := range commands {
		text, err := changeset.Encode(c)
		if err != nil {
			return fmt.Errorf("encode command %s: %w", c.Name(), err)
		}
		_, err = exec(ctx, tx, `INSERT INTO commands (changeset_id, position, name, arguments) VALUES ($1, $2, $3, $4)`,
			changesetID, position+i, c.Name(), string(text))
		if err != nil {
			return err
		}
	}
	return nil
}
