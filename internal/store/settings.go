package store

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/setopsco/setops/internal/setops"
)

// stageSettings are those of a spec that belong to no app.
type stageSettings struct {
	LogRetention int `json:"log_retention,omitempty"` // days
}

func encodeSettings(spec setops.Spec) (string, error) {
	text, err := json.Marshal(stageSettings{LogRetention: spec.LogRetention})
	return string(text), err
}

func decodeSettings(text string, spec *setops.Spec) error {
	var s stageSettings
	err := json.Unmarshal([]byte(text), &s)
	spec.LogRetention = s.LogRetention
	return err
}

func saveSettings(ctx context.Context, tx *sql.Tx, stageID string, before, after setops.Spec) error {
	if before.LogRetention == after.LogRetention {
		return nil
	}
	text, err := encodeSettings(after)
	if err != nil {
		return err
	}
	_, err = exec(ctx, tx, `UPDATE stages SET settings = $2 WHERE id = $1`, stageID, text)
	return err
}

// LogRetention gives for how many days the logs of a stage are kept. Of one that is not there any more it is the default.
func (s *Store) LogRetention(ctx context.Context, stageID string) (days int, err error) {
	var text string
	there, err := found(s.read.QueryRowContext(ctx, `SELECT settings FROM stages WHERE id = $1`, stageID).Scan(&text))
	if err != nil || !there {
		return setops.DefaultLogRetention, err
	}
	var spec setops.Spec
	err = decodeSettings(text, &spec)
	return spec.KeptLogs(), err
}
