package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// AddEvent adds an event to the audit log. One of that id that is there already counts once more where repeated is true, else it
// stays as it is.
func (s *Store) AddEvent(ctx context.Context, e setops.Event, repeated bool) error {
	again := onceOnly
	if repeated {
		again = ` ON CONFLICT (id) DO UPDATE SET times = audit.times + 1, at = excluded.at`
	}
	return s.change(ctx, func(tx *sql.Tx) error { return addEvent(ctx, tx, e, again) })
}

// noting is change with the events that tell of it: both are done, or none.
func (s *Store) noting(ctx context.Context, events []setops.Event, f func(tx *sql.Tx) error) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		if err := f(tx); err != nil {
			return err
		}
		return addEvents(ctx, tx, events)
	})
}

// addEvents writes events in the transaction of what they tell of. One that is there is that of the same request, which came again.
func addEvents(ctx context.Context, tx *sql.Tx, events []setops.Event) error {
	for _, e := range events {
		if err := addEvent(ctx, tx, e, onceOnly); err != nil {
			return err
		}
	}
	return nil
}

const onceOnly = ` ON CONFLICT (id) DO NOTHING`

func addEvent(ctx context.Context, tx *sql.Tx, e setops.Event, again string) error {
	_, err := exec(ctx, tx, `INSERT INTO audit (id, at, organization_id, project_id, project, stage_id, stage, who, action, what, address, times)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`+again,
		e.ID, millis(e.At), e.OrganizationID, e.ProjectID, e.Project, e.StageID, e.Stage, e.Who, e.Action, e.What, e.Address, e.Times)
	return err
}

// Events gives the newest events that are asked for, oldest first.
func (s *Store) Events(ctx context.Context, q setops.EventQuery) ([]setops.Event, error) {
	where, scope := `organization_id`, q.OrganizationID
	switch {
	case q.StageID != "":
		where, scope = `stage_id`, q.StageID
	case q.ProjectID != "":
		where, scope = `project_id`, q.ProjectID
	}
	before := int64(1<<63 - 1)
	if !q.Before.IsZero() {
		before = millis(q.Before)
	}
	after := int64(-1)
	if !q.After.IsZero() {
		after = millis(q.After)
	}
	all, err := collect(ctx, s.read, scanEvent, `SELECT id, at, organization_id, project_id, project, stage_id, stage, who, action, what, address, times
		FROM audit WHERE `+where+` = $1 AND at > $2 AND at < $3 ORDER BY at DESC, id LIMIT $4`, scope, after, before, q.Limit)
	slices.Reverse(all)
	return all, err
}

func scanEvent(r *sql.Rows) (e setops.Event, err error) {
	var at int64
	err = r.Scan(&e.ID, &at, &e.OrganizationID, &e.ProjectID, &e.Project, &e.StageID, &e.Stage, &e.Who, &e.Action, &e.What, &e.Address, &e.Times)
	e.At = fromMillis(at)
	return e, err
}

// PruneEvents removes events that are older.
func (s *Store) PruneEvents(ctx context.Context, before time.Time) (n int64, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		n, err = exec(ctx, tx, `DELETE FROM audit WHERE at < $1`, millis(before))
		return err
	})
	return n, err
}

// OrganizationNamed gives the id of an organization; ok is false where there is none.
func (s *Store) OrganizationNamed(ctx context.Context, name string) (id string, ok bool, err error) {
	ok, err = found(s.read.QueryRowContext(ctx, `SELECT id FROM organizations WHERE name = $1`, name).Scan(&id))
	return id, ok, err
}
