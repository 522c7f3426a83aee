package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// AllOrganizations lists all that there are, by name.
func (s *Store) AllOrganizations(ctx context.Context) ([]setops.Organization, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (o setops.Organization, err error) {
		err = r.Scan(&o.ID, &o.Name)
		return o, err
	}, `SELECT id, name FROM organizations ORDER BY name`)
}

// FirstOrganization gives the name of the oldest organization, which stays that: none is ever removed. Empty: there is none.
func (s *Store) FirstOrganization(ctx context.Context) (name string, err error) {
	_, err = found(s.read.QueryRowContext(ctx, `SELECT name FROM organizations ORDER BY created_at, id LIMIT 1`).Scan(&name))
	return name, err
}

// Members lists who belongs to an organization, and who was invited to it, by address.
func (s *Store) Members(ctx context.Context, organizationID string, now time.Time) ([]setops.Grant, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (g setops.Grant, err error) {
		err = r.Scan(&g.Email, &g.Role, &g.Service, &g.Invited)
		return g, err
	}, `SELECT u.email AS email, CASE WHEN m.admin THEN 'admin' ELSE 'member' END, u.service, FALSE
		FROM members m JOIN users u ON u.id = m.user_id WHERE m.organization_id = $1
		UNION ALL SELECT email, role, FALSE, TRUE FROM invitations WHERE scope_id = $1 AND expires_at > $2 ORDER BY email`,
		organizationID, millis(now))
}

// Join makes somebody a member of an organization, or an admin of it.
func (s *Store) Join(ctx context.Context, organizationID, userID string, admin bool) error {
	return s.change(ctx, func(tx *sql.Tx) error { return join(ctx, tx, organizationID, userID, admin) })
}

// Leave takes somebody out of an organization, with all roles and invitations there, and removes an account that belongs to no
// other. It gives what they were. Errors: CodePermissionDoesNotExist, CodeCantRemoveLastAdmin.
func (s *Store) Leave(ctx context.Context, organizationID, email string) (gone setops.Grant, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		gone = setops.Grant{Email: email, Role: setops.Member}
		invited, err := exec(ctx, tx, `DELETE FROM invitations WHERE organization_id = $1 AND email = $2`, organizationID, email)
		if err != nil {
			return err
		}
		u, there, err := member(ctx, tx, organizationID, email)
		if err != nil {
			return err
		}
		if gone.Invited = !there && invited > 0; gone.Invited {
			return nil
		}
		if !there {
			return setops.Refuse(setops.CodePermissionDoesNotExist, "%s does not belong to this organization; `setopsd user` lists who does", email)
		}
		if u.Admin {
			gone.Role = setops.Admin
		}
		gone.Service = u.Service
		return leave(ctx, tx, organizationID, u)
	})
	return gone, err
}

func member(ctx context.Context, tx *sql.Tx, organizationID, email string) (u setops.User, ok bool, err error) {
	ok, err = found(tx.QueryRowContext(ctx, `SELECT u.id, u.email, u.service, m.admin FROM members m JOIN users u ON u.id = m.user_id
		WHERE m.organization_id = $1 AND u.email = $2`, organizationID, email).Scan(&u.ID, &u.Email, &u.Service, &u.Admin))
	return u, ok, err
}

func leave(ctx context.Context, tx *sql.Tx, organizationID string, u setops.User) error {
	if err := keepAdmins(ctx, tx, u, organizationID); err != nil {
		return err
	}
	for _, forget := range []string{
		`DELETE FROM grants WHERE user_id = $2 AND (scope_id IN (SELECT id FROM projects WHERE organization_id = $1)
			OR scope_id IN (SELECT s.id FROM stages s JOIN projects p ON p.id = s.project_id WHERE p.organization_id = $1))`,
		`DELETE FROM members WHERE organization_id = $1 AND user_id = $2`,
	} {
		if _, err := exec(ctx, tx, forget, organizationID, u.ID); err != nil {
			return err
		}
	}
	_, err := exec(ctx, tx, `DELETE FROM users WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM members WHERE user_id = $1)`, u.ID)
	return err
}
