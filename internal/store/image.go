package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/setopsco/setops/internal/setops"
)

// Images gives the images that a stage names, each at least once: in its releases, in what its users have staged, and in its
// commits, with what was before and after each.
func (s *Store) Images(ctx context.Context, stageID string) ([]setops.AppImage, error) {
	return namedImages(ctx, s.read, stageID)
}

// namedImages reads all of it in one statement: a digest that moves, as from a changeset into a commit, is always seen.
func namedImages(ctx context.Context, q querier, stageID string) ([]setops.AppImage, error) {
	type row struct{ app, kind, text string }
	rows, err := collect(ctx, q, func(r *sql.Rows) (o row, err error) {
		err = r.Scan(&o.app, &o.kind, &o.text)
		return o, err
	}, `SELECT app, 'digest', digest FROM releases WHERE stage_id = $1
		UNION ALL SELECT '', 'commands', k.arguments FROM commands k JOIN changesets c ON c.id = k.changeset_id WHERE c.stage_id = $1
		UNION ALL SELECT '', 'commands', commands FROM commits WHERE stage_id = $1
		UNION ALL SELECT '', 'apps', before_apps FROM commits WHERE stage_id = $1
		UNION ALL SELECT '', 'apps', after_apps FROM commits WHERE stage_id = $1`, stageID)
	if err != nil {
		return nil, fmt.Errorf("read images: %w", err)
	}
	var all []setops.AppImage
	for _, r := range rows {
		switch r.kind {
		case "digest":
			all = append(all, setops.AppImage{App: r.app, Digest: r.text})
		case "commands":
			err = imagesOfCommands(r.text, &all)
		case "apps":
			err = imagesOfApps(r.text, &all)
		}
		if err != nil {
			return nil, fmt.Errorf("read images: %w", err)
		}
	}
	return all, nil
}

func imagesOfCommands(text string, all *[]setops.AppImage) error {
	return walk(text, func(o map[string]any) {
		app, _ := o["name"].(string)
		if digest, ok := o["release_digest"].(string); ok {
			*all = append(*all, setops.AppImage{App: app, Digest: digest})
		}
	})
}

// imagesOfApps finds every digest below the name of an app, wherever it is.
func imagesOfApps(text string, all *[]setops.AppImage) error {
	var apps map[string]any
	if err := json.Unmarshal([]byte(text), &apps); err != nil {
		return fmt.Errorf("read %.60q: %w", text, err)
	}
	for app, value := range apps {
		walkValue(value, func(o map[string]any) {
			if digest, ok := o["digest"].(string); ok {
				*all = append(*all, setops.AppImage{App: app, Digest: digest})
			}
		})
	}
	return nil
}
