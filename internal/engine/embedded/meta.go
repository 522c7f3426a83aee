//go:build linux

package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/setopsco/setops/internal/engine/embedded/wire"
)

const metaFile = "meta.json"

// meta is what setopsd keeps of a container. The rest of what is known is in the shim's files.
type meta struct {
	Version    int               `json:"v"`
	ID         string            `json:"id"`
	StageID    string            `json:"stage_id"`
	App        string            `json:"app"`
	Repository string            `json:"repository,omitempty"` // of its image
	Digest     string            `json:"digest"`
	IP         string            `json:"ip,omitempty"`
	BootID     string            `json:"boot_id"`
	CreatedAt  time.Time         `json:"created_at"`
	Labels     map[string]string `json:"labels,omitempty"`
}

func (r *Runtime) writeMeta(m meta) error {
	return wire.WriteJSON(filepath.Join(r.taskDir(m.ID), metaFile), m, false)
}

func (r *Runtime) readMeta(id string) (meta, error) {
	var m meta
	b, err := os.ReadFile(filepath.Join(r.taskDir(id), metaFile))
	if err != nil {
		return m, fmt.Errorf("read container %s: %w", id, err)
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fmt.Errorf("read container %s: %w", id, err)
	}
	return m, nil
}

// metas reads all containers. One whose meta.json was lost with the machine's power has nothing but its id.
func (r *Runtime) metas() ([]meta, error) {
	entries, err := os.ReadDir(r.tasksDir())
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	var all []meta
	for _, e := range entries {
		m, err := r.readMeta(e.Name())
		if err != nil {
			if _, gone := os.Stat(r.taskDir(e.Name())); errors.Is(gone, fs.ErrNotExist) {
				continue // removed meanwhile
			}
			r.cfg.Logger.Warn("what is known of a container cannot be read", "container", e.Name(), "err", err)
			m = meta{ID: e.Name()}
		}
		all = append(all, m)
	}
	return all, nil
}
