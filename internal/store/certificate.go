package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// Certificate gives what is kept under a key and since when; ok is false where there is nothing.
func (s *Store) Certificate(ctx context.Context, key string) (value setops.Sealed, changed time.Time, ok bool, err error) {
	var ms int64
	err = s.read.QueryRowContext(ctx, `SELECT value, changed_at FROM certificates WHERE key = $1`, key).Scan(&value, &ms)
	if ok, err = found(err); err != nil {
		return "", time.Time{}, false, fmt.Errorf("read certificate %s: %w", key, err)
	}
	return value, fromMillis(ms), ok, nil
}

// CertificateKeys lists the keys that begin with prefix, sorted.
func (s *Store) CertificateKeys(ctx context.Context, prefix string) ([]string, error) {
	keys, err := collect(ctx, s.read, func(r *sql.Rows) (key string, err error) { err = r.Scan(&key); return key, err },
		`SELECT key FROM certificates WHERE substr(key, 1, $1) = $2 ORDER BY key`, len([]rune(prefix)), prefix)
	if err != nil {
		return nil, fmt.Errorf("list certificates %s: %w", prefix, err)
	}
	return keys, nil
}

// KeepCertificate keeps a value under a key, instead of what is there.
func (s *Store) KeepCertificate(ctx context.Context, key string, value setops.Sealed, now time.Time) error {
	err := s.change(ctx, func(tx *sql.Tx) error {
		_, err := exec(ctx, tx, `INSERT INTO certificates (key, value, changed_at) VALUES ($1, $2, $3)
			ON CONFLICT (key) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at`, key, string(value), millis(now))
		return err
	})
	if err != nil {
		return fmt.Errorf("keep certificate %s: %w", key, err)
	}
	return nil
}

// ForgetCertificates removes keys, all or none; one that is not there does not matter.
func (s *Store) ForgetCertificates(ctx context.Context, keys ...string) error {
	err := s.change(ctx, func(tx *sql.Tx) error {
		for _, key := range keys {
			if _, err := exec(ctx, tx, `DELETE FROM certificates WHERE key = $1`, key); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("forget certificates: %w", err)
	}
	return nil
}
