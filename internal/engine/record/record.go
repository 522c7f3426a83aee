// Package record keeps values as files of JSON, one each, so that a new process knows what an older one knew: those of tasks, of
// stages and of leases that engines have. Start with Open.
package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Dir keeps values by id, as DIR/ID.json. They are written beside and renamed: there is always a whole one. They are not
// synced: containers on this host do not survive a loss of power either, and what a cluster has is asked again.
type Dir[T any] struct{ dir string }

// Open makes the directory where there is none.
func Open[T any](dir string) (Dir[T], error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Dir[T]{}, fmt.Errorf("make record directory: %w", err)
	}
	return Dir[T]{dir: dir}, nil
}

func (r Dir[T]) path(id string) string { return filepath.Join(r.dir, id+".json") }

// Write keeps a value in place of the one before.
func (r Dir[T]) Write(id string, value T) error {
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

// Remove forgets a value. One that is not there is no error.
func (r Dir[T]) Remove(id string) error {
	if err := os.Remove(r.path(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete record %s: %w", id, err)
	}
	return nil
}

// All gives the records by id. One that cannot be read is as good as none and is deleted.
func (r Dir[T]) All() (map[string]T, error) {
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
