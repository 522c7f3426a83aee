package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

// Enqueue freezes a user's open changeset and puts the commit of it behind those of its stage. A ticket whose id is that of a
// commit of the same user and stage is that commit: it was asked for before. Errors: ChangesetDoesNotExist, ChangesetLocked,
// CommitAlreadyRunning where it would have to wait and must not, and ValidationFailed where another one has the id.
func (s *Store) Enqueue(ctx context.Context, t changeset.Ticket) (c changeset.Commit, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		var there bool
		if c, there, err = loadCommit(ctx, tx, t.ID); err != nil || there {
			return errors.Join(err, sameTicket(c, t))
		}
		if err := refuseDestroying(ctx, tx, t.StageID); err != nil {
			return err
		}
		open, ok, err := loadChangeset(ctx, tx, `WHERE stage_id = $1 AND user_id = $2 AND NOT frozen`, t.StageID, t.UserID)
		if err != nil {
			return err
		}
		if !ok {
			return nothingToCommit(ctx, tx, t.StageID, t.UserID)
		}
		if err := enqueue(ctx, tx, t, open); err != nil {
			return err
		}
		if c, _, err = loadCommit(ctx, tx, t.ID); err != nil {
			return err
		}
		return addEvents(ctx, tx, t.Events)
	})
	if err != nil {
		return changeset.Commit{}, err
	}
	return c, nil
}

// EnqueueUnstaged puts a commit of commands that nobody has staged behind those of its stage, as the changeset fresh, which is
// frozen from the beginning. decide is that of AppendCommands; where it gives no commands, there is no commit, and its id is empty.
// Errors: those of decide and of Enqueue, and ChangesetInvalid where the user has staged something.
func (s *Store) EnqueueUnstaged(ctx context.Context, t changeset.Ticket, fresh changeset.Changeset, decide changeset.Decide) (c changeset.Commit, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		var there bool
		if c, there, err = loadCommit(ctx, tx, t.ID); err != nil || there {
			return errors.Join(err, sameTicket(c, t))
		}
		if err := refuseStaged(ctx, tx, t); err != nil {
			return err
		}
		if fresh.Commands, err = appendDecided(ctx, tx, fresh, decide); err != nil {
			return err
		}
		if len(fresh.Commands) == 0 {
			_, err := exec(ctx, tx, `DELETE FROM changesets WHERE id = $1`, fresh.ID)
			return err
		}
		if err := enqueue(ctx, tx, t, fresh); err != nil {
			return err
		}
		if _, err := exec(ctx, tx, `UPDATE commits SET unstaged = TRUE WHERE id = $1`, t.ID); err != nil {
			return err
		}
		if c, _, err = loadCommit(ctx, tx, t.ID); err != nil {
			return err
		}
		return addEvents(ctx, tx, t.Events)
	})
	if err != nil {
		return changeset.Commit{}, err
	}
	return c, nil
}

// refuseStaged keeps apart what was staged and what comes with a commit: whoever has staged something may think that it is part
// of it.
func refuseStaged(ctx context.Context, tx *sql.Tx, t changeset.Ticket) error {
	open, ok, err := loadChangeset(ctx, tx, `WHERE stage_id = $1 AND user_id = $2 AND NOT frozen`, t.StageID, t.UserID)
	if err == nil && ok {
		err = changeset.StagedBeforeDeploy(len(open.Commands))
	}
	return err
}

// sameTicket refuses a key with which something else was asked for, or this so long ago that nobody waits for the answer: who
// takes the same key each day would be told of the first day's commit.
func sameTicket(c changeset.Commit, t changeset.Ticket) error {
	if c.UserID != t.UserID || c.StageID != t.StageID || t.Now.Sub(c.CreatedAt) > idempotency.Life {
		return idempotency.Taken()
	}
	return nil
}

func enqueue(ctx context.Context, tx *sql.Tx, t changeset.Ticket, open changeset.Changeset) error {
	var unended, last int64
	err := tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM commits WHERE stage_id = $1 AND state IN ('queued', 'running')),
		COALESCE((SELECT max(position) FROM commits WHERE stage_id = $1), 0)`, t.StageID).Scan(&unended, &last)
	if err != nil {
		return err
	}
	if t.NoQueue && unended > 0 {
		return commitRunning()
	}
	commands, err := changeset.EncodeList(open.Commands)
	if err != nil {
		return err
	}
	_, err = exec(ctx, tx, `INSERT INTO commits (id, stage_id, user_id, changeset_id, commands, state, phase, changeset_created_at, created_at,
			message, plan_hash, reverts, queue_until, position, applied_to)
		VALUES ($1, $2, $3, $4, $5, 'queued', $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		t.ID, t.StageID, t.UserID, open.ID, string(commands), changeset.Waiting, millis(open.CreatedAt), millis(t.Now),
		t.Message, t.PlanHash, open.Reverts, millis(t.QueueUntil), last+1, open.AppliedTo)
	if err != nil {
		return err
	}
	_, err = exec(ctx, tx, `UPDATE changesets SET frozen = TRUE WHERE id = $1`, open.ID)
	return err
}

// nothingToCommit tells a user whose commit is on its way already from one who has staged nothing.
func nothingToCommit(ctx context.Context, tx *sql.Tx, stageID, userID string) error {
	var id string
	ok, err := found(tx.QueryRowContext(ctx, `SELECT id FROM commits WHERE stage_id = $1 AND user_id = $2 AND state IN ('queued', 'running')
		ORDER BY position DESC LIMIT 1`, stageID, userID).Scan(&id))
	if err != nil {
		return err
	}
	if ok {
		return setops.Refuse(setops.CommitAlreadyRunning,
			"your commit %s is running or waits for its turn, and you have staged nothing since; `setops changeset:attach %s` shows it", id, id)
	}
	return setops.Refuse(setops.ChangesetDoesNotExist, "you have staged nothing on this stage")
}

// Commit gives a commit of a stage by its id or a beginning of it that no other has; ok is false where there is none.
func (s *Store) Commit(ctx context.Context, stageID, id string) (c changeset.Commit, ok bool, err error) {
	if id == "" || strings.Trim(id, "0123456789abcdefghijklmnopqrstuvwxyz-") != "" { // no pattern for LIKE
		return c, false, nil
	}
	all, err := collect(ctx, s.read, scanCommit, selectCommit+` WHERE c.stage_id = $1 AND (c.id = $2 OR c.id LIKE $3)
		ORDER BY CASE WHEN c.id = $2 THEN 0 ELSE 1 END LIMIT 2`, stageID, id, id+"%")
	if err != nil || len(all) == 0 || len(all) > 1 && all[0].ID != id {
		return c, false, err
	}
	return all[0], true, nil
}

// Where gives a commit without its commands: to look at it again and again must be cheap.
func (s *Store) Where(ctx context.Context, stageID, id string) (changeset.Commit, bool, error) {
	return first(collect(ctx, s.read, scanBrief, selectWhere+` WHERE c.stage_id = $1 AND c.id = $2`, stageID, id))
}

// Commits lists the commits of a stage without their commands, newest first: at most limit, and where before is set only older
// ones than that.
func (s *Store) Commits(ctx context.Context, stageID, before string, limit int) ([]changeset.Commit, error) {
	return collect(ctx, s.read, scanBrief, selectCommit+` WHERE c.stage_id = $1
		AND ($2 = '' OR c.position < (SELECT position FROM commits WHERE id = $2)) ORDER BY c.position DESC LIMIT $3`, stageID, before, limit)
}

// CommitsSince lists the commits of a stage that passed behind another one, without their commands, oldest first.
func (s *Store) CommitsSince(ctx context.Context, stageID, id string) ([]changeset.Commit, error) {
	return collect(ctx, s.read, scanBrief, selectWhere+` WHERE c.stage_id = $1 AND c.passed
		AND c.version > (SELECT version FROM commits WHERE id = $2) ORDER BY c.version`, stageID, id)
}

// RunningCommits lists the commits that run.
func (s *Store) RunningCommits(ctx context.Context) ([]changeset.Commit, error) {
	return collect(ctx, s.read, scanCommit, selectCommit+` WHERE c.state = 'running' ORDER BY c.created_at, c.id`)
}

const selectCommit = `SELECT c.id, c.stage_id, c.user_id, COALESCE(u.email, ''), c.changeset_id, c.commands, c.state, c.phase, c.passed,
	c.failure, c.changeset_created_at, c.created_at, COALESCE(c.finished_at, 0), c.message, c.plan_hash, c.reverts, c.version, c.applied_to, c.unstaged,
	c.owner, c.fence, c.lease_until, c.queue_until, c.started_at, c.cancelled_by,
	(SELECT count(*) FROM steps WHERE commit_id = c.id AND NOT after),
	(SELECT count(*) FROM steps WHERE commit_id = c.id AND NOT after AND finished_at IS NOT NULL),
	CASE WHEN c.state <> 'queued' THEN 0 ELSE (SELECT count(*) FROM commits o
		WHERE o.stage_id = c.stage_id AND o.state IN ('queued', 'running') AND o.position < c.position) END
	FROM commits c LEFT JOIN users u ON u.id = c.user_id`

// selectWhere is selectCommit without the commands.
var selectWhere = strings.Replace(selectCommit, "c.commands", "'[]'", 1)

func loadCommit(ctx context.Context, q querier, id string) (changeset.Commit, bool, error) {
	return first(collect(ctx, q, scanCommit, selectCommit+` WHERE c.id = $1`, id))
}

func scanCommit(r *sql.Rows) (changeset.Commit, error) {
	c, commands, err := scanFacts(r)
	if err != nil {
		return c, err
	}
	if c.Changeset.Commands, err = changeset.DecodeList([]byte(commands)); err != nil {
		return c, fmt.Errorf("read commit %s: %w", c.ID, err)
	}
	c.Commands = len(c.Changeset.Commands)
	return c, nil
}

// scanBrief reads a commit without its commands, and how many they are.
func scanBrief(r *sql.Rows) (changeset.Commit, error) {
	c, commands, err := scanFacts(r)
	if err == nil {
		c.Commands, err = changeset.CountList([]byte(commands))
	}
	return c, err
}

func scanFacts(r *sql.Rows) (c changeset.Commit, commands string, err error) {
	var failure sql.NullString
	var staged, created, finished, leased, queued, started int64
	err = r.Scan(&c.ID, &c.StageID, &c.UserID, &c.UserEmail, &c.Changeset.ID, &commands, &c.State, &c.Phase, &c.Passed,
		&failure, &staged, &created, &finished, &c.Message, &c.PlanHash, &c.Reverts, &c.Version, &c.Changeset.AppliedTo, &c.Unstaged,
		&c.Lease.Owner, &c.Lease.Fence, &leased, &queued, &started, &c.Cancelled, &c.Total, &c.Done, &c.Ahead)
	if err != nil {
		return c, "", err
	}
	c.CreatedAt, c.Changeset.CreatedAt = fromMillis(created), fromMillis(staged)
	c.FinishedAt, c.StartedAt = maybeMillis(finished), maybeMillis(started)
	c.Lease.Until, c.QueueUntil = maybeMillis(leased), maybeMillis(queued)
	c.Changeset.StageID, c.Changeset.UserID, c.Changeset.Reverts = c.StageID, c.UserID, c.Reverts
	if failure.Valid {
		c.Failure = &changeset.Failure{}
		err = json.Unmarshal([]byte(failure.String), c.Failure)
	}
	return c, commands, err
}

// SetPhase says what a running commit does.
func (s *Store) SetPhase(ctx context.Context, c changeset.Commit, p changeset.Phase) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		n, err := exec(ctx, tx, `UPDATE commits SET phase = $3 WHERE id = $1 AND fence = $2 AND state = 'running'`, c.ID, c.Lease.Fence, p)
		return leased(n, err)
	})
}

// leased turns a change that touched nothing into the error of who has lost its lease.
func leased(n int64, err error) error {
	if err == nil && n == 0 {
		return changeset.ErrLeaseLost
	}
	return err
}

// Pass is the commit point: in one transaction the stage gets its new spec, new generations serve and old ones retire.
// Errors: changeset.ErrCancelled, changeset.ErrLeaseLost; then nothing is changed.
func (s *Store) Pass(ctx context.Context, c changeset.Commit, after setops.Spec, p plan.Plan, now time.Time) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		before, err := loadSpec(ctx, tx, c.StageID)
		if err != nil {
			return err
		}
		if err := saveSpec(ctx, tx, c.StageID, before, after, now); err != nil {
			return err
		}
		if err := saveActivations(ctx, tx, c, before, after, now); err != nil {
			return err
		}
		if err := switchGenerations(ctx, tx, c.StageID, p); err != nil {
			return err
		}
		return passed(ctx, tx, c)
	})
}

func passed(ctx context.Context, tx *sql.Tx, c changeset.Commit) error {
	if _, err := exec(ctx, tx, `UPDATE stages SET version = version + 1 WHERE id = $1`, c.StageID); err != nil {
		return err
	}
	n, err := exec(ctx, tx, `UPDATE commits SET passed = TRUE, version = (SELECT version FROM stages WHERE id = $3)
		WHERE id = $1 AND fence = $2 AND state = 'running' AND NOT passed AND cancelled_by = ''`, c.ID, c.Lease.Fence, c.StageID)
	if err != nil || n == 1 {
		return err
	}
	now, _, err := loadCommit(ctx, tx, c.ID)
	switch {
	case err != nil || now.State != changeset.Running || now.Lease.Fence != c.Lease.Fence:
	case now.Passed:
		return fmt.Errorf("commit %s has passed already", c.ID)
	default:
		return changeset.ErrCancelled
	}
	return leased(0, err)
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

// EndCommit ends a running commit. A changeset that was committed is dropped; one that was not is opened again, in its place
// among what else was staged, unless it is of a definition, and the generations that were starting are forgotten. Errors: changeset.ErrLeaseLost.
func (s *Store) EndCommit(ctx context.Context, c changeset.Commit, end changeset.State, failure *changeset.Failure, now time.Time) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		if err := setEnd(ctx, tx, c, end, failure, now); err != nil {
			return err
		}
		if err := endSteps(ctx, tx, c.ID, end, now); err != nil {
			return err
		}
		if end == changeset.Done {
			_, err := exec(ctx, tx, `DELETE FROM changesets WHERE id = $1`, c.Changeset.ID)
			return err
		}
		if _, err := exec(ctx, tx, `DELETE FROM generations WHERE stage_id = $1 AND state = 'starting'`, c.StageID); err != nil {
			return err
		}
		return giveBack(ctx, tx, c)
	})
}

func setEnd(ctx context.Context, tx *sql.Tx, c changeset.Commit, end changeset.State, failure *changeset.Failure, now time.Time) error {
	var text sql.NullString
	if failure != nil {
		encoded, err := json.Marshal(failure)
		if err != nil {
			return err
		}
		text = sql.NullString{String: string(encoded), Valid: true}
	}
	n, err := exec(ctx, tx, `UPDATE commits SET state = $3, failure = $4, finished_at = $5
		WHERE id = $1 AND fence = $2 AND state IN ('queued', 'running')`, c.ID, c.Lease.Fence, end, text, millis(now))
	return leased(n, err)
}

// giveBack opens the changeset again, unless it is of a definition, which its author applies again, or was never staged.
func giveBack(ctx context.Context, tx *sql.Tx, c changeset.Commit) error {
	if !c.Dropped() {
		return thaw(ctx, tx, c)
	}
	_, err := exec(ctx, tx, `DELETE FROM changesets WHERE id = $1`, c.Changeset.ID)
	return err
}

// thaw opens the frozen changeset again. Where another one is open they become one, with their commands in the order in which
// they were staged: one may have been staged before the other, after it, or partly both.
func thaw(ctx context.Context, tx *sql.Tx, c changeset.Commit) error {
	other, ok, err := loadChangeset(ctx, tx, `WHERE stage_id = $1 AND user_id = $2 AND NOT frozen`, c.StageID, c.UserID)
	if err != nil {
		return err
	}
	first, second := c.Changeset, other
	if ok && other.CreatedAt.Before(c.Changeset.CreatedAt) {
		first, second = other, c.Changeset
	}
	if ok {
		if err := unite(ctx, tx, first.ID, second.ID); err != nil {
			return err
		}
	}
	_, err = exec(ctx, tx, `UPDATE changesets SET frozen = FALSE WHERE id = $1`, first.ID)
	return err
}

// unite moves the commands of one changeset into another. Where positions meet, as those of an earlier version do, which counted
// each changeset for itself, they come behind.
func unite(ctx context.Context, tx *sql.Tx, into, from string) error {
	var shift int64
	err := tx.QueryRowContext(ctx, `SELECT COALESCE(max(a.position) + 1, 0) FROM commands a WHERE a.changeset_id = $1
		AND EXISTS (SELECT 1 FROM commands b JOIN commands d ON d.position = b.position WHERE b.changeset_id = $1 AND d.changeset_id = $2)`,
		into, from).Scan(&shift)
	if err != nil {
		return err
	}
	if _, err := exec(ctx, tx, `UPDATE commands SET changeset_id = $1, position = position + $3 WHERE changeset_id = $2`, into, from, shift); err != nil {
		return err
	}
	if _, err := exec(ctx, tx, `UPDATE changesets SET reverts = '', applied_to = NULL WHERE id = $1`, into); err != nil { // it is more than that now
		return err
	}
	_, err = exec(ctx, tx, `DELETE FROM changesets WHERE id = $1`, from)
	return err
}
