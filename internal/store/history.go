package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

// storedApp is an app in what a commit changed. Its releases are those that setops.App leaves out of its JSON.
type storedApp struct {
	App      *setops.App      `json:"app"`
	Releases []setops.Release `json:"releases,omitempty"`
}

func encodeState(spec setops.Spec) (apps, settings string, err error) {
	if apps, err = encodeApps(spec); err != nil {
		return "", "", err
	}
	settings, err = encodeSettings(spec)
	return apps, settings, err
}

func encodeApps(spec setops.Spec) (string, error) {
	stored := make(map[string]storedApp, len(spec.Apps))
	for name, app := range spec.Apps {
		stored[name] = storedApp{app, app.Releases}
	}
	text, err := json.Marshal(stored)
	return string(text), err
}

func decodeApps(text string) (setops.Spec, error) {
	var stored map[string]storedApp
	if err := json.Unmarshal([]byte(text), &stored); err != nil {
		return setops.Spec{}, err
	}
	spec := setops.Spec{Apps: make(map[string]*setops.App, len(stored))}
	for name, s := range stored {
		s.App.Releases, s.App.Committed = s.Releases, true
		spec.Apps[name] = s.App
	}
	return spec, nil
}

func decodeState(apps, settings string) (setops.Spec, error) {
	spec, err := decodeApps(apps)
	if err != nil {
		return spec, err
	}
	return spec, decodeSettings(settings, &spec)
}

// Delta gives what a commit changed, or would have; empty where it was never planned.
func (s *Store) Delta(ctx context.Context, commitID string) (c changeset.Delta, err error) {
	var before, after, settingsBefore, settingsAfter string
	err = s.read.QueryRowContext(ctx, `SELECT before_apps, after_apps, before_settings, after_settings FROM commits WHERE id = $1`, commitID).
		Scan(&before, &after, &settingsBefore, &settingsAfter)
	if err == nil {
		c.Before, err = decodeState(before, settingsBefore)
	}
	if err == nil {
		c.After, err = decodeState(after, settingsAfter)
	}
	if err != nil {
		return c, fmt.Errorf("read what commit %s changed: %w", commitID, err)
	}
	return c, nil
}

// Steps gives the journal of a commit as it is told to people.
func (s *Store) Steps(ctx context.Context, commitID string) ([]plan.Record, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (record plan.Record, err error) {
		var text string
		var started, finished int64
		if err := r.Scan(&text, &record.State, &started, &finished); err != nil {
			return record, err
		}
		record.StartedAt, record.FinishedAt = maybeMillis(started), maybeMillis(finished)
		return record, json.Unmarshal([]byte(text), &record.Step)
	}, `SELECT step, state, COALESCE(started_at, 0), COALESCE(finished_at, 0) FROM steps WHERE commit_id = $1 ORDER BY position`, commitID)
}

// saveActivations remembers when the active releases became that, and by whom.
func saveActivations(ctx context.Context, tx *sql.Tx, c changeset.Commit, before, after setops.Spec, now time.Time) error {
	for name, app := range after.Apps {
		if was := before.Apps[name]; app.ActiveRelease == 0 || was != nil && was.ActiveRelease == app.ActiveRelease && app.Committed {
			continue
		}
		_, err := exec(ctx, tx, `UPDATE releases SET activated_at = $4, activated_by = $5 WHERE stage_id = $1 AND app = $2 AND id = $3`,
			c.StageID, name, app.ActiveRelease, millis(now), c.UserEmail)
		if err != nil {
			return fmt.Errorf("write since when release %d of app %s is active: %w", app.ActiveRelease, name, err)
		}
	}
	return nil
}
