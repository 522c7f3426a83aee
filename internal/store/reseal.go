package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/setops"
)

// Reseal turns what is sealed with one key into what is sealed with another. Its functions may be called more than once for a value.
type Reseal struct {
	Env          func(stageID, app, key string, value setops.Sealed) (setops.Sealed, error)
	Certificate  func(key string, value setops.Sealed) (setops.Sealed, error)
	Installation func(key, value string) (string, error) // of every value, sealed or not
	// Fingerprint gives that of an app's tasks under the old key, or under the new one.
	Fingerprint func(app *setops.App, fresh bool) string
}

// resealLimit ends the transaction that seals all values anew. A million of them take less than half a minute.
const resealLimit = 30 * time.Minute

// Reseal seals all values of the database anew, those of the history too, in one transaction: all or none. Generations keep
// standing for the apps that they stood for.
func (s *Store) Reseal(ctx context.Context, r Reseal) error {
	err := s.changeWithin(ctx, resealLimit, func(tx *sql.Tx) error {
		for _, part := range []func(context.Context, *sql.Tx) error{r.apps, r.commands, r.commits, r.certificates, r.installation} {
			if err := part(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("seal values anew: %w", err)
	}
	return nil
}

// Compact gives the space of rows that are not valid any more back, so that what they held is in no file of the database.
func (s *Store) Compact(ctx context.Context) error {
	for _, statement := range s.dialect.compact {
		if _, err := s.write.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("compact the database: %w", named(err))
		}
	}
	return nil
}

func (r Reseal) apps(ctx context.Context, tx *sql.Tx) error {
	stages, err := texts(ctx, tx, `SELECT DISTINCT stage_id FROM apps`)
	if err != nil {
		return err
	}
	for _, stageID := range stages {
		spec, err := loadSpec(ctx, tx, stageID)
		if err != nil {
			return err
		}
		for _, app := range spec.Apps {
			if err := r.app(ctx, tx, stageID, app); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r Reseal) app(ctx context.Context, tx *sql.Tx, stageID string, app *setops.App) error {
	stood := r.Fingerprint(app, false)
	if err := r.env(stageID, app); err != nil {
		return err
	}
	text, err := json.Marshal(app)
	if err != nil {
		return err
	}
	if _, err := exec(ctx, tx, `UPDATE apps SET spec = $3 WHERE stage_id = $1 AND name = $2`, stageID, app.Name, string(text)); err != nil {
		return err
	}
	_, err = exec(ctx, tx, `UPDATE generations SET fingerprint = $4 WHERE stage_id = $1 AND app = $2 AND fingerprint = $3`,
		stageID, app.Name, stood, r.Fingerprint(app, true))
	return err
}

func (r Reseal) env(stageID string, app *setops.App) error {
	for key, v := range app.Env {
		value, err := r.Env(stageID, app.Name, key, v.Value)
		if err != nil {
			return fmt.Errorf("variable %s of app %s: %w", key, app.Name, err)
		}
		v.Value = value
		app.Env[key] = v
	}
	return nil
}

func (r Reseal) command(stageID string, c changeset.Command) error {
	set, ok := c.(*changeset.EnvSet)
	if !ok {
		return nil
	}
	value, err := r.Env(stageID, set.AppName, set.Key, set.Value)
	if err != nil {
		return fmt.Errorf("variable %s of app %s: %w", set.Key, set.AppName, err)
	}
	set.Value = value
	return nil
}

func (r Reseal) commands(ctx context.Context, tx *sql.Tx) error {
	type row struct {
		stageID, changesetID, name, arguments string
		position                              int64
	}
	rows, err := collect(ctx, tx, func(rows *sql.Rows) (o row, err error) {
		err = rows.Scan(&o.stageID, &o.changesetID, &o.position, &o.name, &o.arguments)
		return o, err
	}, `SELECT s.stage_id, c.changeset_id, c.position, c.name, c.arguments FROM commands c JOIN changesets s ON s.id = c.changeset_id`)
	if err != nil {
		return err
	}
	for _, o := range rows {
		c, err := changeset.Decode(o.name, []byte(o.arguments))
		if err == nil {
			err = r.command(o.stageID, c)
		}
		if err != nil {
			return fmt.Errorf("command %d of changeset %s: %w", o.position, o.changesetID, err)
		}
		text, err := changeset.Encode(c)
		if err != nil {
			return err
		}
		_, err = exec(ctx, tx, `UPDATE commands SET arguments = $3 WHERE changeset_id = $1 AND position = $2`, o.changesetID, o.position, string(text))
		if err != nil {
			return err
		}
	}
	return nil
}

// commits are read one by one: a history is longer than what should be in memory at once.
func (r Reseal) commits(ctx context.Context, tx *sql.Tx) error {
	ids, err := texts(ctx, tx, `SELECT id FROM commits`)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := r.commit(ctx, tx, id); err != nil {
			return fmt.Errorf("commit %s: %w", id, err)
		}
	}
	return nil
}

func (r Reseal) commit(ctx context.Context, tx *sql.Tx, id string) error {
	var stageID, commands, before, after string
	err := tx.QueryRowContext(ctx, `SELECT stage_id, commands, before_apps, after_apps FROM commits WHERE id = $1`, id).
		Scan(&stageID, &commands, &before, &after)
	if err != nil {
		return err
	}
	list, err := changeset.DecodeList([]byte(commands))
	if err != nil {
		return err
	}
	for _, c := range list {
		if err := r.command(stageID, c); err != nil {
			return err
		}
	}
	text, err := changeset.EncodeList(list)
	if err != nil {
		return err
	}
	for _, apps := range []*string{&before, &after} {
		if err := r.history(stageID, apps); err != nil {
			return err
		}
	}
	_, err = exec(ctx, tx, `UPDATE commits SET commands = $2, before_apps = $3, after_apps = $4 WHERE id = $1`, id, string(text), before, after)
	return err
}

func (r Reseal) history(stageID string, text *string) error {
	spec, err := decodeApps(*text)
	if err != nil {
		return err
	}
	for _, app := range spec.Apps {
		if err := r.env(stageID, app); err != nil {
			return err
		}
	}
	*text, err = encodeApps(spec)
	return err
}

func (r Reseal) certificates(ctx context.Context, tx *sql.Tx) error {
	return r.pairs(ctx, tx, `SELECT key, value FROM certificates`, `UPDATE certificates SET value = $2 WHERE key = $1`,
		func(key, value string) (string, error) {
			fresh, err := r.Certificate(key, setops.Sealed(value))
			return string(fresh), err
		})
}

func (r Reseal) installation(ctx context.Context, tx *sql.Tx) error {
	return r.pairs(ctx, tx, `SELECT key, value FROM installation`, `UPDATE installation SET value = $2 WHERE key = $1`, r.Installation)
}

func (r Reseal) pairs(ctx context.Context, tx *sql.Tx, query, update string, turn func(key, value string) (string, error)) error {
	pairs, err := collect(ctx, tx, func(rows *sql.Rows) (pair [2]string, err error) {
		err = rows.Scan(&pair[0], &pair[1])
		return pair, err
	}, query)
	if err != nil {
		return err
	}
	for _, pair := range pairs {
		value, err := turn(pair[0], pair[1])
		if err != nil {
			return fmt.Errorf("%s: %w", pair[0], err)
		}
		if _, err := exec(ctx, tx, update, pair[0], value); err != nil {
			return err
		}
	}
	return nil
}

// texts reads one column.
func texts(ctx context.Context, q querier, query string, args ...any) ([]string, error) {
	return collect(ctx, q, func(r *sql.Rows) (text string, err error) { err = r.Scan(&text); return text, err }, query, args...)
}
