package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// AddSession begins a session with its first tokens, and forgets what has expired.
func (s *Store) AddSession(ctx context.Context, session setops.Session, tokens ...setops.Token) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		for _, old := range []string{"sessions", "tokens"} {
			if _, err := exec(ctx, tx, `DELETE FROM `+old+` WHERE expires_at > 0 AND expires_at < $1`, millis(session.CreatedAt)); err != nil {
				return err
			}
		}
		return addSession(ctx, tx, session, tokens)
	})
}

func addSession(ctx context.Context, tx *sql.Tx, session setops.Session, tokens []setops.Token) error {
	_, err := exec(ctx, tx, `INSERT INTO sessions (id, user_id, organization_id, kind, name, created_at, used_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, session.ID, session.User.ID, session.User.OrganizationID, session.Kind, session.Name,
		millis(session.CreatedAt), orZero(session.UsedAt), orZero(session.ExpiresAt))
	if err != nil {
		return err
	}
	return addTokens(ctx, tx, session, session.CreatedAt, tokens)
}

func addTokens(ctx context.Context, tx *sql.Tx, session setops.Session, now time.Time, tokens []setops.Token) error {
	for _, t := range tokens {
		_, err := exec(ctx, tx, `INSERT INTO tokens (hash, session_id, kind, user_id, organization_id, created_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`, t.Hash, session.ID, t.Use, session.User.ID, session.User.OrganizationID, millis(now), orZero(t.ExpiresAt))
		if err != nil {
			return err
		}
	}
	return nil
}

const sessionColumns = `s.id, s.kind, s.name, s.created_at, s.used_at, s.expires_at, u.id, u.email, u.service, m.admin, o.id, o.name`

// ofMembers joins sessions with users who are still members of the organization: whoever is not has no session there.
const ofMembers = ` sessions s JOIN users u ON u.id = s.user_id JOIN organizations o ON o.id = s.organization_id
	JOIN members m ON m.user_id = u.id AND m.organization_id = o.id `

func scanSession(scan func(...any) error, more ...any) (s setops.Session, err error) {
	var created, used, expires int64
	err = scan(append([]any{
		&s.ID, &s.Kind, &s.Name, &created, &used, &expires,
		&s.User.ID, &s.User.Email, &s.User.Service, &s.User.Admin, &s.User.OrganizationID, &s.User.Organization,
	}, more...)...)
	s.CreatedAt, s.UsedAt, s.ExpiresAt = fromMillis(created), maybeMillis(used), maybeMillis(expires)
	return s, err
}

// Token gives a token with its session; ok is false where it is unknown.
func (s *Store) Token(ctx context.Context, hash string) (t setops.Token, ok bool, err error) {
	var expires int64
	row := s.read.QueryRowContext(ctx, `SELECT `+sessionColumns+`, t.kind, t.expires_at FROM`+ofMembers+
		`JOIN tokens t ON t.session_id = s.id WHERE t.hash = $1`, hash)
	t.Session, err = scanSession(row.Scan, &t.Use, &expires)
	t.Hash, t.ExpiresAt = hash, maybeMillis(expires)
	ok, err = found(err)
	return t, ok, err
}

// Sessions lists what a user is signed in with in an organization, oldest first.
func (s *Store) Sessions(ctx context.Context, u setops.User) ([]setops.Session, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (setops.Session, error) { return scanSession(r.Scan) },
		`SELECT `+sessionColumns+` FROM`+ofMembers+`WHERE s.user_id = $1 AND s.organization_id = $2 ORDER BY s.created_at, s.id`,
		u.ID, u.OrganizationID)
}

// UseSession notes that a session is used.
func (s *Store) UseSession(ctx context.Context, id string, now time.Time) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		_, err := exec(ctx, tx, `UPDATE sessions SET used_at = $2 WHERE id = $1`, id, millis(now))
		return err
	})
}

// RemoveSession ends a session of a user, with its tokens; ok is false where there is none.
func (s *Store) RemoveSession(ctx context.Context, userID, id string) (ok bool, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		n, err := exec(ctx, tx, `DELETE FROM sessions WHERE id = $1 AND user_id = $2`, id, userID)
		ok = n > 0
		return err
	})
	return ok, ignoreUnstorable(err) // what cannot be held is not there
}

// RenewSession spends a refresh token of a session for others, and lets the session live until session.ExpiresAt. One that
// was spent already is taken until it was so for longer than grace: then somebody else has it, too, and the session ends.
func (s *Store) RenewSession(ctx context.Context, hash string, session setops.Session, now time.Time, grace time.Duration, tokens ...setops.Token) (r setops.Renewal, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		var spent int64
		row := tx.QueryRowContext(ctx, `SELECT spent_at FROM tokens WHERE hash = $1 AND session_id = $2 AND kind = $3`, hash, session.ID, setops.RefreshToken)
		known, err := found(row.Scan(&spent))
		switch {
		case err != nil:
			return err
		case !known:
			r = setops.TokenUnknown
			return nil
		case spent > 0 && spent < millis(now.Add(-grace)):
			r = setops.TokenReused
			_, err = exec(ctx, tx, `DELETE FROM sessions WHERE id = $1`, session.ID)
			return err
		}
		r = setops.TokenRenewed
		if _, err = exec(ctx, tx, `UPDATE tokens SET spent_at = $2 WHERE hash = $1 AND spent_at = 0`, hash, millis(now)); err != nil {
			return err
		}
		if _, err = exec(ctx, tx, `UPDATE sessions SET used_at = $2, expires_at = $3 WHERE id = $1`, session.ID, millis(now), orZero(session.ExpiresAt)); err != nil {
			return err
		}
		return addTokens(ctx, tx, session, now, tokens)
	})
	return r, err
}

// SetPassword changes a user's password and ends the user's sessions but the one named; API tokens stay.
func (s *Store) SetPassword(ctx context.Context, userID, passwordHash, exceptSession string) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		if _, err := exec(ctx, tx, `UPDATE users SET password_hash = $2 WHERE id = $1`, userID, passwordHash); err != nil {
			return err
		}
		_, err := exec(ctx, tx, `DELETE FROM sessions WHERE user_id = $1 AND id <> $2 AND kind <> $3`, userID, exceptSession, setops.APIToken)
		return err
	})
}
