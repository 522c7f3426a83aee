package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// Grants lists who has a role on a project or a stage, and who was invited to one, by address.
func (s *Store) Grants(ctx context.Context, scopeID string, now time.Time) ([]setops.Grant, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (g setops.Grant, err error) {
		err = r.Scan(&g.Email, &g.Role, &g.Service, &g.Invited)
		return g, err
	}, `SELECT u.email AS email, g.role, u.service, FALSE FROM grants g JOIN users u ON u.id = g.user_id WHERE g.scope_id = $1
		UNION ALL SELECT email, role, FALSE, TRUE FROM invitations WHERE scope_id = $1 AND expires_at > $2 ORDER BY email`, scopeID, millis(now))
}

// AddGrant gives a user a role on a project or a stage. Errors: CodePermissionAlreadyExist where there is one.
func (s *Store) AddGrant(ctx context.Context, scopeID string, u setops.User, role setops.Role, events ...setops.Event) error {
	return s.noting(ctx, events, func(tx *sql.Tx) error {
		if err := isThere(ctx, tx, scopeID); err != nil {
			return err
		}
		var have setops.Role
		there, err := found(tx.QueryRowContext(ctx, `SELECT role FROM grants WHERE scope_id = $1 AND user_id = $2`, scopeID, u.ID).Scan(&have))
		if err != nil {
			return err
		}
		if there {
			return setops.Refuse(setops.CodePermissionAlreadyExist,
				"%s has the role %s already; to change it, remove them with `setops user:remove %s` and invite them again", u.Email, have, u.Email)
		}
		if _, err := exec(ctx, tx, `DELETE FROM invitations WHERE scope_id = $1 AND email = $2`, scopeID, u.Email); err != nil {
			return err
		}
		return grant(ctx, tx, scopeID, u.ID, role)
	})
}

// RemoveGrant takes a role away and gives what it was. Errors: CodePermissionDoesNotExist; CodeCantRemoveLastAdmin.
func (s *Store) RemoveGrant(ctx context.Context, scopeID string, u setops.User, events ...setops.Event) (role setops.Role, err error) {
	err = s.noting(ctx, events, func(tx *sql.Tx) error {
		there, err := found(tx.QueryRowContext(ctx, `SELECT role FROM grants WHERE scope_id = $1 AND user_id = $2`, scopeID, u.ID).Scan(&role))
		if err != nil {
			return err
		}
		if !there {
			return setops.Refuse(setops.CodePermissionDoesNotExist, "%s has no role here; `setops user` lists who has one", u.Email)
		}
		if role == setops.Admin {
			if err := keepAnAdmin(ctx, tx, scopeID, u); err != nil {
				return err
			}
		}
		_, err = exec(ctx, tx, `DELETE FROM grants WHERE scope_id = $1 AND user_id = $2`, scopeID, u.ID)
		return err
	})
	return role, err
}

func keepAnAdmin(ctx context.Context, tx *sql.Tx, scopeID string, u setops.User) error {
	var others bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM grants WHERE scope_id = $1 AND user_id <> $2 AND role = 'admin')`, scopeID, u.ID).Scan(&others)
	if err == nil && !others {
		err = setops.Refuse(setops.CodeCantRemoveLastAdmin,
			"%s is the last admin here, and without one nobody could manage it; invite another with `setops user:invite EMAIL --role admin` first", u.Email)
	}
	return err
}

// Member gives a member of an organization by address, or a service user of it by name; ok is false where there is none.
func (s *Store) Member(ctx context.Context, organization, email string) (setops.User, bool, error) {
	u, _, ok, err := s.Login(ctx, organization, email)
	return u, ok, err
}

// Organizations lists the organizations that somebody belongs to, by name.
func (s *Store) Organizations(ctx context.Context, userID string) ([]setops.Organization, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (o setops.Organization, err error) {
		err = r.Scan(&o.ID, &o.Name, &o.Admin)
		return o, err
	}, `SELECT o.id, o.name, m.admin FROM members m JOIN organizations o ON o.id = m.organization_id WHERE m.user_id = $1 ORDER BY o.name`, userID)
}

// forgetRoles takes away what hangs on a scope that is removed.
func forgetRoles(ctx context.Context, tx *sql.Tx, scopeID string) error {
	for _, forget := range []string{`DELETE FROM grants WHERE scope_id = $1`, `DELETE FROM invitations WHERE scope_id = $1`} {
		if _, err := exec(ctx, tx, forget, scopeID); err != nil {
			return err
		}
	}
	return nil
}
