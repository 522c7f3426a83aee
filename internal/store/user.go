package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// AddOrganization adds an organization, if it is not there, and gives its id.
func (s *Store) AddOrganization(ctx context.Context, id, name string, now time.Time) (string, error) {
	var have string
	err := s.change(ctx, func(tx *sql.Tx) error {
		_, err := exec(ctx, tx, `INSERT INTO organizations (id, name, created_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING`,
			id, name, millis(now))
		if err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT id FROM organizations WHERE name = $1`, name).Scan(&have)
	})
	return have, err
}

// AddUser adds a user and makes it a member of the organization, or an admin of it.
func (s *Store) AddUser(ctx context.Context, u setops.User, passwordHash, organizationID string, now time.Time) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		return addUser(ctx, tx, newUser{User: u, passwordHash: passwordHash, organizationID: organizationID}, now)
	})
}

// newUser is a user with what only the store knows of it.
type newUser struct {
	setops.User
	passwordHash, organizationID, createdBy string
}

func addUser(ctx context.Context, tx *sql.Tx, u newUser, now time.Time) error {
	_, err := exec(ctx, tx, `INSERT INTO users (id, email, password_hash, created_at, service, created_by) VALUES ($1, $2, $3, $4, $5, $6)`,
		u.ID, u.Email, u.passwordHash, millis(now), u.Service, u.createdBy)
	if err != nil {
		return err
	}
	return join(ctx, tx, u.organizationID, u.ID, u.Admin)
}

// join makes somebody a member of an organization, or an admin; whoever is more already stays that.
func join(ctx context.Context, tx *sql.Tx, organizationID, userID string, admin bool) error {
	_, err := exec(ctx, tx, `INSERT INTO members (organization_id, user_id, admin) VALUES ($1, $2, $3)
		ON CONFLICT (organization_id, user_id) DO UPDATE SET admin = members.admin OR excluded.admin`, organizationID, userID, admin)
	return err
}

// CountUsers tells how many users there are.
func (s *Store) CountUsers(ctx context.Context) (n int, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT count(*) FROM users`).Scan(&n)
	return n, named(err)
}

// Login gives what is needed to check a password: ok is false where there is no such member of the organization. A service user
// is known by its name alone, too.
func (s *Store) Login(ctx context.Context, organization, email string) (u setops.User, passwordHash string, ok bool, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT u.id, u.email, u.password_hash, u.service, m.admin, o.id, o.name
		FROM users u JOIN members m ON m.user_id = u.id JOIN organizations o ON o.id = m.organization_id
		WHERE o.name = $1 AND (u.email = $2 OR (u.service AND u.email = $3))`, organization, email, setops.ServiceEmail(email, organization)).
		Scan(&u.ID, &u.Email, &passwordHash, &u.Service, &u.Admin, &u.OrganizationID, &u.Organization)
	ok, err = found(err)
	return u, passwordHash, ok, err
}

// Memberships gives who the person of an e-mail address is in each of its organizations, by their names.
func (s *Store) Memberships(ctx context.Context, email string) ([]setops.User, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (u setops.User, err error) {
		err = r.Scan(&u.ID, &u.Email, &u.Admin, &u.OrganizationID, &u.Organization)
		return u, err
	}, `SELECT u.id, u.email, m.admin, o.id, o.name
		FROM users u JOIN members m ON m.user_id = u.id JOIN organizations o ON o.id = m.organization_id
		WHERE u.email = $1 AND NOT u.service ORDER BY o.name`, email)
}

// Roles gives the roles of a user by the id of the project or stage.
func (s *Store) Roles(ctx context.Context, userID string) (map[string]setops.Role, error) {
	roles := map[string]setops.Role{}
	_, err := collect(ctx, s.read, func(r *sql.Rows) (none struct{}, err error) {
		var scope string
		var role setops.Role
		err = r.Scan(&scope, &role)
		roles[scope] = role
		return none, err
	}, `SELECT scope_id, role FROM grants WHERE user_id = $1`, userID)
	if err != nil {
		return nil, err
	}
	return roles, nil
}

// Grant gives a user a role on a project or stage.
func (s *Store) Grant(ctx context.Context, scopeID, userID string, role setops.Role) error {
	return s.change(ctx, func(tx *sql.Tx) error { return grant(ctx, tx, scopeID, userID, role) })
}

func grant(ctx context.Context, tx *sql.Tx, scopeID, userID string, role setops.Role) error {
	_, err := exec(ctx, tx, `INSERT INTO grants (scope_id, user_id, role) VALUES ($1, $2, $3)
		ON CONFLICT (scope_id, user_id) DO UPDATE SET role = excluded.role`, scopeID, userID, role)
	return err
}

// found turns "no rows" into false.
func found(err error) (bool, error) {
	if errors.Is(err, sql.ErrNoRows) || isUnstorable(err) {
		return false, nil
	}
	return err == nil, named(err)
}
