package store

import (
	"context"
	"database/sql"

	"github.com/setopsco/setops/internal/setops"
)

// AddProject adds a project with its creator as admin. Errors: ProjectAlreadyExists.
func (s *Store) AddProject(ctx context.Context, organizationID string, p setops.Project, u setops.User, events ...setops.Event) error {
	return s.noting(ctx, events, func(tx *sql.Tx) error {
		_, err := exec(ctx, tx, `INSERT INTO projects (id, organization_id, name, created_at, created_by) VALUES ($1, $2, $3, $4, $5)`,
			p.ID, organizationID, p.Name, millis(p.CreatedAt), p.CreatedBy)
		if isTaken(err) {
			return setops.Refuse(setops.ProjectAlreadyExists, "there is a project %q already; choose another name, or add --ignore-exists", p.Name)
		}
		if err != nil {
			return err
		}
		return grant(ctx, tx, p.ID, u.ID, setops.Admin)
	})
}

// Projects lists the projects of an organization by name.
func (s *Store) Projects(ctx context.Context, organizationID string) ([]setops.Project, error) {
	return collect(ctx, s.read, scanProject,
		`SELECT id, name, created_at, created_by FROM projects WHERE organization_id = $1 ORDER BY name`, organizationID)
}

// Project gives a project by name; ok is false where there is none.
func (s *Store) Project(ctx context.Context, organizationID, name string) (p setops.Project, ok bool, err error) {
	all, err := collect(ctx, s.read, scanProject,
		`SELECT id, name, created_at, created_by FROM projects WHERE organization_id = $1 AND name = $2`, organizationID, name)
	return first(all, err)
}

// MarkProjectDestroying says that a project is being taken down, so that it gets no new stages and a restart goes on.
func (s *Store) MarkProjectDestroying(ctx context.Context, id string, events ...setops.Event) error {
	return s.noting(ctx, events, func(tx *sql.Tx) error {
		_, err := exec(ctx, tx, `UPDATE projects SET destroying = TRUE WHERE id = $1`, id)
		return err
	})
}

// DestroyingProjects gives the projects that are being taken down, each with its organization and no stage.
func (s *Store) DestroyingProjects(ctx context.Context) (refs []setops.StageRef, ids []string, err error) {
	refs, err = collect(ctx, s.read, func(r *sql.Rows) (ref setops.StageRef, err error) {
		var id string
		err = r.Scan(&id, &ref.Organization, &ref.Project)
		ids = append(ids, id)
		return ref, err
	}, `SELECT p.id, o.name, p.name FROM projects p JOIN organizations o ON o.id = p.organization_id WHERE p.destroying ORDER BY p.id`)
	return refs, ids, err
}

// RemoveProject removes a project. It must have no stages.
func (s *Store) RemoveProject(ctx context.Context, id string) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		if err := forgetRoles(ctx, tx, id); err != nil {
			return err
		}
		_, err := exec(ctx, tx, `DELETE FROM projects WHERE id = $1`, id)
		return err
	})
}

func scanProject(r *sql.Rows) (p setops.Project, err error) {
	var created int64
	err = r.Scan(&p.ID, &p.Name, &created, &p.CreatedBy)
	p.CreatedAt = fromMillis(created)
	return p, err
}

func first[T any](all []T, err error) (one T, ok bool, _ error) {
	if err != nil || len(all) == 0 {
		return one, false, err
	}
	return all[0], true, nil
}
