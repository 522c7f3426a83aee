package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/setopsco/setops/internal/setops"
)

// records keeps values as files of JSON, one each, so that a new process knows what an older one knew. They are written
// beside and renamed: there is always a whole one. They are not synced, as the containers that they tell of do not
// survive a loss of power either.
//
//	DIR/records/<task id>.json    setops.Task
//	DIR/stages/<stage id>.json    setops.StageRef
//	DIR/fences/<stage id>.json    the number of the newest lease of the stage that was seen
type records[T any] struct{ dir string }

func openRecords[T any](dir string) (records[T], error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return records[T]{}, fmt.Errorf("make record directory: %w", err)
	}
	return records[T]{dir: dir}, nil
}

func (r records[T]) path(id string) string { return filepath.Join(r.dir, id+".json") }

func (r records[T]) write(id string, value T) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("write record %s: %w", id, err)
	}
	beside := r.path(id) + ".new"
	if err := os.WriteFile(beside, raw, 0o600); err != nil {
		return fmt.Errorf("write record %s: %w", id, errors.Join(err, os.Remove(beside)))
	}
	if err := os.Rename(beside, r.path(id)); err != nil {
		return fmt.Errorf("write record %s: %w", id, err)
	}
	return nil
}

func (r records[T]) remove(id string) error {
	if err := os.Remove(r.path(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete record %s: %w", id, err)
	}
	return nil
}

// all gives the records by id. One that cannot be read is as good as none and is deleted.
func (r records[T]) all() (map[string]T, error) {
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		return nil, fmt.Errorf("list records: %w", err)
	}
	found := map[string]T{}
	for _, e := range entries {
		var value T
		path := filepath.Join(r.dir, e.Name())
		raw, err := os.ReadFile(path)
		id, isRecord := strings.CutSuffix(e.Name(), ".json")
		if err != nil || !isRecord || json.Unmarshal(raw, &value) != nil {
			if err := os.Remove(path); err != nil {
				return nil, fmt.Errorf("delete record: %w", err)
			}
			continue
		}
		found[id] = value
	}
	return found, nil
}

type taskRecords = records[setops.Task]
