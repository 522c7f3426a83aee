package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// keeperKey is where the database has its keeper.
const keeperKey = "keeper"

// Keeper gives the server that keeps the tasks, or did last; ok is false where there was none.
func (s *Store) Keeper(ctx context.Context) (k setops.Keeper, ok bool, err error) {
	return loadKeeper(ctx, s.read)
}

func loadKeeper(ctx context.Context, q querier) (k setops.Keeper, ok bool, err error) {
	var text string
	ok, err = found(q.QueryRowContext(ctx, `SELECT value FROM installation WHERE key = $1`, keeperKey).Scan(&text))
	if err == nil && ok {
		err = json.Unmarshal([]byte(text), &k)
	}
	if err != nil {
		return k, false, fmt.Errorf("read which server keeps the tasks: %w", err)
	}
	return k, ok, nil
}

// Keep makes a server the keeper of the tasks until k.Until, or renews that; one that gives it up has k.Until now. Where
// another one is the keeper that this one cannot take the place of, it gives that one and changes nothing: while that one's
// time is not over, where it is on another machine; and always, where it has another data directory, in which the tasks are.
func (s *Store) Keep(ctx context.Context, k setops.Keeper, now time.Time) (other *setops.Keeper, err error) {
	return s.keep(ctx, k, func(has setops.Keeper) bool { return has.Machine == k.Machine || !has.Until.After(now) })
}

// keep makes k the keeper where there is none, or where it may take the place of the one that is, which must be of the same installation.
func (s *Store) keep(ctx context.Context, k setops.Keeper, succeeds func(has setops.Keeper) bool) (other *setops.Keeper, err error) {
	text, err := json.Marshal(k)
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, func(tx *sql.Tx) error {
		other = nil
		has, ok, err := loadKeeper(ctx, tx)
		if err != nil {
			return err
		}
		if ok && (has.Instance != k.Instance || !succeeds(has)) {
			other = &has
			return nil
		}
		return saveKeeper(ctx, tx, string(text))
	})
	if err != nil {
		return nil, fmt.Errorf("write which server keeps the tasks: %w", err)
	}
	return other, nil
}

func saveKeeper(ctx context.Context, tx *sql.Tx, text string) error {
	_, err := exec(ctx, tx, `INSERT INTO installation (key, value) VALUES ($1, $2)
		ON CONFLICT (key) DO UPDATE SET value = excluded.value`, keeperKey, text)
	return err
}

// Succeed is Keep of servers that share a cluster and no machine: no clock decides. It makes a server the keeper where there is
// none, where it is that already, or in the place of the one that was seen, if nothing was heard of that since. Otherwise, and where
// the database is another installation's, it gives the one that is, and changes nothing.
func (s *Store) Succeed(ctx context.Context, k, seen setops.Keeper) (other *setops.Keeper, err error) {
	return s.keep(ctx, k, func(has setops.Keeper) bool { return has.Machine == k.Machine || has.Equal(seen) })
}
