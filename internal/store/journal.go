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

// The states of a step in the journal.
const (
	stepPlanned = "planned"
	stepRunning = "running"
	stepDone    = "done"
	stepUndone  = "undone" // with all of the commit
)

// WriteJournal writes the plan of a commit before any of it is done, what it changes, and the generations that it starts.
// Errors: changeset.ErrLeaseLost.
func (s *Store) WriteJournal(ctx context.Context, c changeset.Commit, p plan.Plan, fingerprints map[string]string, delta changeset.Delta, now time.Time) error {
	before, settingsBefore, err := encodeState(delta.Before)
	if err != nil {
		return err
	}
	after, settingsAfter, err := encodeState(delta.After)
	if err != nil {
		return err
	}
	return s.change(ctx, func(tx *sql.Tx) error {
		n, err := exec(ctx, tx, `UPDATE commits SET before_apps = $3, after_apps = $4, before_settings = $5, after_settings = $6
			WHERE id = $1 AND fence = $2 AND state = 'running'`, c.ID, c.Lease.Fence, before, after, settingsBefore, settingsAfter)
		if err := leased(n, err); err != nil {
			return err
		}
		for i, step := range p.Steps {
			text, err := json.Marshal(step)
			if err != nil {
				return err
			}
			_, err = exec(ctx, tx, `INSERT INTO steps (commit_id, position, step, after, state) VALUES ($1, $2, $3, $4, $5)`,
				c.ID, i, string(text), step.After, stepPlanned)
			if err != nil {
				return err
			}
			if step.Kind != plan.StartGeneration {
				continue
			}
			_, err = exec(ctx, tx, `INSERT INTO generations (id, stage_id, app, fingerprint, state, commit_id, created_at)
				VALUES ($1, $2, $3, $4, 'starting', $5, $6) ON CONFLICT (id) DO NOTHING`,
				step.Generation, c.StageID, step.App, fingerprints[step.App], c.ID, millis(now))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// StepStarted and StepDone journal the step at that position of the plan. Who runs the commit gives the number of its lease;
// 0 is for steps behind the commit point, when it has none any more. Errors: changeset.ErrLeaseLost.
func (s *Store) StepStarted(ctx context.Context, commitID string, fence int64, position int, now time.Time) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		if err := holdsLease(ctx, tx, commitID, fence); err != nil {
			return err
		}
		_, err := exec(ctx, tx, `UPDATE steps SET state = $3, started_at = $4 WHERE commit_id = $1 AND position = $2`,
			commitID, position, stepRunning, millis(now))
		return err
	})
}

// StepDone journals that a step is done; for the removal of a generation also that it is gone.
func (s *Store) StepDone(ctx context.Context, commitID string, fence int64, position int, step plan.Step, now time.Time) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		if err := holdsLease(ctx, tx, commitID, fence); err != nil {
			return err
		}
		if step.Kind == plan.RemoveGeneration {
			if _, err := exec(ctx, tx, `DELETE FROM generations WHERE id = $1 AND state = 'retiring'`, step.Generation); err != nil {
				return err
			}
		}
		_, err := exec(ctx, tx, `UPDATE steps SET state = $3, finished_at = $4 WHERE commit_id = $1 AND position = $2`,
			commitID, position, stepDone, millis(now))
		return err
	})
}

// endSteps brings the journal of a commit to its end: a process may have died before it wrote the last of what it did. Steps
// behind the commit point stay as they are: those left are still to be done.
func endSteps(ctx context.Context, tx *sql.Tx, commitID string, end changeset.State, now time.Time) error {
	if end == changeset.Done {
		_, err := exec(ctx, tx, `UPDATE steps SET state = $2, finished_at = $3 WHERE commit_id = $1 AND NOT after AND state <> $2`,
			commitID, stepDone, millis(now))
		return err
	}
	_, err := exec(ctx, tx, `UPDATE steps SET state = $2 WHERE commit_id = $1 AND state <> $3`, commitID, stepUndone, stepPlanned)
	return err
}

func holdsLease(ctx context.Context, tx *sql.Tx, commitID string, fence int64) error {
	if fence == 0 {
		return nil
	}
	var one int64
	ok, err := found(tx.QueryRowContext(ctx, `SELECT 1 FROM commits WHERE id = $1 AND fence = $2 AND state = 'running'`, commitID, fence).Scan(&one))
	if err == nil && !ok {
		return changeset.ErrLeaseLost
	}
	return err
}

// Journal gives the plan of a commit and which of its positions were started and are done.
func (s *Store) Journal(ctx context.Context, commitID string) (p plan.Plan, started, done map[int]bool, err error) {
	started, done = map[int]bool{}, map[int]bool{}
	p.Steps, err = collect(ctx, s.read, func(r *sql.Rows) (step plan.Step, err error) {
		var position int
		var text, state string
		if err := r.Scan(&position, &text, &state); err != nil {
			return step, err
		}
		started[position], done[position] = state != stepPlanned, state == stepDone
		return step, json.Unmarshal([]byte(text), &step)
	}, `SELECT position, step, state FROM steps WHERE commit_id = $1 ORDER BY position`, commitID)
	if err != nil {
		return p, nil, nil, fmt.Errorf("read journal of commit %s: %w", commitID, err)
	}
	return p, started, done, nil
}

// Unfinished lists the commits that are past their commit point and have steps left behind it, with their stages.
func (s *Store) Unfinished(ctx context.Context) (map[string]setops.StageRef, error) {
	type row struct {
		commit string
		ref    setops.StageRef
	}
	rows, err := collect(ctx, s.read, func(r *sql.Rows) (o row, err error) {
		err = r.Scan(&o.commit, &o.ref.ID, &o.ref.Organization, &o.ref.Project, &o.ref.Name)
		return o, err
	}, `SELECT DISTINCT c.id, s.id, o.name, p.name, s.name FROM steps t JOIN commits c ON c.id = t.commit_id
		JOIN stages s ON s.id = c.stage_id JOIN projects p ON p.id = s.project_id JOIN organizations o ON o.id = p.organization_id
		WHERE t.after AND t.state <> 'done' AND c.passed AND c.state = 'done'`)
	if err != nil {
		return nil, err
	}
	all := make(map[string]setops.StageRef, len(rows))
	for _, r := range rows {
		all[r.commit] = r.ref
	}
	return all, nil
}

// Serving gives the generation that serves each app of a stage.
func (s *Store) Serving(ctx context.Context, stageID string) (map[string]plan.Generation, error) {
	all, err := collect(ctx, s.read, func(r *sql.Rows) (g plan.Generation, err error) {
		err = r.Scan(&g.ID, &g.App, &g.Fingerprint)
		return g, err
	}, `SELECT id, app, fingerprint FROM generations WHERE stage_id = $1 AND state = 'serving'`, stageID)
	if err != nil {
		return nil, err
	}
	serving := make(map[string]plan.Generation, len(all))
	for _, g := range all {
		serving[g.App] = g
	}
	return serving, nil
}

// Generations gives the ids of all generations that are starting, serving or retiring, on any stage.
func (s *Store) Generations(ctx context.Context) (map[string]bool, error) {
	ids, err := collect(ctx, s.read, func(r *sql.Rows) (id string, err error) { err = r.Scan(&id); return id, err },
		`SELECT id FROM generations`)
	if err != nil {
		return nil, fmt.Errorf("read generations: %w", err)
	}
	all := make(map[string]bool, len(ids))
	for _, id := range ids {
		all[id] = true
	}
	return all, nil
}
