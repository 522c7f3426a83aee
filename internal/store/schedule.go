package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// saveSchedules writes which schedules there are from a commit on. One that is new, or due at other times than before, was never
// due: what would have been before is none of its.
func saveSchedules(ctx context.Context, tx *sql.Tx, stageID string, before, after setops.Spec, now time.Time) error {
	for name, was := range before.Apps {
		shall := after.Apps[name]
		for schedule, s := range was.Schedules {
			if shall != nil && shall.Committed && shall.Schedules[schedule].Cron == s.Cron {
				continue
			}
			_, err := exec(ctx, tx, `DELETE FROM schedules WHERE stage_id = $1 AND app = $2 AND name = $3`, stageID, name, schedule)
			if err != nil {
				return err
			}
		}
	}
	for name, app := range after.Apps {
		for schedule := range app.Schedules {
			_, err := exec(ctx, tx, `INSERT INTO schedules (stage_id, app, name, since) VALUES ($1, $2, $3, $4)
				ON CONFLICT (stage_id, app, name) DO NOTHING`, stageID, name, schedule, millis(now))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// Schedules gives the committed schedules of all stages that are not being destroyed, sorted.
func (s *Store) Schedules(ctx context.Context) ([]setops.CommittedSchedule, error) {
	return s.schedules(ctx, `NOT g.destroying`)
}

// SchedulesOf gives those of one app.
func (s *Store) SchedulesOf(ctx context.Context, stageID, app string) ([]setops.CommittedSchedule, error) {
	return s.schedules(ctx, `s.stage_id = $1 AND s.app = $2`, stageID, app)
}

func (s *Store) schedules(ctx context.Context, where string, args ...any) ([]setops.CommittedSchedule, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (c setops.CommittedSchedule, err error) {
		var since, due int64
		var run, app string
		if err := r.Scan(&c.StageID, &c.App, &c.Name, &since, &due, &run, &app); err != nil {
			return c, err
		}
		a, err := decodeApp(c.App, app)
		if err != nil {
			return c, err
		}
		c.Schedule, c.Since, c.Due = a.Schedules[c.Name], fromMillis(since), maybeMillis(due)
		if err := json.Unmarshal([]byte(run), &c.Last); err != nil {
			return c, fmt.Errorf("read run of schedule %s: %w", c.Name, err)
		}
		return c, nil
	}, `SELECT s.stage_id, s.app, s.name, s.since, s.due, s.last_run, a.spec FROM schedules s
		JOIN apps a ON a.stage_id = s.stage_id AND a.name = s.app JOIN stages g ON g.id = s.stage_id
		WHERE `+where+` ORDER BY s.stage_id, s.app, s.name`, args...)
}

// ClaimRun says that a schedule is seen to until due, with what its last run is from then on, for whoever asks first: claimed is
// false for all others, and where the schedule is not there any more.
func (s *Store) ClaimRun(ctx context.Context, c setops.CommittedSchedule, due time.Time, last setops.ScheduleRun) (claimed bool, err error) {
	text, err := json.Marshal(last)
	if err != nil {
		return false, err
	}
	err = s.change(ctx, func(tx *sql.Tx) error {
		n, err := exec(ctx, tx, `UPDATE schedules SET due = $4, last_run = $5 WHERE stage_id = $1 AND app = $2 AND name = $3 AND due < $4 AND since = $6`,
			c.StageID, c.App, c.Name, millis(due), string(text), millis(c.Since))
		claimed = n == 1
		return err
	})
	return claimed && err == nil, err
}

// SetRun says what became of the last run. It changes nothing where the schedule is seen to further than c.Due meanwhile.
func (s *Store) SetRun(ctx context.Context, c setops.CommittedSchedule, last setops.ScheduleRun) error {
	text, err := json.Marshal(last)
	if err != nil {
		return err
	}
	return s.change(ctx, func(tx *sql.Tx) error {
		_, err := exec(ctx, tx, `UPDATE schedules SET last_run = $5 WHERE stage_id = $1 AND app = $2 AND name = $3 AND due = $4`,
			c.StageID, c.App, c.Name, orZero(c.Due), string(text))
		return err
	})
}
