package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/setopsco/setops/internal/setops"
)

// errDryRun rolls a transaction back.
var errDryRun = errors.New("dry run")

// Prune removes old commits and old releases of a stage. With dryRun it changes nothing, tells what it would remove and gives
// the images that the stage would name then. Kept, however old, are commits that have not ended, have steps left behind
// their commit point, have started a generation that is there or are being reverted; releases that are active, that a
// changeset or a commit that has not ended activates, and that one of the tasks runs. While a commit of the stage runs, no
// release is removed: the commit writes those that it has read.
func (s *Store) Prune(ctx context.Context, stageID string, keep setops.Retention, tasks []setops.Task, dryRun bool) (setops.Pruned, []setops.AppImage, error) {
	var pruned setops.Pruned
	var images []setops.AppImage
	err := s.change(ctx, func(tx *sql.Tx) (err error) {
		if pruned.Commits, err = pruneCommits(ctx, tx, stageID, keep); err != nil {
			return fmt.Errorf("prune commits: %w", err)
		}
		if pruned.Releases, err = pruneReleases(ctx, tx, stageID, keep, tasks); err != nil {
			return fmt.Errorf("prune releases: %w", err)
		}
		if !dryRun {
			return nil
		}
		if images, err = namedImages(ctx, tx, stageID); err != nil {
			return err
		}
		return errDryRun
	})
	if err != nil && !(dryRun && errors.Is(err, errDryRun)) {
		return setops.Pruned{}, nil, err
	}
	return pruned, images, nil
}

func pruneCommits(ctx context.Context, tx *sql.Tx, stageID string, keep setops.Retention) ([]setops.PrunedCommit, error) {
	old, err := collect(ctx, tx, func(r *sql.Rows) (c setops.PrunedCommit, err error) {
		var created int64
		err = r.Scan(&c.ID, &created)
		c.CreatedAt = fromMillis(created)
		return c, err
	}, `SELECT c.id, c.created_at FROM (
			SELECT id, created_at, finished_at, state, passed,
				ROW_NUMBER() OVER (ORDER BY position DESC, created_at DESC, id DESC) AS age
			FROM commits WHERE stage_id = $1) c
		WHERE c.age > $2 AND COALESCE(c.finished_at, c.created_at) < $3 AND c.state IN ('done', 'failed', 'cancelled')
			AND NOT (c.passed AND EXISTS (SELECT 1 FROM steps t WHERE t.commit_id = c.id AND t.after AND t.state <> 'done'))
			AND NOT EXISTS (SELECT 1 FROM generations g WHERE g.commit_id = c.id)
			AND NOT EXISTS (SELECT 1 FROM changesets o WHERE o.stage_id = $1 AND o.reverts = c.id)
		ORDER BY c.age DESC`, stageID, keep.Commits, millis(keep.Since))
	if err != nil {
		return nil, err
	}
	for _, c := range old {
		if _, err := exec(ctx, tx, `DELETE FROM commits WHERE id = $1`, c.ID); err != nil {
			return nil, err
		}
	}
	return old, nil
}

func pruneReleases(ctx context.Context, tx *sql.Tx, stageID string, keep setops.Retention, tasks []setops.Task) ([]setops.PrunedRelease, error) {
	var running int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM commits WHERE stage_id = $1 AND state = 'running'`, stageID).Scan(&running)
	if err != nil || running > 0 {
		return nil, err
	}
	needed, err := neededReleases(ctx, tx, stageID, tasks)
	if err != nil {
		return nil, err
	}
	var old []setops.PrunedRelease
	err = eachRelease(ctx, tx, func(app string, r setops.Release) {
		if !needed[releaseOf{app, r.ID}] {
			old = append(old, setops.PrunedRelease{App: app, Release: r})
		}
	}, selectRelease+` (
			SELECT app, id, digest, tag, created_at, created_by, activated_at, activated_by, ROW_NUMBER() OVER (PARTITION BY app ORDER BY id DESC) AS age
			FROM releases WHERE stage_id = $1) r
		WHERE age > $2 AND created_at < $3 ORDER BY app, id`, stageID, keep.Releases, millis(keep.Since))
	if err != nil {
		return nil, err
	}
	for _, r := range old {
		if _, err := exec(ctx, tx, `DELETE FROM releases WHERE stage_id = $1 AND app = $2 AND id = $3`, stageID, r.App, r.ID); err != nil {
			return nil, err
		}
	}
	return old, nil
}

type releaseOf struct {
	app string
	id  int
}

// neededReleases are those that are active, that commands are about and that tasks run.
func neededReleases(ctx context.Context, tx *sql.Tx, stageID string, tasks []setops.Task) (map[releaseOf]bool, error) {
	needed := map[releaseOf]bool{}
	for _, t := range tasks {
		needed[releaseOf{t.App, t.Release}] = true
	}
	apps, err := collect(ctx, tx, scanApp, `SELECT name, spec FROM apps WHERE stage_id = $1`, stageID)
	if err != nil {
		return nil, err
	}
	for _, a := range apps {
		needed[releaseOf{a.Name, a.ActiveRelease}] = true
	}
	texts, err := collect(ctx, tx, scanText, `
		SELECT k.arguments FROM commands k JOIN changesets c ON c.id = k.changeset_id WHERE c.stage_id = $1
		UNION ALL SELECT commands FROM commits WHERE stage_id = $1 AND state IN ('queued', 'running')`, stageID)
	for _, text := range texts {
		err = errors.Join(err, walk(text, func(o map[string]any) {
			app, _ := o["name"].(string)
			if id, ok := o["release_id"].(float64); ok {
				needed[releaseOf{app, int(id)}] = true
			}
		}))
	}
	return needed, err
}

func scanText(r *sql.Rows) (text string, err error) {
	err = r.Scan(&text)
	return text, err
}

// walk calls f for every object in a JSON text.
func walk(text string, f func(map[string]any)) error {
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return fmt.Errorf("read %.60q: %w", text, err)
	}
	walkValue(value, f)
	return nil
}

func walkValue(value any, f func(map[string]any)) {
	switch v := value.(type) {
	case map[string]any:
		f(v)
		for _, below := range v {
			walkValue(below, f)
		}
	case []any:
		for _, below := range v {
			walkValue(below, f)
		}
	}
}
