package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// Spec gives the committed state of a stage.
func (s *Store) Spec(ctx context.Context, stageID string) (setops.Spec, error) {
	return loadSpec(ctx, s.read, stageID)
}

// App gives the committed state of one app; ok is false where there is none.
func (s *Store) App(ctx context.Context, stageID, name string) (*setops.App, bool, error) {
	spec, err := loadApps(ctx, s.read, appRows+` AND name = $2 UNION ALL `+releaseRows+` AND app = $2 ORDER BY 1, 3`, stageID, name)
	return spec.Apps[name], spec.Apps[name] != nil, err
}

// AppNames lists the committed apps of a stage.
func (s *Store) AppNames(ctx context.Context, stageID string) ([]string, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (name string, err error) {
		err = r.Scan(&name)
		return name, err
	}, `SELECT name FROM apps WHERE stage_id = $1 ORDER BY name`, stageID)
}

func loadSpec(ctx context.Context, q querier, stageID string) (setops.Spec, error) {
	return loadApps(ctx, q, stageRow+` UNION ALL `+appRows+` UNION ALL `+releaseRows+` ORDER BY 1, 3`, stageID)
}

// A stage, its apps and their releases are read by one statement, so that nobody sees what is between two commits. A row of an
// app comes before those of its releases; that of the stage has no name.
const (
	stageRow    = `SELECT '', settings, 0, '', '', 0, '', 0, '' FROM stages WHERE id = $1`
	appRows     = `SELECT name, spec, 0, '', '', 0, '', 0, '' FROM apps WHERE stage_id = $1`
	releaseRows = `SELECT app, '', id, digest, tag, created_at, created_by, activated_at, activated_by FROM releases WHERE stage_id = $1`
)

func loadApps(ctx context.Context, q querier, query string, args ...any) (setops.Spec, error) {
	spec := setops.Spec{Apps: map[string]*setops.App{}}
	_, err := collect(ctx, q, func(rows *sql.Rows) (none struct{}, err error) {
		var name, text string
		var r setops.Release
		var created, activated int64
		if err := rows.Scan(&name, &text, &r.ID, &r.Digest, &r.Tag, &created, &r.CreatedBy, &activated, &r.ActivatedBy); err != nil {
			return none, err
		}
		if name == "" {
			return none, decodeSettings(text, &spec)
		}
		if r.ID == 0 {
			spec.Apps[name], err = decodeApp(name, text)
			return none, err
		}
		r.CreatedAt, r.ActivatedAt = fromMillis(created), maybeMillis(activated)
		if app := spec.Apps[name]; app != nil {
			app.Releases = append(app.Releases, r)
		}
		return none, nil
	}, query, args...)
	if err != nil {
		return setops.Spec{}, fmt.Errorf("read apps: %w", err)
	}
	return spec, nil
}

func scanApp(r *sql.Rows) (*setops.App, error) {
	var name, text string
	if err := r.Scan(&name, &text); err != nil {
		return nil, err
	}
	return decodeApp(name, text)
}

func decodeApp(name, text string) (*setops.App, error) {
	a := &setops.App{}
	if err := json.Unmarshal([]byte(text), a); err != nil {
		return nil, fmt.Errorf("read app %s: %w", name, err)
	}
	a.Committed = true
	return a, nil
}

const selectRelease = `SELECT app, id, digest, tag, created_at, created_by, activated_at, activated_by FROM`

func eachRelease(ctx context.Context, q querier, f func(app string, r setops.Release), query string, args ...any) error {
	_, err := collect(ctx, q, func(rows *sql.Rows) (none struct{}, err error) {
		var app string
		var r setops.Release
		var created, activated int64
		err = rows.Scan(&app, &r.ID, &r.Digest, &r.Tag, &created, &r.CreatedBy, &activated, &r.ActivatedBy)
		r.CreatedAt, r.ActivatedAt = fromMillis(created), maybeMillis(activated)
		f(app, r)
		return none, err
	}, query, args...)
	return err
}

// saveSpec writes what differs between two states of a stage, first of all who has which domain: that can be refused.
func saveSpec(ctx context.Context, tx *sql.Tx, stageID string, before, after setops.Spec, now time.Time) error {
	if err := saveDomains(ctx, tx, stageID, before, after); err != nil {
		return err
	}
	if err := saveSettings(ctx, tx, stageID, before, after); err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	if err := saveSchedules(ctx, tx, stageID, before, after, now); err != nil {
		return fmt.Errorf("write schedules: %w", err)
	}
	for name := range before.Apps {
		if shall := after.Apps[name]; shall == nil || !shall.Committed {
			if err := removeApp(ctx, tx, stageID, name); err != nil {
				return err
			}
			if shall == nil {
				if err := releasePort(ctx, tx, stageID, name); err != nil {
					return err
				}
			}
		}
	}
	for name, app := range after.Apps {
		if app == before.Apps[name] {
			continue // Fold shares what no command touched
		}
		if err := saveApp(ctx, tx, stageID, app); err != nil {
			return fmt.Errorf("write app %s: %w", name, err)
		}
	}
	return nil
}

// removeApp also forgets the release ids, so that a new app of that name begins at 1 again.
func removeApp(ctx context.Context, tx *sql.Tx, stageID, name string) error {
	for _, query := range []string{
		`DELETE FROM releases WHERE stage_id = $1 AND app = $2`,
		`DELETE FROM release_ids WHERE stage_id = $1 AND app = $2`,
		`DELETE FROM apps WHERE stage_id = $1 AND name = $2`,
	} {
		if _, err := exec(ctx, tx, query, stageID, name); err != nil {
			return fmt.Errorf("remove app %s: %w", name, err)
		}
	}
	return nil
}

func saveApp(ctx context.Context, tx *sql.Tx, stageID string, app *setops.App) error {
	text, err := json.Marshal(app)
	if err != nil {
		return err
	}
	_, err = exec(ctx, tx, `INSERT INTO apps (stage_id, name, spec) VALUES ($1, $2, $3)
		ON CONFLICT (stage_id, name) DO UPDATE SET spec = excluded.spec`, stageID, app.Name, string(text))
	if err != nil {
		return err
	}
	for _, r := range app.Releases {
		_, err := exec(ctx, tx, `INSERT INTO releases (stage_id, app, id, digest, tag, created_at, created_by)
			VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (stage_id, app, id) DO UPDATE SET tag = excluded.tag WHERE releases.tag <> excluded.tag`,
			stageID, app.Name, r.ID, r.Digest, r.Tag, millis(r.CreatedAt), r.CreatedBy)
		if err != nil {
			return err
		}
	}
	return reserveUpTo(ctx, tx, stageID, app)
}

// reserveUpTo keeps the ids of releases that a revert has brought back from being given again.
func reserveUpTo(ctx context.Context, tx *sql.Tx, stageID string, app *setops.App) error {
	highest := 0
	for _, r := range app.Releases {
		highest = max(highest, r.ID)
	}
	_, err := exec(ctx, tx, `INSERT INTO release_ids (stage_id, app, last) VALUES ($1, $2, $3)
		ON CONFLICT (stage_id, app) DO UPDATE SET last = excluded.last WHERE release_ids.last < excluded.last`, stageID, app.Name, highest)
	return err
}
