package store

import (
	"context"
	"database/sql"
	"fmt"
)

// Installation gives what was installed.
func (s *Store) Installation(ctx context.Context) (map[string]string, error) {
	all := map[string]string{}
	_, err := collect(ctx, s.read, func(r *sql.Rows) (none struct{}, err error) {
		var key, value string
		err = r.Scan(&key, &value)
		all[key] = value
		return none, err
	}, `SELECT key, value FROM installation`)
	if err != nil {
		return nil, fmt.Errorf("read installation: %w", err)
	}
	return all, nil
}

// Install keeps a value where there is none under that key, and gives the one that is there from then on: who was first
// has it.
func (s *Store) Install(ctx context.Context, key, value string) (have string, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		_, err := exec(ctx, tx, `INSERT INTO installation (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING`, key, value)
		if err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT value FROM installation WHERE key = $1`, key).Scan(&have)
	})
	if err != nil {
		return "", fmt.Errorf("install %s: %w", key, err)
	}
	return have, nil
}
