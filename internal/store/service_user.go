package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// ServiceUsers lists the service users of an organization by name.
func (s *Store) ServiceUsers(ctx context.Context, organizationID string) ([]setops.ServiceUser, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (u setops.ServiceUser, err error) {
		var created int64
		err = r.Scan(&u.ID, &u.Email, &created, &u.CreatedBy)
		u.CreatedAt = fromMillis(created)
		return u, err
	}, `SELECT u.id, u.email, u.created_at, u.created_by FROM users u JOIN members m ON m.user_id = u.id
		WHERE m.organization_id = $1 AND u.service ORDER BY u.email`, organizationID)
}

// AddServiceUser adds a service user with its first role; one that has that very id already is the same one. Errors:
// ValidationFailed where the name is taken.
func (s *Store) AddServiceUser(ctx context.Context, u setops.User, passwordHash, by, scopeID string, role setops.Role, now time.Time, events ...setops.Event) error {
	return s.noting(ctx, events, func(tx *sql.Tx) error {
		if err := isThere(ctx, tx, scopeID); err != nil {
			return err
		}
		var have string
		there, err := found(tx.QueryRowContext(ctx, `SELECT id FROM users WHERE email = $1`, u.Email).Scan(&have))
		switch {
		case err != nil || there && have == u.ID:
			return err
		case there:
			return setops.InvalidInput(setops.ValidationFailed, []setops.Violation{{
				Field: "name", Validator: setops.Taken, Message: "there is a service user of that name; `setops service-user` lists them all",
			}})
		}
		added := newUser{User: u, passwordHash: passwordHash, organizationID: u.OrganizationID, createdBy: by}
		if err := addUser(ctx, tx, added, now); err != nil {
			return err
		}
		return grant(ctx, tx, scopeID, u.ID, role)
	})
}

// ChangePassword gives a user a new password, and makes all tokens of it worthless.
func (s *Store) ChangePassword(ctx context.Context, userID, passwordHash string, events ...setops.Event) error {
	return s.noting(ctx, events, func(tx *sql.Tx) error {
		if _, err := exec(ctx, tx, `UPDATE users SET password_hash = $2 WHERE id = $1`, userID, passwordHash); err != nil {
			return err
		}
		_, err := exec(ctx, tx, `DELETE FROM sessions WHERE user_id = $1`, userID)
		return err
	})
}

// RemoveServiceUser removes a user with its roles, tokens and changesets. Errors: CodeCantRemoveLastAdmin.
func (s *Store) RemoveServiceUser(ctx context.Context, u setops.User, events ...setops.Event) error {
	return s.noting(ctx, events, func(tx *sql.Tx) error {
		if err := keepAdmins(ctx, tx, u, ""); err != nil {
			return err
		}
		_, err := exec(ctx, tx, `DELETE FROM users WHERE id = $1`, u.ID)
		return err
	})
}

// keepAdmins refuses to remove somebody who is the last admin of a project or a stage: of one organization, or anywhere.
func keepAdmins(ctx context.Context, tx *sql.Tx, u setops.User, organizationID string) error {
	names, err := collect(ctx, tx, func(r *sql.Rows) (name string, err error) {
		err = r.Scan(&name)
		return name, err
	}, `SELECT COALESCE('project ' || p.name, 'stage ' || s.name || ' of project ' || sp.name) FROM grants g
		LEFT JOIN projects p ON p.id = g.scope_id
		LEFT JOIN stages s ON s.id = g.scope_id LEFT JOIN projects sp ON sp.id = s.project_id
		WHERE g.user_id = $1 AND g.role = 'admin' AND ($2 = '' OR COALESCE(p.organization_id, sp.organization_id) = $2)
		AND NOT EXISTS (SELECT 1 FROM grants o WHERE o.scope_id = g.scope_id AND o.user_id <> $1 AND o.role = 'admin')
		ORDER BY 1`, u.ID, organizationID)
	if err == nil && len(names) > 0 {
		err = setops.Refuse(setops.CodeCantRemoveLastAdmin,
			"%s is the last admin of %s; invite another with `setops user:invite EMAIL --role admin` first, or destroy it", u.Email, names[0])
	}
	return err
}

// Scopes gives the projects and stages that somebody has a role on.
func (s *Store) Scopes(ctx context.Context, userID string) ([]setops.Scope, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (scope setops.Scope, err error) {
		err = r.Scan(&scope.ProjectID, &scope.StageID)
		return scope, err
	}, `SELECT COALESCE(s.project_id, g.scope_id), COALESCE(s.id, '') FROM grants g LEFT JOIN stages s ON s.id = g.scope_id
		WHERE g.user_id = $1 ORDER BY g.scope_id`, userID)
}
