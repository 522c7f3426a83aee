package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// AddDevice remembers a program that asks to be signed in, and forgets those that have asked too long ago. ok is false where
// as many wait already as may, from its address or in all.
func (s *Store) AddDevice(ctx context.Context, d setops.Device, mostOfAddress, mostOfAll int) (ok bool, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		if _, err := exec(ctx, tx, `DELETE FROM devices WHERE expires_at < $1`, millis(d.CreatedAt)); err != nil {
			return err
		}
		var ofAddress, all int
		row := tx.QueryRowContext(ctx, `SELECT count(*), count(CASE WHEN address = $1 THEN 1 END) FROM devices`, d.Address)
		if err := row.Scan(&all, &ofAddress); err != nil {
			return err
		}
		if ok = all < mostOfAll && ofAddress < mostOfAddress; !ok {
			return nil
		}
		_, err := exec(ctx, tx, `INSERT INTO devices (hash, user_code, name, address, poll_interval, created_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			d.Hash, d.UserCode, d.Name, d.Address, d.Interval.Milliseconds(), millis(d.CreatedAt), millis(d.ExpiresAt))
		return err
	})
	return ok, err
}

const deviceColumns = `SELECT d.hash, d.user_code, d.name, d.address, d.poll_interval, d.polled_at, d.created_at, d.expires_at, d.denied,
	coalesce(d.session_id, ''), coalesce(u.id, ''), coalesce(u.email, ''), coalesce(o.id, ''), coalesce(o.name, '')
	FROM devices d LEFT JOIN users u ON u.id = d.user_id LEFT JOIN organizations o ON o.id = d.organization_id `

func scanDevice(row *sql.Row) (d setops.Device, ok bool, err error) {
	var interval, polled, created, expires int64
	ok, err = found(row.Scan(&d.Hash, &d.UserCode, &d.Name, &d.Address, &interval, &polled, &created, &expires, &d.Denied,
		&d.SessionID, &d.User.ID, &d.User.Email, &d.User.OrganizationID, &d.User.Organization))
	d.Interval, d.PolledAt = time.Duration(interval)*time.Millisecond, maybeMillis(polled)
	d.CreatedAt, d.ExpiresAt = fromMillis(created), fromMillis(expires)
	return d, ok, err
}

// DeviceOfCode gives the program that shows a code; ok is false where none does.
func (s *Store) DeviceOfCode(ctx context.Context, userCode string) (d setops.Device, ok bool, err error) {
	return scanDevice(s.read.QueryRowContext(ctx, deviceColumns+`WHERE d.user_code = $1`, userCode))
}

// DecideDevice notes that a user allows or denies a program; ok is false where that was decided before, or it is too late.
func (s *Store) DecideDevice(ctx context.Context, userCode string, u setops.User, allow bool, now time.Time) (ok bool, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		n, err := exec(ctx, tx, `UPDATE devices SET user_id = $2, organization_id = $3, denied = $4
			WHERE user_code = $1 AND user_id IS NULL AND expires_at >= $5`, userCode, u.ID, u.OrganizationID, !allow, millis(now))
		ok = n > 0
		return err
	})
	return ok, err
}

// PollDevice gives the program of a device code, ok being false where there is none, and notes that it has asked. One that
// asks again before its interval is over is hasty, and has to wait longer from then on.
func (s *Store) PollDevice(ctx context.Context, hash string, now time.Time, longer time.Duration) (d setops.Device, ok, hasty bool, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		var err error
		if d, ok, err = scanDevice(tx.QueryRowContext(ctx, deviceColumns+`WHERE d.hash = $1`, hash)); err != nil || !ok {
			return err
		}
		interval := d.Interval
		if hasty = d.User.ID == "" && !d.PolledAt.IsZero() && now.Before(d.PolledAt.Add(d.Interval)); hasty {
			interval += longer
		}
		_, err = exec(ctx, tx, `UPDATE devices SET polled_at = $2, poll_interval = $3 WHERE hash = $1`, hash, millis(now), interval.Milliseconds())
		return err
	})
	return d, ok, hasty, err
}

// RedeemDevice begins the session of a program that was allowed, or adds to the one that it has: its first answer can get
// lost. It may ask so for grace.
func (s *Store) RedeemDevice(ctx context.Context, hash string, session setops.Session, grace time.Duration, tokens ...setops.Token) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		d, ok, err := scanDevice(tx.QueryRowContext(ctx, deviceColumns+`WHERE d.hash = $1`, hash))
		if err != nil {
			return err
		}
		if !ok || d.User.ID != session.User.ID || d.Denied {
			return setops.Refuse(setops.ServerFailure, "the device was not allowed by %s", session.User.Email)
		}
		if d.SessionID != "" {
			session.ID = d.SessionID
			return addTokens(ctx, tx, session, session.CreatedAt, tokens)
		}
		if err := addSession(ctx, tx, session, tokens); err != nil {
			return err
		}
		_, err = exec(ctx, tx, `UPDATE devices SET session_id = $2, expires_at = $3 WHERE hash = $1`, hash, session.ID, millis(session.CreatedAt.Add(grace)))
		return err
	})
}
