package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

const selectInvitations = `SELECT i.id, i.email, o.id, o.name, i.scope_id, COALESCE(p.name, sp.name, ''), COALESCE(s.name, ''), i.role, i.invited_by,
	i.created_at, i.expires_at, EXISTS (SELECT 1 FROM users u WHERE u.email = i.email)
	FROM invitations i JOIN organizations o ON o.id = i.organization_id
	LEFT JOIN projects p ON p.id = i.scope_id
	LEFT JOIN stages s ON s.id = i.scope_id LEFT JOIN projects sp ON sp.id = s.project_id`

func scanInvitation(r *sql.Rows) (i setops.Invitation, err error) {
	var created, expires int64
	err = r.Scan(&i.ID, &i.Email, &i.OrganizationID, &i.Organization, &i.ScopeID, &i.Project, &i.Stage, &i.Role, &i.InvitedBy,
		&created, &expires, &i.HasAccount)
	i.CreatedAt, i.ExpiresAt = fromMillis(created), fromMillis(expires)
	return i, err
}

// AddInvitation remembers an invitation, by the hash of its token, in place of one of the same address to the same scope.
func (s *Store) AddInvitation(ctx context.Context, i setops.Invitation, tokenHash string, events ...setops.Event) error {
	return s.noting(ctx, events, func(tx *sql.Tx) error {
		if err := isThere(ctx, tx, i.ScopeID); err != nil {
			return err
		}
		if _, err := exec(ctx, tx, `DELETE FROM invitations WHERE expires_at <= $1 OR (scope_id = $2 AND email = $3)`,
			millis(i.CreatedAt), i.ScopeID, i.Email); err != nil {
			return err
		}
		_, err := exec(ctx, tx, `INSERT INTO invitations (id, token_hash, organization_id, scope_id, email, role, invited_by, created_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			i.ID, tokenHash, i.OrganizationID, i.ScopeID, i.Email, i.Role, i.InvitedBy, millis(i.CreatedAt), millis(i.ExpiresAt))
		return err
	})
}

// isThere refuses a scope that was destroyed while somebody was about to get a role on it.
func isThere(ctx context.Context, tx *sql.Tx, scopeID string) error {
	var there bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM projects WHERE id = $1) OR EXISTS (SELECT 1 FROM stages WHERE id = $1)
		OR EXISTS (SELECT 1 FROM organizations WHERE id = $1)`, scopeID).Scan(&there)
	if err == nil && !there {
		err = setops.Refuse(setops.ProjectDoesNotExist, "what this role is about was destroyed meanwhile")
	}
	return err
}

// Invitation gives the invitation that a token is of; ok is false where it is unknown, was accepted or withdrawn, or has expired.
func (s *Store) Invitation(ctx context.Context, tokenHash string, now time.Time) (setops.Invitation, bool, error) {
	return invitation(ctx, s.read, tokenHash, now)
}

// InvitationsTo lists the invitations that wait for whoever has an e-mail address, oldest first.
func (s *Store) InvitationsTo(ctx context.Context, email string, now time.Time) ([]setops.Invitation, error) {
	return collect(ctx, s.read, scanInvitation, selectInvitations+` WHERE i.email = $1 AND i.expires_at > $2 ORDER BY i.created_at, i.id`, email, millis(now))
}

func invitation(ctx context.Context, q querier, tokenHash string, now time.Time) (setops.Invitation, bool, error) {
	return first(collect(ctx, q, scanInvitation, selectInvitations+` WHERE i.token_hash = $1 AND i.expires_at > $2`, tokenHash, millis(now)))
}

// AcceptInvitation gives somebody what an invitation promises, and forgets it. u.ID is that of the account that its address has
// already, or the one of a new account, which then gets the password. Errors: InvitationGone.
func (s *Store) AcceptInvitation(ctx context.Context, tokenHash string, u setops.User, passwordHash string, now time.Time) (setops.User, error) {
	err := s.change(ctx, func(tx *sql.Tx) error {
		i, ok, err := invitation(ctx, tx, tokenHash, now)
		if err != nil {
			return err
		}
		if !ok {
			return setops.InvitationGone()
		}
		u.Email, u.OrganizationID, u.Organization = i.Email, i.OrganizationID, i.Organization
		u.Admin = i.ScopeID == i.OrganizationID && i.Role == setops.Admin
		if err := s.takeIn(ctx, tx, u, passwordHash, i.InvitedBy, now); err != nil {
			return err
		}
		if i.ScopeID != i.OrganizationID {
			if _, err := exec(ctx, tx, `INSERT INTO grants (scope_id, user_id, role) VALUES ($1, $2, $3) ON CONFLICT (scope_id, user_id) DO NOTHING`,
				i.ScopeID, u.ID, i.Role); err != nil {
				return err
			}
		}
		_, err = exec(ctx, tx, `DELETE FROM invitations WHERE id = $1`, i.ID)
		return err
	})
	return u, err
}

// takeIn makes the account where there is none, and a member of it.
func (s *Store) takeIn(ctx context.Context, tx *sql.Tx, u setops.User, passwordHash, by string, now time.Time) error {
	var have string
	there, err := found(tx.QueryRowContext(ctx, `SELECT id FROM users WHERE email = $1`, u.Email).Scan(&have))
	if err != nil {
		return err
	}
	if !there {
		return addUser(ctx, tx, newUser{User: u, passwordHash: passwordHash, organizationID: u.OrganizationID, createdBy: by}, now)
	}
	if have != u.ID { // it was made since somebody looked
		return setops.InvitationGone()
	}
	return join(ctx, tx, u.OrganizationID, u.ID, u.Admin)
}

// RemoveInvitation withdraws an invitation to a scope; ok is false where there is none.
func (s *Store) RemoveInvitation(ctx context.Context, scopeID, email string, events ...setops.Event) (role setops.Role, ok bool, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		if ok, err = found(tx.QueryRowContext(ctx, `SELECT role FROM invitations WHERE scope_id = $1 AND email = $2`, scopeID, email).Scan(&role)); !ok {
			return err
		}
		if _, err := exec(ctx, tx, `DELETE FROM invitations WHERE scope_id = $1 AND email = $2`, scopeID, email); err != nil {
			return err
		}
		return addEvents(ctx, tx, events)
	})
	return role, ok, err
}

// PasswordOf gives the account of an address, in no organization yet, and the hash of its password; ok is false where there is none.
func (s *Store) PasswordOf(ctx context.Context, email string) (u setops.User, passwordHash string, ok bool, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT id, email, service, password_hash FROM users WHERE email = $1`, email).
		Scan(&u.ID, &u.Email, &u.Service, &passwordHash)
	ok, err = found(err)
	return u, passwordHash, ok, err
}
