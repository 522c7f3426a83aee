package store

import (
	"context"
	"database/sql"

	"github.com/setopsco/setops/internal/setops"
)

const stageColumns = `id, project_id, name, created_at, created_by, version, destroying`

// AddStage adds a stage with its creator as admin. Errors: StageAlreadyExists.
func (s *Store) AddStage(ctx context.Context, st setops.Stage, u setops.User) error {
	return s.change(ctx, func(tx *sql.Tx) error {
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

// StageRefs gives every stage with the names that engines and routers need, and whether it is being destroyed.
func (s *Store) StageRefs(ctx context.Context) ([]setops.StageRef, []bool, error) {
	var destroying []bool
	refs, err := collect(ctx, s.read, func(r *sql.Rows) (ref setops.StageRef, err error) {
		var d bool
		err = r.Scan(&ref.ID, &ref.Organization, &ref.Project, &ref.Name, &d)
		destroying = append(destroying, d)
		return ref, err
	}, `SELECT s.id, o.name, p.name, s.name, s.destroying FROM stages s JOIN projects p ON p.id = s.project_id
		JOIN organizations o ON o.id = p.organization_id ORDER BY s.id`)
	return refs, destroying, err
}

// MarkDestroying says that a stage is being taken down, so that nothing new is begun on it and a restart goes on.
// Errors: CommitAlreadyRunning while a commit of it runs.
func (s *Store) MarkDestroying(ctx context.Context, stageID string) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		var running int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM commits WHERE stage_id = $1 AND state = 'running'`, stageID).Scan(&running); err != nil {
			return err
		}
		if running > 0 {
			return commitRunning()
		}
		_, err := exec(ctx, tx, `UPDATE stages SET destroying = TRUE WHERE id = $1`, stageID)
		return err
	})
}

// RemoveStage removes a stage with all that belongs to it.
func (s *Store) RemoveStage(ctx context.Context, id string) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		if _, err := exec(ctx, tx, `DELETE FROM grants WHERE scope_id = $1`, id); err != nil {
			return err
		}
		_, err := exec(ctx, tx, `DELETE FROM stages WHERE id = $1`, id)
		return err
	})
}

func scanStage(r *sql.Rows) (st setops.Stage, err error) {
	var created int64
	err = r.Scan(&st.ID, &st.ProjectID, &st.Name, &created, &st.CreatedBy, &st.Version, &st.Destroying)
	st.CreatedAt = fromMillis(created)
	return st, err
}

func commitRunning() error {
	return &setops.Error{
		Kind: setops.StateError, Code: setops.CommitAlreadyRunning, Temporary: true,
		Message: "another commit of this stage is running; try again when it has ended",
	}
}
