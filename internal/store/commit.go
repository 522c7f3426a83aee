package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

// BeginCommit freezes a user's open changeset and makes the commit of it: from here on the stage is locked.
// Errors: ChangesetDoesNotExist, CommitAlreadyRunning, ChangesetLocked.
func (s *Store) BeginCommit(ctx context.Context, id, stageID, userID string, now time.Time) (changeset.Commit, error) {
	var c changeset.Commit
	err := s.change(ctx, func(tx *sql.Tx) error {
		if err := refuseDestroying(ctx, tx, stageID); err != nil {
			return err
		}
		open, ok, err := loadChangeset(ctx, tx, `WHERE stage_id = $1 AND user_id = $2 AND NOT frozen`, stageID, userID)
		if err != nil {
			return err
		}
		if !ok {
			return nothingToCommit(ctx, tx, stageID, userID)
		}
		commands, err := encodeCommands(open.Commands)
		if err != nil {
			return err
		}
		_, err = exec(ctx, tx, `INSERT INTO commits (id, stage_id, user_id, changeset_id, commands, state, phase, changeset_created_at, created_at)
			VALUES ($1, $2, $3, $4, $5, 'running', $6, $7, $8)`,
			id, stageID, userID, open.ID, commands, changeset.Initializing, millis(open.CreatedAt), millis(now))
		if isTaken(err) {
			return commitRunning()
		}
		if err != nil {
			return err
		}
		if _, err := exec(ctx, tx, `UPDATE changesets SET frozen = TRUE WHERE id = $1`, open.ID); err != nil {
			return err
		}
		c, _, err = loadCommit(ctx, tx, id)
		return err
	})
	return c, err
}

// nothingToCommit tells a user whose commit is running already from one who has staged nothing.
func nothingToCommit(ctx context.Context, tx *sql.Tx, stageID, userID string) error {
	var id string
	ok, err := found(tx.QueryRowContext(ctx,
		`SELECT id FROM commits WHERE stage_id = $1 AND user_id = $2 AND state = 'running'`, stageID, userID).Scan(&id))
	if err != nil {
		return err
	}
	if ok {
		return setops.Refuse(setops.CommitAlreadyRunning,
			"your commit %s is running, and you have staged nothing since; `setops changeset:info %s` shows it", id, id)
	}
	return setops.Refuse(setops.ChangesetDoesNotExist, "you have staged nothing on this stage")
}

// Commit gives a commit of a stage; ok is false where there is none.
func (s *Store) Commit(ctx context.Context, stageID, id string) (changeset.Commit, bool, error) {
	c, ok, err := loadCommit(ctx, s.read, id)
	return c, ok && c.StageID == stageID, err
}

// RunningCommits lists the commits that have not ended.
func (s *Store) RunningCommits(ctx context.Context) ([]changeset.Commit, error) {
	return collect(ctx, s.read, scanCommit, selectCommit+` WHERE c.state = 'running' ORDER BY c.created_at, c.id`)
}

const selectCommit = `SELECT c.id, c.stage_id, c.user_id, COALESCE(u.email, ''), c.changeset_id, c.commands, c.state, c.phase, c.passed,
	c.failure, c.changeset_created_at, c.created_at, COALESCE(c.finished_at, 0),
	(SELECT count(*) FROM steps WHERE commit_id = c.id AND NOT after),
	(SELECT count(*) FROM steps WHERE commit_id = c.id AND NOT after AND state = 'done')
	FROM commits c LEFT JOIN users u ON u.id = c.user_id`

func loadCommit(ctx context.Context, q querier, id string) (changeset.Commit, bool, error) {
	return first(collect(ctx, q, scanCommit, selectCommit+` WHERE c.id = $1`, id))
}

func scanCommit(r *sql.Rows) (c changeset.Commit, err error) {
	var commands string
	var failure sql.NullString
	var staged, created, finished int64
	err = r.Scan(&c.ID, &c.StageID, &c.UserID, &c.UserEmail, &c.Changeset.ID, &commands, &c.State, &c.Phase, &c.Passed,
		&failure, &staged, &created, &finished, &c.Total, &c.Done)
	if err != nil {
		return c, err
	}
	c.CreatedAt, c.Changeset.CreatedAt = fromMillis(created), fromMillis(staged)
	if finished > 0 {
		c.FinishedAt = fromMillis(finished)
	}
	c.Changeset.StageID, c.Changeset.UserID = c.StageID, c.UserID
	if c.Changeset.Commands, err = decodeCommands(commands); err != nil {
		return c, fmt.Errorf("read commit %s: %w", c.ID, err)
	}
	if failure.Valid {
		c.Failure = &changeset.Failure{}
		err = json.Unmarshal([]byte(failure.String), c.Failure)
	}
	return c, err
}

// SetPhase says what a running commit does.
func (s *Store) SetPhase(ctx context.Context, commitID string, p changeset.Phase) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		_, err := exec(ctx, tx, `UPDATE commits SET phase = $2 WHERE id = $1`, commitID, p)
		return err
	})
}

// Pass is the commit point: in one transaction the stage gets its new spec, new generations serve and old ones retire.
func (s *Store) Pass(ctx context.Context, commitID, stageID string, after setops.Spec, p plan.Plan) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		before, err := loadSpec(ctx, tx, stageID)
		if err != nil {
			return err
		}
		if err := saveSpec(ctx, tx, stageID, before, after); err != nil {
			return err
		}
		if err := switchGenerations(ctx, tx, stageID, p); err != nil {
			return err
		}
		if _, err := exec(ctx, tx, `UPDATE stages SET version = version + 1 WHERE id = $1`, stageID); err != nil {
			return err
		}
		_, err = exec(ctx, tx, `UPDATE commits SET passed = TRUE WHERE id = $1`, commitID)
		return err
	})
}

// switchGenerations retires first, so that the rule of one serving generation per app holds at every moment.
func switchGenerations(ctx context.Context, tx *sql.Tx, stageID string, p plan.Plan) error {
	for _, step := range p.After() {
		if step.Kind != plan.RemoveGeneration {
			continue
		}
		if _, err := exec(ctx, tx, `UPDATE generations SET state = 'retiring' WHERE id = $1`, step.Generation); err != nil {
			return err
		}
	}
	_, err := exec(ctx, tx, `UPDATE generations SET state = 'serving' WHERE stage_id = $1 AND state = 'starting'`, stageID)
	return err
}

// EndCommit ends a commit. A changeset that was committed is dropped; one that was not is opened again, before what was
// staged meanwhile, and the generations that were starting are forgotten.
func (s *Store) EndCommit(ctx context.Context, c changeset.Commit, failure *changeset.Failure, now time.Time) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		if failure == nil {
			return endDone(ctx, tx, c, now)
		}
		text, err := json.Marshal(failure)
		if err != nil {
			return err
		}
		_, err = exec(ctx, tx, `UPDATE commits SET state = 'failed', failure = $2, finished_at = $3 WHERE id = $1`, c.ID, string(text), millis(now))
		if err != nil {
			return err
		}
		if _, err := exec(ctx, tx, `DELETE FROM generations WHERE stage_id = $1 AND state = 'starting'`, c.StageID); err != nil {
			return err
		}
		return thaw(ctx, tx, c)
	})
}

func endDone(ctx context.Context, tx *sql.Tx, c changeset.Commit, now time.Time) error {
	if _, err := exec(ctx, tx, `DELETE FROM changesets WHERE id = $1`, c.Changeset.ID); err != nil {
		return err
	}
	_, err := exec(ctx, tx, `UPDATE commits SET state = 'done', finished_at = $2 WHERE id = $1`, c.ID, millis(now))
	return err
}

// thaw opens the frozen changeset again. What was staged meanwhile goes behind it.
func thaw(ctx context.Context, tx *sql.Tx, c changeset.Commit) error {
	newer, ok, err := loadChangeset(ctx, tx, `WHERE stage_id = $1 AND user_id = $2 AND NOT frozen`, c.StageID, c.UserID)
	if err != nil {
		return err
	}
	if ok {
		if _, err := exec(ctx, tx, `DELETE FROM changesets WHERE id = $1`, newer.ID); err != nil {
			return err
		}
		if err := appendCommands(ctx, tx, c.Changeset.ID, len(c.Changeset.Commands), newer.Commands); err != nil {
			return err
		}
	}
	_, err = exec(ctx, tx, `UPDATE changesets SET frozen = FALSE WHERE id = $1`, c.Changeset.ID)
	return err
}
