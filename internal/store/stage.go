package store

import (
	"cmp"
	"context"
	"database/sql"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

const stageColumns = `id, project_id, name, created_at, created_by, version, destroying, settings`

// AddStage adds a stage with its creator as admin. Errors: StageAlreadyExists, ProjectDoesNotExist for one that is being destroyed.
func (s *Store) AddStage(ctx context.Context, st setops.Stage, u setops.User, events ...setops.Event) error {
	return s.noting(ctx, events, func(tx *sql.Tx) error {
		var destroying bool
		if _, err := found(tx.QueryRowContext(ctx, `SELECT destroying FROM projects WHERE id = $1`, st.ProjectID).Scan(&destroying)); err != nil {
			return err
		}
		if destroying {
			return setops.Refuse(setops.ProjectDoesNotExist, "the project is being destroyed; it gets no new stages")
		}
		_, err := exec(ctx, tx, `INSERT INTO stages (id, project_id, name, created_at, created_by) VALUES ($1, $2, $3, $4, $5)`,
			st.ID, st.ProjectID, st.Name, millis(st.CreatedAt), st.CreatedBy)
		if isTaken(err) {
			return setops.Refuse(setops.StageAlreadyExists, "there is a stage %q in this project already; choose another name, or add --ignore-exists", st.Name)
		}
		if err != nil {
			return err
		}
		return grant(ctx, tx, st.ID, u.ID, setops.Admin)
	})
}

// Stages lists the stages of a project by name.
func (s *Store) Stages(ctx context.Context, projectID string) ([]setops.Stage, error) {
	return collect(ctx, s.read, scanStage, `SELECT `+stageColumns+` FROM stages WHERE project_id = $1 ORDER BY name`, projectID)
}

// Stage gives a stage by name; ok is false where there is none.
func (s *Store) Stage(ctx context.Context, projectID, name string) (setops.Stage, bool, error) {
	return first(collect(ctx, s.read, scanStage, `SELECT `+stageColumns+` FROM stages WHERE project_id = $1 AND name = $2`, projectID, name))
}

const selectRef = `SELECT s.id, o.name, p.name, s.name FROM stages s JOIN projects p ON p.id = s.project_id
	JOIN organizations o ON o.id = p.organization_id`

func scanRef(r *sql.Rows) (ref setops.StageRef, err error) {
	err = r.Scan(&ref.ID, &ref.Organization, &ref.Project, &ref.Name)
	return ref, err
}

// StageRef gives a stage with the names that engines and routers need; ok is false where there is none.
func (s *Store) StageRef(ctx context.Context, id string) (setops.StageRef, bool, error) {
	return first(collect(ctx, s.read, scanRef, selectRef+` WHERE s.id = $1`, id))
}

// Fence gives the number of the newest lease of a stage; 0: there was none.
func (s *Store) Fence(ctx context.Context, stageID string) (fence int64, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT fence FROM stages WHERE id = $1`, stageID).Scan(&fence)
	return fence, err
}

// Version gives how many committed states a stage has had.
func (s *Store) Version(ctx context.Context, stageID string) (version int64, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT version FROM stages WHERE id = $1`, stageID).Scan(&version)
	return version, err
}

// StageRefs gives every stage with the names that engines and routers need.
func (s *Store) StageRefs(ctx context.Context) ([]setops.StageRef, error) {
	return collect(ctx, s.read, scanRef, selectRef+` WHERE NOT s.destroying ORDER BY s.id`)
}

// Destroying gives the stages that are being taken down.
func (s *Store) Destroying(ctx context.Context) ([]setops.StageRef, error) {
	return collect(ctx, s.read, scanRef, selectRef+` WHERE s.destroying ORDER BY s.id`)
}

// MarkDestroying says that a stage is being taken down, so that nothing new is begun on it and a restart goes on: commits that
// wait end, and one that runs is asked to end. It tells whether one runs still.
func (s *Store) MarkDestroying(ctx context.Context, stageID, by string, now time.Time, events ...setops.Event) (busy bool, err error) {
	err = s.noting(ctx, events, func(tx *sql.Tx) error {
		if _, err := exec(ctx, tx, `UPDATE stages SET destroying = TRUE WHERE id = $1`, stageID); err != nil {
			return err
		}
		_, err := exec(ctx, tx, `UPDATE commits SET cancelled_by = $2 WHERE stage_id = $1 AND cancelled_by = '' AND NOT passed
			AND state IN ('queued', 'running')`, stageID, cmp.Or(by, "the server"))
		if err != nil {
			return err
		}
		_, err = exec(ctx, tx, `UPDATE commits SET state = 'cancelled', finished_at = $2 WHERE stage_id = $1 AND state = 'queued'`, stageID, millis(now))
		if err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM commits WHERE stage_id = $1 AND state = 'running')`, stageID).Scan(&busy)
	})
	return busy, err
}

// RemoveStage removes a stage with all that belongs to it.
func (s *Store) RemoveStage(ctx context.Context, id string) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		if err := forgetRoles(ctx, tx, id); err != nil {
			return err
		}
		_, err := exec(ctx, tx, `DELETE FROM stages WHERE id = $1`, id)
		return err
	})
}

func scanStage(r *sql.Rows) (st setops.Stage, err error) {
	var created int64
	var settings string
	if err := r.Scan(&st.ID, &st.ProjectID, &st.Name, &created, &st.CreatedBy, &st.Version, &st.Destroying, &settings); err != nil {
		return st, err
	}
	st.CreatedAt = fromMillis(created)
	var spec setops.Spec
	err = decodeSettings(settings, &spec)
	st.LogRetention = spec.LogRetention
	return st, err
}

func commitRunning() error {
	return &setops.Error{
		Kind: setops.StateError, Code: setops.CommitAlreadyRunning, Temporary: true,
		Message: "another commit of this stage is running or waits; try again when it has ended",
	}
}
